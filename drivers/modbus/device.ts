import { setTimeout as pause } from 'node:timers/promises'
import { EmergencyStopped, HardwareFault, InvalidValue, NotFound, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle, ReadoutFacet } from '../driver.ts'
import type { Lane } from '../transport/exchange-queue.ts'
import { BitWriter } from './bits.ts'
import { type Block, blocksOf } from './blocks.ts'
import { decode, encode } from './coding.ts'
import type { ModbusLine, RegisterExchange } from './line.ts'
import { LINK_PARAMETERS, LinkHealth } from './link-health.ts'
import { ILLEGAL_ADDRESS, type Request, readRequest, writeCoil, writeWords } from './pdu.ts'
import type { Profile, ProfileCommand, ProfileStop, Register, Target } from './profile.ts'
import { specOf } from './specs.ts'

const MAX_PLANS = 16 // the poller asks for the same few sets of names again and again
const STAND_EVERY_MS = 50
const LET_GO_WITHIN_MS = 5000 // a button that was pressed is let go whatever the caller does
const STOP_REASON = 'overtaken by an emergency stop'

export type ModbusDeviceOptions = {
  readonly line: ModbusLine
  readonly profile: Profile
  readonly unit: number
  readonly readThrough: number
}

/** What is asked to read these names. */
type Plan = { readonly names: readonly string[]; readonly blocks: readonly Block[]; readonly ofTheLink: readonly string[] }

/** One unit behind a profile. */
export class ModbusDevice implements DeviceHandle {
  identity = ''
  readonly parameters: readonly ParameterSpec[]
  readonly registers: { readonly count: number }
  readonly health = new LinkHealth()
  readonly readout?: ReadoutFacet
  readonly commands?: CommandFacet
  readonly write?: (name: string, value: ParameterValue, signal: AbortSignal) => Promise<ParameterValue>
  readonly emergencyStop?: (signal: AbortSignal) => Promise<{ readonly confirmed: Promise<boolean> }>
  readonly makeSafe?: (signal: AbortSignal) => Promise<void>
  readonly #options: ModbusDeviceOptions
  readonly #byName: ReadonlyMap<string, Register>
  readonly #bits: BitWriter
  #plans: Plan[] = []
  #readThrough: number
  #mayWriteAtMs = 0

  constructor(options: ModbusDeviceOptions) {
    const { profile } = options
    const { registers, readout, commands, stop, safe } = profile
    this.#options = options
    this.#readThrough = options.readThrough
    this.#byName = new Map(registers.map((register) => [register.name, register]))
    this.#bits = new BitWriter(profile.writes)
    this.parameters = [...registers.map(specOf), ...LINK_PARAMETERS]
    this.registers = { count: wordsOf(registers) }
    if (readout !== undefined) this.readout = { parameter: readout }
    if (registers.some(({ access }) => access !== 'READ_ONLY')) this.write = (name, value, signal) => this.#write(name, value, signal)
    if (commands.length > 0) this.commands = this.#commandFacet(commands)
    if (stop !== undefined) this.emergencyStop = (signal) => this.#stop(stop, signal)
    if (safe.length > 0) this.makeSafe = (signal) => this.#makeSafe(safe, signal)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const readings = new Map<string, Measured>()
    const { blocks, ofTheLink } = this.#plan(names)
    for (const block of blocks) await this.#readBlock(block, readings, signal)
    for (const name of ofTheLink) {
      const value = this.health.value(name)
      readings.set(name, value === undefined ? { bad: 'nothing was exchanged yet' } : { value })
    }
    return readings
  }

