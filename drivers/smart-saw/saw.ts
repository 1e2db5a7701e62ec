import { setTimeout as pause } from 'node:timers/promises'
import { EmergencyStopped, HardwareFault, InvalidValue, NotFound, Problem } from '../../core/errors.ts'
import type { ParameterKind, ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../driver.ts'
import type { ModbusLine } from '../modbus-line.ts'
import { COMMAND_AT, type Coding, CUT_CANCEL, REGISTERS, type Register, STATE_AT, STATES } from './profile.ts'
import { blocksOf, decode, encode, widthOf } from './protocol.ts'

const STATE_POLL_MS = 100
const TARGET_POLL_MS = 1000 // the operator may change them at the panel
const BETWEEN_WRITES_MS = 110 // the PLC loses a second write that follows closer
const CONFIRM_STOP_WITHIN_MS = 5000
const CONFIRM_STOP_EVERY_MS = 50
/** The band is not driven in these. */
const STANDING = new Set<string | undefined>(['idle', 'hydraulics active', 'cut finished', 'saw rising', 'material feed'])

export class SawDevice implements DeviceHandle {
  readonly identity: string
  readonly parameters = REGISTERS.map(specOf)
  readonly registers = { count: REGISTERS.reduce((sum, register) => sum + widthOf(register), 0) }
  readonly #line: ModbusLine
  #mayWriteAtMs = 0

  constructor(line: ModbusLine, identity: string) {
    this.#line = line
    this.identity = identity
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const readings = new Map<string, Measured>()
    for (const block of blocksOf(names.map(registerOf))) {
      try {
        const words = await this.#line.exchange('read', (registers) => registers.read(block.at, block.count), signal)
        for (const register of block.registers) {
          const own = words.slice(register.at - block.at, register.at - block.at + widthOf(register))
          const value = decode(register, own)
          readings.set(register.name, value === undefined ? { bad: `${own.join(', ')} means nothing in register ${register.at}` } : { value })
        }
      } catch (error) {
        if (!(error instanceof Problem) || this.#line.lost.aborted || signal.aborted) throw error
        for (const { name } of block.registers) readings.set(name, { bad: error.message })
      }
    }
    return readings
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const register = registerOf(name)
    if (register.settable === undefined || typeof value !== 'number') throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    const word = encode(register, value)
    return await this.#line.exchange(
      'command',
      async (registers) => {
        await registers.pause(this.#mayWriteAtMs - performance.now())
        await registers.write(register.at, word)
        this.#mayWriteAtMs = performance.now() + BETWEEN_WRITES_MS
        const [confirmed] = await registers.read(register.at, 1)
        if (confirmed !== word) throw new HardwareFault(`${name}: ${word} was written to register ${register.at} and ${confirmed} reads back`, 'DONE')
        return decode(register, [word]) ?? value
      },
      signal,
    )
  }

  /** Cancels the cut, on a connection of its own, by the whole command word: no start and no movement stays set. */
  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    await this.#line.preempt(COMMAND_AT, CUT_CANCEL, new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }), signal)
    return { confirmed: this.#stands(signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it, and nothing else was opened.
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !this.#line.lost.aborted && performance.now() < deadline) {
      const words = await this.#line.exchange('urgent', (registers) => registers.read(STATE_AT, 1), signal).catch(() => undefined)
      if (STANDING.has(STATES[words?.[0] ?? -1])) return true
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }
}

const BY_NAME = new Map(REGISTERS.map((register) => [register.name, register]))

function registerOf(name: string): Register {
  const register = BY_NAME.get(name)
  if (register === undefined) throw new NotFound(`parameter ${name}`)
  return register
}

function specOf(register: Register): ParameterSpec {
  const { name, description, unit, deadband, settable } = register
  return {
    name,
    description: `${description} (register ${register.at})`,
    kind: kindOf(register),
    access: settable === undefined ? 'READ_ONLY' : 'READ_WRITE',
    pollMs: settable === undefined ? STATE_POLL_MS : TARGET_POLL_MS,
    ...(unit !== undefined && { unit }),
    ...(deadband !== undefined && { deadband }),
    ...(register.coding === 'state' && { choices: STATES }),
    ...settable,
  }
}

const KINDS: Readonly<Record<Coding, ParameterKind>> = {
  u16: 'INTEGER',
  i16: 'INTEGER',
  magnitude: 'INTEGER',
  f32: 'FLOAT',
  code: 'TEXT',
  state: 'ENUM',
  alarms: 'TEXT',
}

function kindOf(register: Register): ParameterKind {
  return register.perUnit === undefined ? KINDS[register.coding] : 'FLOAT'
}
