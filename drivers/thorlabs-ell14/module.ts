import { HardwareFault, InvalidValue, NotFound } from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle, MotionFacet } from '../driver.ts'
import { readEach } from '../readings.ts'
import { COMMANDS } from './commands.ts'
import { invoke } from './invoke.ts'
import { ModuleLink } from './module-link.ts'
import { ModuleMotion, UNIT } from './module-motion.ts'
import { moduleParameters, sourceOf, writeOf } from './parameters.ts'
import type { BusPort } from './port.ts'
import * as protocol from './protocol.ts'
import type { Settings } from './settings.ts'

export class ModuleDevice implements DeviceHandle {
  readonly identity: string
  readonly parameters
  readonly motion: MotionFacet
  readonly commands: CommandFacet
  readonly #link: ModuleLink
  readonly #motion: ModuleMotion
  readonly #pulsesPerTurn: number
  /** What the module told when it was identified. */
  readonly #facts: Readonly<Record<string, ParameterValue>>
  readonly #leave: () => void
  readonly #stopListening: () => void

  constructor(port: BusPort, settings: Settings, identity: protocol.Identity, log: (message: string) => void) {
    const link = new ModuleLink(port, settings.busAddress)
    const motion = new ModuleMotion(link, identity.pulsesPerTurn, settings, log)
    this.#link = link
    this.#motion = motion
    this.#pulsesPerTurn = identity.pulsesPerTurn
    this.identity = protocol.identityText(identity, settings.busAddress)
    this.parameters = moduleParameters(settings)
    this.#facts = factsOf(identity)
    this.motion = {
      unit: UNIT,
      positionParameter: 'position',
      velocityParameter: 'velocity',
      limits: () => ({ minimum: settings.minimumDegrees, maximum: settings.maximumDegrees }),
      homed: () => motion.homed,
      moveTo: (position, signal) => motion.moveTo(position, signal),
      home: (signal) => motion.home(signal),
      isMoving: (signal) => motion.isMoving(signal),
      stop: (signal) => motion.stop(signal),
    }
    this.commands = { specs: COMMANDS, invoke: (name, given, signal) => invoke({ link, motion }, name, given, signal) }
    this.#leave = port.enter(motion)
    this.#stopListening = port.line.listen(settings.busAddress, (line) => motion.heard(line))
    link.onError((line) => motion.heardError(line))
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const lines = new Map<string, Promise<string>>() // one question serves all parameters that its answer tells
    return await readEach(names, (name) => this.#readOne(name, lines, signal), { lost: this.#link.port.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const write = typeof value === 'number' ? writeOf(name, value, this.#link.busAddress, this.#pulsesPerTurn) : undefined
    if (write === undefined) throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    const { question, shape, decode } = write.readBack
    const raw = await this.#link.exchange(
      'command',
      async (bus) => {
        await this.#link.tellOrReadBack(bus, write.command)
        return decode(await bus.ask(question, shape))
      },
      signal,
    )
    if (raw !== write.raw) throw new HardwareFault(`${name} was set to ${value} and reads back ${raw === undefined ? 'nothing' : write.value(raw)}`, 'DONE')
    return write.value(raw)
  }

  async underWay(signal: AbortSignal): Promise<boolean> {
    return await this.#motion.underWay(signal)
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    return await this.#motion.emergencyStop(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening()
    this.#leave()
    this.#motion.close()
  }

  async #readOne(name: string, lines: Map<string, Promise<string>>, signal: AbortSignal): Promise<Measured> {
    const fact = this.#facts[name]
    if (fact !== undefined) return { value: fact }
    if (name === 'homed') {
      const { homed } = this.#motion
      return homed === undefined ? { bad: 'not known until a search for home was made' } : { value: homed }
    }
    const source = sourceOf(name, this.#link.busAddress, this.#pulsesPerTurn)
    if (source === undefined) throw new NotFound(`parameter ${name}`)
    const answer = lines.get(source.question) ?? this.#link.askPatiently(source, signal)
    lines.set(source.question, answer)
    const line = await answer
    const value = source.decode(line)
    if (value !== undefined) return { value }
    const status = protocol.parseStatus(line)
    return { bad: status === undefined ? `${JSON.stringify(line)} is not an answer to ${source.question}` : `${status.text} (${status.code})` }
  }
}

function factsOf(identity: protocol.Identity): Readonly<Record<string, ParameterValue>> {
  return {
    serial_number: identity.serial,
    year: identity.year,
    firmware: identity.firmware,
    hardware: identity.hardware,
    thread: identity.thread,
    travel: identity.travelDegrees,
    pulses_per_turn: identity.pulsesPerTurn,
  }
}
