import { setTimeout as pause } from 'node:timers/promises'
import { Conflict, DeviceBusy, EmergencyStopped, HardwareFault, LimitViolation, Problem } from '../../core/errors.ts'
import type { BusExchange } from '../transport/bus-line.ts'
import type { ModuleLink } from './module-link.ts'
import { Operation, type OperationKind, statusFault } from './operation.ts'
import type { GroupMember } from './port.ts'
import * as protocol from './protocol.ts'
import type { Settings } from './settings.ts'

const ACCEPT_WITHIN_MS = 100 // a refusal comes at once, the end of a move later: then the bus is free for the others
const ARRIVED_WITHIN_DEG = 0.4 // the mount's accuracy
const CONFIRM_STOP_WITHIN_MS = 5000
const CONFIRM_STOP_EVERY_MS = 25
export const UNIT = 'deg'

/** What takes time, and how it is begun. */
export type Begin = {
  readonly kind: OperationKind
  readonly text: string
  readonly followedAs: 'motion' | 'command'
  /** Asked while the bus is ours, just before: where it will end, in pulses; checked against the limits. */
  readonly target?: (bus: BusExchange) => Promise<number>
}

/** What a module is doing: begun with the bus in hand, followed without it, by what the module says unasked and by its status. */
export class ModuleMotion implements GroupMember {
  readonly busAddress: string
  readonly pulsesPerTurn: number
  readonly #link: ModuleLink
  readonly #settings: Pick<Settings, 'minimumDegrees' | 'maximumDegrees' | 'homeDirection'>
  readonly #log: (message: string) => void
  /** Counts stops: a move that was asked for before one must not go out after it. */
  #stops = 0
  #operation: Operation | undefined
  #homed: boolean | undefined

  constructor(link: ModuleLink, pulsesPerTurn: number, settings: Settings, log: (message: string) => void) {
    this.#link = link
    this.busAddress = link.busAddress
    this.pulsesPerTurn = pulsesPerTurn
    this.#settings = settings
    this.#log = log
  }

  get homed(): boolean | undefined {
    return this.#homed
  }

  async moveTo(position: number, signal: AbortSignal): Promise<void> {
    const { minimumDegrees, maximumDegrees } = this.#settings
    if (!(position >= minimumDegrees && position <= maximumDegrees)) throw new LimitViolation('position', position, minimumDegrees, maximumDegrees, UNIT)
    const pulses = protocol.pulsesOf(position, this.pulsesPerTurn)
    const text = protocol.command.moveTo(this.busAddress, pulses)
    await this.begin({ kind: 'move', text, followedAs: 'motion', target: () => Promise.resolve(pulses) }, signal)
  }

