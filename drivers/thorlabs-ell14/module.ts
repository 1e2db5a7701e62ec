import { setTimeout as pause } from 'node:timers/promises'
import {
  Conflict,
  DeadlineExceeded,
  DeviceBusy,
  DeviceOffline,
  EmergencyStopped,
  HardwareFault,
  InvalidValue,
  LimitViolation,
  NotFound,
  Problem,
} from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { BusExchange } from '../bus-line.ts'
import type { CommandFacet, DeviceHandle, MotionFacet } from '../driver.ts'
import type { Lane } from '../exchange-queue.ts'
import { readEach } from '../readings.ts'
import { COMMANDS } from './commands.ts'
import { invoke } from './invoke.ts'
import { Operation, type OperationKind, statusFault } from './operation.ts'
import { moduleParameters, type Source, sourceOf, writeOf } from './parameters.ts'
import type { BusPort, GroupMember } from './port.ts'
import * as protocol from './protocol.ts'
import type { Settings } from './settings.ts'

const READ_TIMES = 3
const READ_AGAIN_MS = 50 // times the number of the try
const ACCEPT_WITHIN_MS = 100 // a refusal comes at once, the end of a move later: then the bus is free for the others
const ARRIVED_WITHIN_DEG = 0.4 // the mount's accuracy
const CONFIRM_STOP_WITHIN_MS = 5000
const CONFIRM_STOP_EVERY_MS = 25
const UNIT = 'deg'

/** What a command needs to begin something that takes time. */
export type Begin = {
  readonly kind: OperationKind
  readonly text: string
  readonly followedAs: 'motion' | 'command'
  /** Asked while the bus is ours, just before: where it will end, in pulses; checked against the limits. */
  readonly target?: (bus: BusExchange) => Promise<number>
}

export class ModuleDevice implements DeviceHandle, GroupMember {
  readonly identity: string
  readonly parameters
  readonly motion: MotionFacet
  readonly commands: CommandFacet
  readonly port: BusPort
  readonly busAddress: string
  readonly pulsesPerTurn: number
  readonly #settings: Settings
  readonly #facts: Readonly<Record<string, ParameterValue>>
  readonly #log: (message: string) => void
  readonly #leave: () => void
  readonly #stopListening: () => void
  /** Counts stops: a move that was asked for before one must not go out after it. */
  #stops = 0
  #operation: Operation | undefined
  #homed: boolean | undefined
  #isolatedUntilMs = 0
  #newAddress: string | undefined

  constructor(port: BusPort, settings: Settings, identity: protocol.Identity, log: (message: string) => void) {
    this.port = port
    this.#settings = settings
    this.#log = log
    this.busAddress = settings.busAddress
    this.pulsesPerTurn = identity.pulsesPerTurn
    this.identity = protocol.identityText(identity, settings.busAddress)
    this.parameters = moduleParameters(settings)
    this.#facts = {
      serial_number: identity.serial,
      year: identity.year,
      firmware: identity.firmware,
      hardware: identity.hardware,
      thread: identity.thread,
      travel: identity.travelDegrees,
      pulses_per_turn: identity.pulsesPerTurn,
    }
    this.motion = {
      unit: UNIT,
      positionParameter: 'position',
      velocityParameter: 'velocity',
      limits: () => ({ minimum: settings.minimumDegrees, maximum: settings.maximumDegrees }),
      homed: () => this.#homed,
      moveTo: (position, signal) => this.#moveTo(position, signal),
      home: (signal) => this.begin(this.#homing(), signal),
      isMoving: (signal) => this.#isMoving(signal),
      stop: (signal) => this.#stop(signal),
    }
    this.commands = { specs: COMMANDS, invoke: (name, given, signal) => invoke(this, name, given, signal) }
    this.#leave = port.enter(this)
    this.#stopListening = port.line.listen(this.busAddress, (line) => this.#heard(line))
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const lines = new Map<string, Promise<string>>() // one question serves all parameters that its answer tells
    return await readEach(names, (name) => this.#readOne(name, lines, signal), { lost: this.port.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const write = typeof value === 'number' ? writeOf(name, value, this.busAddress, this.pulsesPerTurn) : undefined
    if (write === undefined) throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    const { question, shape, decode } = write.readBack
    const raw = await this.exchange(
      'command',
      async (bus) => {
        await this.#acknowledged(bus, write.command)
        return decode(await bus.ask(question, shape))
      },
      signal,
    )
    if (raw !== write.raw) throw new HardwareFault(`${name} was set to ${value} and reads back ${raw === undefined ? 'nothing' : write.value(raw)}`, 'DONE')
    return write.value(raw)
  }

  /** Whether something that a command began goes on. */
  async underWay(signal: AbortSignal): Promise<boolean> {
    const operation = this.#operation
    return operation?.options.followedAs === 'command' ? await this.#goesOn(operation, signal) : false
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    this.#stopped()
    await this.port.line.preempt(
      this.busAddress,
      protocol.command.stop(this.busAddress),
      new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }),
    )
    return { confirmed: this.#stands(signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening()
    this.#leave()
    this.port.turns.release(this.busAddress)
  }