  /** By this device's own requests, counted; the line is ours meanwhile. */
  exchange<T>(
    lane: Lane,
    work: (ask: (request: Request) => Promise<readonly number[]>, line: RegisterExchange) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { line, unit, profile } = this.#options
    return line.exchange(
      lane,
      unit,
      (registers) => work((request) => this.health.counted(() => registers.ask(request, profile.connection.timeoutMs)), registers),
      signal,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it, and nothing else was opened.
  }

  #plan(names: readonly string[]): Plan {
    const known = this.#plans.find((plan) => plan.names.length === names.length && plan.names.every((name, index) => name === names[index]))
    if (known !== undefined) return known
    const registers = names.flatMap((name) => this.#registerOf(name) ?? [])
    const blocks = blocksOf(registers, { longest: this.#options.profile.connection.longestRead, readThrough: this.#readThrough })
    const plan = { names, blocks, ofTheLink: names.filter((name) => !this.#byName.has(name)) }
    if (this.#plans.length >= MAX_PLANS) this.#plans.shift()
    this.#plans.push(plan)
    return plan
  }

  /** undefined for the connection's own parameters. Throws NotFound. */
  #registerOf(name: string): Register | undefined {
    const register = this.#byName.get(name)
    if (register === undefined && !LINK_PARAMETERS.some((parameter) => parameter.name === name)) throw new NotFound(`parameter ${name}`)
    return register
  }

  async #readBlock(block: Block, readings: Map<string, Measured>, signal: AbortSignal): Promise<void> {
    try {
      const words = await this.exchange('read', (ask) => ask(readRequest(block.table, block.at, block.count)), signal)
      for (const register of block.registers) readings.set(register.name, measured(register, words, block.at))
    } catch (error) {
      if (!(error instanceof Problem) || this.#options.line.lost.aborted || signal.aborted) throw error
      if (block.holes && error.facts.instrumentCode === String(ILLEGAL_ADDRESS)) return await this.#withoutHoles(block, readings, signal)
      for (const { name } of block.registers) readings.set(name, { bad: error.message })
    }
  }

  /** The device has nothing between these registers and says so: from now on no address is read that nobody asked for. */
  async #withoutHoles(block: Block, readings: Map<string, Measured>, signal: AbortSignal): Promise<void> {
    this.#readThrough = 0
    this.#plans = []
    for (const part of blocksOf(block.registers, { longest: this.#options.profile.connection.longestRead, readThrough: 0 }))
      await this.#readBlock(part, readings, signal)
  }

  async #write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const register = this.#registerOf(name)
    if (register === undefined || register.access === 'READ_ONLY') throw new InvalidValue(`${name} can only be read`, [name])
    const words = encode(register, value)
    return await this.exchange(
      'command',
      async (ask, line) => {
        await this.#spaced(line)
        if (register.bit !== undefined) await this.#bits.set(ask, register.at, 1 << register.bit, value === true, { verify: register.verify, again: true })
        else await ask(register.table === 'coil' ? writeCoil(register.at, value === true) : writeWords(register.at, words, this.#multiple))
        this.#wrote()
        if (!register.verify || register.bit !== undefined) return decode(register, register.table === 'coil' ? [value === true ? 1 : 0] : words) ?? value
        return await this.#readBack(ask, register, register.table === 'coil' ? [value === true ? 1 : 0] : words)
      },
      signal,
    )
  }

  async #readBack(ask: (request: Request) => Promise<readonly number[]>, register: Register, written: readonly number[]): Promise<ParameterValue> {
    const read = await ask(readRequest(register.table, register.at, register.words)).catch((error: unknown) => {
      throw error instanceof Problem ? error.with({ effect: 'DONE' }) : error
    })
    const value = decode(register, read)
    if (value === undefined || !confirms(register, read, written))
      throw new HardwareFault(
        `${register.name}: ${written.join(', ')} was written to ${register.table} ${register.at} and ${read.join(', ')} reads back`,
        'DONE',
      )
    return value
  }

  get #multiple(): boolean {
    return this.#options.profile.writes.multiple
  }

  async #spaced(line: RegisterExchange): Promise<void> {
    await line.pause(this.#mayWriteAtMs - performance.now())
  }

  #wrote(): void {
    this.#mayWriteAtMs = performance.now() + this.#options.profile.writes.spacingMs
  }

  #commandFacet(commands: readonly ProfileCommand[]): CommandFacet {
    return {
      specs: commands.map(({ name, description }) => ({ name, description, arguments: [] })),
      invoke: async (name, _given, signal) => {
        const command = commands.find((candidate) => candidate.name === name)
        if (command === undefined) throw new NotFound(`command ${name}`)
        await this.#press(command, signal)
        return undefined
      },
    }
  }

  /** Sent once. What is held is let go also when the caller gives up or a stop comes between. */
  async #press({ target, holdMs, name }: ProfileCommand, signal: AbortSignal): Promise<void> {
    await this.#put(target, true, signal, 'command')
    if (holdMs === undefined) return
    await atLeast(holdMs, signal).catch(() => undefined) // told below, after it was let go
    try {
      await this.#put(target, false, AbortSignal.timeout(LET_GO_WITHIN_MS), 'urgent')
    } catch (error) {
      throw new HardwareFault(`${name}: it was pressed and could not be let go`, 'DONE', {}, { cause: error })
    }
    if (signal.aborted)
      throw signal.reason instanceof Problem ? signal.reason.with({ effect: 'DONE' }) : new HardwareFault(`${name}: given up while it was held`, 'DONE')
  }

  async #put(target: Target, on: boolean, signal: AbortSignal, lane: Lane): Promise<void> {
    await this.exchange(
      lane,
      async (ask, line) => {
        await this.#spaced(line)
        if (target.table === 'coil') await ask(writeCoil(target.at, target.on === on))
        else if ('bit' in target) await this.#bits.set(ask, target.at, 1 << target.bit, target.on === on, { verify: false, again: false })
        else await ask(writeWords(target.at, [target.value], this.#multiple))
        this.#wrote()
      },
      signal,
    )
  }

  async #makeSafe(safe: readonly Target[], signal: AbortSignal): Promise<void> {
    for (const target of safe) await this.#put(target, true, signal, 'urgent')
  }

  /** By a whole word or coil, beside every request that waits. */
  async #stop(stop: ProfileStop, signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    const { line, unit, profile } = this.#options
    const { target } = stop
    const request = target.table === 'coil' ? writeCoil(target.at, target.on) : writeWords(target.at, [target.value], this.#multiple)
    const reason = new EmergencyStopped(STOP_REASON, { effect: 'POSSIBLE' })
    const { answered } = await line.preempt(unit, request, { timeoutMs: profile.connection.timeoutMs, reason }, signal)
    const taken = answered.then(
      () => true,
      () => false,
    )
    return { confirmed: this.#stands(stop, taken, signal) }
  }

  async #stands(stop: ProfileStop, taken: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
    const stands = (await taken) && (await this.#untilStanding(stop, signal))
    if (stands && stop.letGo) await this.#letGo(stop, signal)
    return stands
  }

  async #untilStanding({ standing }: ProfileStop, signal: AbortSignal): Promise<boolean> {
    const register = standing && this.#byName.get(standing.register)
    if (standing === undefined || register === undefined) return true
    const deadline = performance.now() + standing.withinMs
    while (!signal.aborted && !this.#options.line.lost.aborted && performance.now() < deadline) {
      const words = await this.exchange('urgent', (ask) => ask(readRequest(register.table, register.at, register.words)), signal).catch(() => undefined)
      if (words !== undefined && standing.values.includes(String(decode(register, words)))) return true
      await pause(STAND_EVERY_MS)
    }
    return false
  }

  /** It stands all the same when this fails; what is still pressed is seen in its register. */
  async #letGo({ target }: ProfileStop, signal: AbortSignal): Promise<void> {
    const letGo = (ask: (request: Request) => Promise<readonly number[]>): Promise<unknown> =>
      target.table === 'coil' ? ask(writeCoil(target.at, !target.on)) : this.#bits.set(ask, target.at, target.value, false, { verify: false, again: false })
    await this.exchange('urgent', letGo, signal).catch(() => undefined)
  }
}

/** Node's timers count whole milliseconds and end up to one too early; a device that counts itself takes a button held 1499.8 ms for one not held 1.5 s. */
async function atLeast(ms: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + ms
  for (let left = ms; left > 0; left = end - performance.now()) await pause(Math.ceil(left), undefined, { signal })
}

function wordsOf(registers: readonly Register[]): number {
  return new Set(registers.flatMap(({ table, at, words }) => Array.from({ length: words }, (_, word) => `${table} ${at + word}`))).size
}

/** The same words; or the same text, otherwise padded; or a number that the device rounded to its own step. */
function confirms(register: Register, read: readonly number[], written: readonly number[]): boolean {
  if (read.every((word, index) => word === written[index])) return true
  const [is, was] = [decode(register, read), decode(register, written)]
  if (register.coding === 'text') return is === was
  return register.step !== undefined && typeof is === 'number' && typeof was === 'number' && Math.abs(is - was) <= register.step / 2
}

function measured(register: Register, words: readonly number[], from: number): Measured {
  const value = decode(register, words, register.at - from)
  if (value !== undefined) return { value }
  const own = words.slice(register.at - from, register.at - from + register.words)
  return { bad: `${own.join(', ')} means nothing in ${register.table} ${register.at}` }
}