  async home(signal: AbortSignal): Promise<void> {
    await this.begin({ kind: 'home', text: protocol.command.home(this.busAddress, this.#settings.homeDirection), followedAs: 'motion' }, signal)
  }

  /** Begins what takes time and returns when the module has taken it. The bus is free again by then. */
  async begin(what: Begin, signal: AbortSignal): Promise<void> {
    const stops = this.#stops
    const allowed = (): void => {
      if (stops !== this.#stops) throw new Conflict(`${what.text} was overtaken by a stop and not sent`)
    }
    const { port } = this.#link
    const members = what.kind === 'work' ? [] : port.membersOf(this.busAddress)
    const movers = [this.busAddress, ...members.map((member) => member.busAddress)]
    await port.turns.take(movers, Operation.withinMs(what.kind), allowed, signal)
    let operation: Operation | undefined
    try {
      await this.#link.exchange(
        'command',
        async (bus) => {
          await this.#refuseBusy(bus)
          const target = await what.target?.(bus)
          if (target !== undefined) for (const mover of [this, ...members]) mover.allow(target)
          allowed()
          if (what.kind === 'home') this.#homed = false
          operation = this.#follow(what.kind, what.text, what.followedAs, target)
          for (const member of members) member.carried(what.text, target)
          if (what.kind !== 'work') for (const mover of movers) port.leaveGroups(mover)
          const line = await bus.start(what.text, protocol.reply.moved(this.busAddress), ACCEPT_WITHIN_MS)
          if (line !== undefined) this.heard(line)
          if (operation.outcome instanceof Problem) throw refusal(operation.outcome, line)
        },
        signal,
      )
    } catch (error) {
      // Without a word from the module it may have begun: then it is followed until it stands.
      if (operation === undefined || operation.outcome !== undefined) {
        if (this.#operation === operation) this.#operation = undefined
        for (const mover of movers) port.turns.release(mover)
      }
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

  /** A line of the module's that answers no question, or an error in the place of an answer. */
  heard(line: string): void {
    this.#operation?.heard(line)
    this.#note()
  }

  /** Whether an error could be what a motion ended with. */
  heardError(line: string): boolean {
    if (this.#operation === undefined) return false
    this.heard(line)
    return true
  }

  async isMoving(signal: AbortSignal): Promise<boolean> {
    const operation = this.#operation
    if (operation?.options.followedAs === 'motion') return await this.#goesOn(operation, signal)
    if (operation !== undefined) return operation.outcome === undefined
    if (this.#link.absent) return false // it stood when it took the command; nobody can ask it now
    const status = await this.#link.status('read', signal)
    if (!status.ok && !status.busy) throw statusFault(this.busAddress, 'standing,', status, 'DONE')
    return status.busy
  }

  /** Whether something that a command began goes on. */
  async underWay(signal: AbortSignal): Promise<boolean> {
    const operation = this.#operation
    return operation?.options.followedAs === 'command' ? await this.#goesOn(operation, signal) : false
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#stopped()
    await this.#link.port.line.interject(this.busAddress, protocol.command.stop(this.busAddress))
    const status = await this.#link.status('urgent', signal)
    if (!status.ok && !status.busy) throw statusFault(this.busAddress, 'after the stop', status, 'DONE')
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    this.#stopped()
    const reason = new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' })
    await this.#link.port.line.preempt(this.busAddress, protocol.command.stop(this.busAddress), reason)
    return { confirmed: this.#stands(signal) }
  }

  close(): void {
    this.#link.port.turns.release(this.busAddress)
  }

  async #refuseBusy(bus: BusExchange): Promise<void> {
    const status = await this.#link.askStatus(bus)
    if (status.busy) throw new DeviceBusy(`the ELL14 at address ${this.busAddress} is busy (09)`, { instrumentCode: '09' })
    if (!status.ok) this.#log(`address ${this.busAddress} of ${this.#link.port.address}: ${status.text} (${status.code}) before this command`)
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

  #note(): void {
    const operation = this.#operation
    if (operation?.outcome === undefined) return
    this.#link.port.turns.release(this.busAddress)
    if (operation.options.kind === 'home') this.#homed = operation.outcome === 'done' && !operation.stopped
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
    try {
      operation.answered(await this.#link.status('read', signal), performance.now())
      if (operation.outcome === undefined && operation.settled) await this.#arrived(operation, signal)
    } catch (error) {
      // A module that searches, cleans or optimises may be deaf meanwhile.
      const mayBeDeaf = operation.options.kind === 'work' && !operation.overdue(performance.now())
      if (!mayBeDeaf || signal.aborted || this.#link.port.lost.aborted) throw error
    }
  }

  async #arrived(operation: Operation, signal: AbortSignal): Promise<void> {
    const { targetPulses, text, kind } = operation.options
    if (targetPulses !== undefined && kind !== 'home' && !operation.stopped) {
      const question = protocol.ask.position(this.busAddress)
      const pulses = operation.said ?? (await this.#link.exchange('read', (bus) => this.#link.askPulses(bus, question, 'PO'), signal))
      if (!operation.isNear(pulses)) {
        const [at, target] = [pulses, targetPulses].map((count) => protocol.degreesOf(count, this.pulsesPerTurn).toFixed(2))
        operation.end(new HardwareFault(`after ${text} the module reports ok and stands at ${at}°, not at ${target}°`, 'DONE', { instrumentCode: '00' }))
        return
      }
    }
    operation.end('done')
  }

  #stopped(): void {
    this.#stops += 1
    if (this.#operation !== undefined) this.#operation.stopped = true
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !this.#link.port.lost.aborted && performance.now() < deadline) {
      // Another module's emergency stop may void this question: then it is asked again.
      const status = await this.#link.status('urgent', signal).catch(() => undefined)
      if (status?.busy === false) return true
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }
}

/** A module that says at once that it did not take a command has done nothing. */
function refusal(problem: Problem, line: string | undefined): Problem {
  const status = line === undefined ? undefined : protocol.parseStatus(line)
  return status?.refused ? problem.with({ effect: 'NONE' }) : problem
}