  get #isolated(): boolean {
    return performance.now() < this.#isolatedUntilMs
  }

  /** One turn on the bus; refused where the module would not answer. */
  async exchange<T>(lane: Lane, work: (bus: BusExchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#newAddress !== undefined)
      throw new DeviceOffline(`the module now answers at address ${this.#newAddress}; change its busAddress`, { effect: 'NONE' })
    if (this.#isolated)
      throw new HardwareFault(`the ELL14 at address ${this.busAddress} is isolated from the bus; isolate it for 0 minutes to end that`, 'NONE', {
        instrumentCode: '05',
      })
    return await this.port.line.exchange(this.busAddress, lane, work, signal)
  }

  /** Sends what is acknowledged by "ok". Throws the module's error. */
  async command(text: string, signal: AbortSignal): Promise<void> {
    await this.exchange(
      'command',
      async (bus) => {
        this.refuseError(await bus.tell(text, protocol.reply.status(this.busAddress)), text)
      },
      signal,
    )
  }

  refuseError(line: string, text: string): void {
    const status = protocol.parseStatus(line)
    if (status === undefined || status.ok) return
    if (status.busy) throw new DeviceBusy(`the ELL14 at address ${this.busAddress} is busy (09) and did not take ${text}`, { instrumentCode: '09' })
    throw statusFault(this.busAddress, `after ${text}`, status, status.refused ? 'NONE' : 'POSSIBLE')
  }

  /** Begins what takes time and returns when the module has taken it. The bus is free again by then. */
  async begin(what: Begin, signal: AbortSignal): Promise<void> {
    const stops = this.#stops
    const { turns } = this.port
    const members = what.kind === 'work' ? [] : this.port.membersOf(this.busAddress)
    const movers = [this.busAddress, ...members.map((member) => member.busAddress)]
    await turns.take(movers, Operation.withinMs(what.kind), signal)
    let sent = false
    try {
      await this.exchange(
        'command',
        async (bus) => {
          if (stops !== this.#stops) throw new Conflict(`${what.text} was overtaken by a stop and not sent`)
          await this.#refuseBusy(bus)
          const target = await what.target?.(bus)
          if (target !== undefined) for (const mover of [this, ...members]) mover.allow(target)
          if (stops !== this.#stops) throw new Conflict(`${what.text} was overtaken by a stop and not sent`)
          if (what.kind === 'home') this.#homed = false
          const operation = this.#follow(what.kind, what.text, what.followedAs, target)
          sent = true
          for (const member of members) member.carried(what.text, target)
          if (what.kind !== 'work') for (const mover of movers) this.port.leaveGroups(mover)
          const line = await bus.start(what.text, protocol.reply.moved(this.busAddress), ACCEPT_WITHIN_MS)
          if (line !== undefined) this.#heard(line)
          if (operation.outcome instanceof Problem) {
            this.#operation = undefined
            throw refusal(operation.outcome, line)
          }
        },
        signal,
      )
    } catch (error) {
      const stillFollowed = sent && error instanceof Problem && error.effect !== 'NONE' && this.#operation !== undefined
      if (!stillFollowed) for (const mover of movers) turns.release(mover)
      throw error
    }
  }

  /** Throws LimitViolation. */
  allow(pulses: number): void {
    const { minimumDegrees, maximumDegrees } = this.#settings
    const degrees = protocol.degreesOf(pulses, this.pulsesPerTurn)
    const half = protocol.degreesOf(0.5, this.pulsesPerTurn) // of a pulse: what the counting itself adds
    if (degrees < minimumDegrees - half || degrees > maximumDegrees + half) throw new LimitViolation('position', degrees, minimumDegrees, maximumDegrees, UNIT)
  }

  carried(text: string, targetPulses: number | undefined): void {
    this.#follow('move', text, 'motion', targetPulses)
  }

  isolatedFor(minutes: number): void {
    this.#isolatedUntilMs = performance.now() + minutes * 60_000
  }

  /** Isolated modules still hear this. */
  async endIsolation(signal: AbortSignal): Promise<void> {
    this.#isolatedUntilMs = 0
    const text = protocol.command.isolate(this.busAddress, 0)
    await this.exchange(
      'command',
      async (bus) => {
        await bus.tell(text, protocol.reply.status(this.busAddress))
      },
      signal,
    )
  }

  movedTo(address: string): void {
    this.#newAddress = address
  }

  async askPulses(bus: BusExchange, question: string, letters: string): Promise<number> {
    const line = await bus.ask(question, protocol.reply.data(this.busAddress, letters, 8))
    const pulses = protocol.parsePulses(line, letters)
    if (pulses === undefined) this.#heardError(bus, line)
    if (pulses === undefined) throw new HardwareFault(`${question} was answered by ${line}`, 'NONE')
    return pulses
  }

  #homing(): Begin {
    const text = protocol.command.home(this.busAddress, this.#settings.homeDirection)
    return { kind: 'home', text, followedAs: 'motion' }
  }

  async #moveTo(position: number, signal: AbortSignal): Promise<void> {
    const { minimumDegrees, maximumDegrees } = this.#settings
    if (!(position >= minimumDegrees && position <= maximumDegrees)) throw new LimitViolation('position', position, minimumDegrees, maximumDegrees, UNIT)
    const pulses = protocol.pulsesOf(position, this.pulsesPerTurn)
    const text = protocol.command.moveTo(this.busAddress, pulses)
    await this.begin({ kind: 'move', text, followedAs: 'motion', target: () => Promise.resolve(pulses) }, signal)
  }

  #follow(kind: OperationKind, text: string, followedAs: 'motion' | 'command', targetPulses: number | undefined): Operation {
    const target = targetPulses ?? (kind === 'home' ? 0 : undefined)
    const operation = new Operation(
      {
        busAddress: this.busAddress,
        kind,
        text,
        followedAs,
        ...(target !== undefined && { targetPulses: target }),
        tolerancePulses: protocol.pulsesOf(ARRIVED_WITHIN_DEG, this.pulsesPerTurn),
      },
      performance.now(),
    )
    this.#operation = operation
    return operation
  }

  async #refuseBusy(bus: BusExchange): Promise<void> {
    const status = protocol.parseStatus(await bus.ask(protocol.ask.status(this.busAddress), protocol.reply.status(this.busAddress)))
    if (status?.busy) throw new DeviceBusy(`the ELL14 at address ${this.busAddress} is busy (09)`, { instrumentCode: '09' })
    if (status !== undefined && !status.ok) this.#log(`address ${this.busAddress} of ${this.port.address}: ${status.text} (${status.code}) before this command`)
  }

  /** "ok", or no answer: then what is read back decides. */
  async #acknowledged(bus: BusExchange, text: string): Promise<void> {
    try {
      this.refuseError(await bus.tell(text, protocol.reply.status(this.busAddress)), text)
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error
    }
  }

  #heard(line: string): void {
    this.#operation?.heard(line)
    this.#note()
  }

  /** An error in the place of an answer may be the end of the move, and the answer still to come. */
  #heardError(bus: BusExchange, line: string): void {
    if (this.#operation === undefined) return
    this.#heard(line)
    bus.doubt()
  }

  #note(): void {
    if (this.#operation?.outcome === undefined) return
    this.port.turns.release(this.busAddress)
    if (this.#operation.options.kind === 'home') this.#homed = this.#operation.outcome === 'done' && !this.#operation.stopped
  }

  async #isMoving(signal: AbortSignal): Promise<boolean> {
    const operation = this.#operation
    if (operation?.options.followedAs === 'motion') return await this.#goesOn(operation, signal)
    if (operation !== undefined) return operation.outcome === undefined
    if (this.#newAddress !== undefined || this.#isolated) return false // it stood when it took the command; nobody can ask it now
    const status = await this.#status(signal)
    if (!status.ok && !status.busy) throw statusFault(this.busAddress, 'standing,', status, 'DONE')
    return status.busy
  }

  /** Asks how it goes; once it is over, throws what went wrong. */
  async #goesOn(operation: Operation, signal: AbortSignal): Promise<boolean> {
    if (operation.outcome === undefined && operation.mayAsk(performance.now())) await this.#look(operation, signal)
    const { outcome } = operation
    if (outcome === undefined) return true
    this.#note()
    if (this.#operation === operation) this.#operation = undefined
    if (outcome !== 'done') throw outcome
    return false
  }

  async #look(operation: Operation, signal: AbortSignal): Promise<void> {
    const isWork = operation.options.kind === 'work'
    try {
      operation.answered(await this.#status(signal), performance.now())
      if (operation.outcome === undefined && operation.settled) await this.#arrived(operation, signal)
    } catch (error) {
      // A module that searches, cleans or optimises may be deaf meanwhile.
      if (!isWork || operation.overdue(performance.now()) || signal.aborted || this.port.lost.aborted) throw error
    }
  }

  async #arrived(operation: Operation, signal: AbortSignal): Promise<void> {
    const { targetPulses, text, kind } = operation.options
    if (targetPulses !== undefined && kind !== 'home' && !operation.stopped) {
      const pulses = operation.said ?? (await this.exchange('read', (bus) => this.askPulses(bus, protocol.ask.position(this.busAddress), 'PO'), signal))
      if (!operation.isNear(pulses)) {
        const [at, target] = [pulses, targetPulses].map((count) => protocol.degreesOf(count, this.pulsesPerTurn).toFixed(2))
        operation.end(new HardwareFault(`after ${text} the module reports ok and stands at ${at}°, not at ${target}°`, 'DONE', { instrumentCode: '00' }))
        return
      }
    }
    operation.end('done')
  }

  async #status(signal: AbortSignal): Promise<protocol.Status> {
    const question = protocol.ask.status(this.busAddress)
    return await this.exchange(
      'read',
      async (bus) => {
        const line = await bus.ask(question, protocol.reply.status(this.busAddress))
        const status = protocol.parseStatus(line)
        if (status === undefined) throw new HardwareFault(`${question} was answered by ${line}`, 'NONE')
        if (!status.ok && !status.busy && this.#operation !== undefined) bus.doubt() // it may be the move's own word, and the answer still to come
        return status
      },
      signal,
    )
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#stopped()
    await this.port.line.interject(this.busAddress, protocol.command.stop(this.busAddress))
    const question = protocol.ask.status(this.busAddress)
    const line = await this.exchange('urgent', (bus) => bus.ask(question, protocol.reply.status(this.busAddress)), signal)
    const status = protocol.parseStatus(line)
    if (status !== undefined && !status.ok && !status.busy) throw statusFault(this.busAddress, 'after the stop', status, 'DONE')
  }

  #stopped(): void {
    this.#stops += 1
    if (this.#operation !== undefined) this.#operation.stopped = true
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !this.port.lost.aborted && performance.now() < deadline) {
      // Another module's emergency stop may void this question: then it is asked again.
      const question = protocol.ask.status(this.busAddress)
      const line = await this.exchange('urgent', (bus) => bus.ask(question, protocol.reply.status(this.busAddress)), signal).catch(() => undefined)
      if (line !== undefined && protocol.parseStatus(line)?.busy === false) return true
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }

  async #readOne(name: string, lines: Map<string, Promise<string>>, signal: AbortSignal): Promise<Measured> {
    const fact = this.#facts[name]
    if (fact !== undefined) return { value: fact }
    if (name === 'homed') return this.#homed === undefined ? { bad: 'not known until a search for home was made' } : { value: this.#homed }
    const source = sourceOf(name, this.busAddress, this.pulsesPerTurn)
    if (source === undefined) throw new NotFound(`parameter ${name}`)
    const answer = lines.get(source.question) ?? this.#askPatiently(source, signal)
    lines.set(source.question, answer)
    const line = await answer
    const value = source.decode(line)
    if (value !== undefined) return { value }
    const status = protocol.parseStatus(line)
    return { bad: status === undefined ? `${JSON.stringify(line)} is not an answer to ${source.question}` : `${status.text} (${status.code})` }
  }

  /** A reading changes nothing and is asked for again. */
  async #askPatiently(source: Source, signal: AbortSignal): Promise<string> {
    for (let times = 1; ; times += 1) {
      try {
        return await this.exchange(
          'read',
          async (bus) => {
            if (times > 1) await bus.pause(READ_AGAIN_MS * (times - 1))
            const line = await bus.ask(source.question, source.shape)
            const status = protocol.parseStatus(line)
            if (status !== undefined && !status.ok && !status.busy) this.#heardError(bus, line)
            return line
          },
          signal,
        )
      } catch (error) {
        if (!(error instanceof DeadlineExceeded) || times >= READ_TIMES || signal.aborted) throw error
      }
    }
  }
}

/** A module that says at once that it did not take a command has done nothing. */
function refusal(problem: Problem, line: string | undefined): Problem {
  const status = line === undefined ? undefined : protocol.parseStatus(line)
  return status?.refused ? problem.with({ effect: 'NONE' }) : problem
}
