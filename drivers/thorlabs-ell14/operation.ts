import { HardwareFault, type Problem } from '../../core/errors.ts'
import { parsePulses, parseStatus, type Status } from './protocol.ts'

/** Something that a module was told and that takes time. */
export type OperationKind = 'move' | 'home' | 'jog' | 'work'

const SETTLED_AFTER = 3 // "ok" in a row; between two parts of one motion a module is briefly not busy
const WITHIN_MS: Readonly<Record<OperationKind, number>> = {
  move: 10_000, // a turn at the lowest velocity that still moves takes a few seconds
  home: 10_000,
  jog: 10_000,
  work: 15 * 60_000, // cleaning takes minutes
}
const ASK_WORK_EVERY_MS = 500

export type OperationOptions = {
  readonly busAddress: string
  readonly kind: OperationKind
  /** What was sent, for messages. */
  readonly text: string
  /** Who follows it: the motion's own question or that of a command. */
  readonly followedAs: 'motion' | 'command'
  readonly targetPulses?: number
  readonly tolerancePulses: number
}

/** Follows one operation by what the module says: unasked, and asked for its status. Pure but for the clock that it is given. */
export class Operation {
  readonly options: OperationOptions
  readonly #untilMs: number
  #quiet = 0
  #askAgainMs = 0
  /** Where the module said that it stands, when it said so at the end. */
  #said: number | undefined
  #outcome: 'done' | Problem | undefined
  stopped = false

  constructor(options: OperationOptions, nowMs: number) {
    this.options = options
    this.#untilMs = nowMs + WITHIN_MS[options.kind]
  }

  static withinMs(kind: OperationKind): number {
    return WITHIN_MS[kind]
  }

  get outcome(): 'done' | Problem | undefined {
    return this.#outcome
  }

  /** Three times "ok", or the word of its own and "ok": what remains is to look where it stands. */
  get settled(): boolean {
    return this.#quiet >= SETTLED_AFTER
  }

  get said(): number | undefined {
    return this.#said
  }

  mayAsk(nowMs: number): boolean {
    return nowMs >= this.#askAgainMs
  }

  overdue(nowMs: number): boolean {
    return nowMs > this.#untilMs
  }

  /** A line that answers no question. A late position is no end of a move: it must be near the target, and the status must agree. */
  heard(line: string): void {
    if (this.#outcome !== undefined) return
    const status = parseStatus(line)
    const pulses = parsePulses(line, 'PO')
    const { kind } = this.options
    if (pulses !== undefined && this.isNear(pulses)) {
      this.#said = pulses
      this.#quiet = SETTLED_AFTER - 1
    } else if (status?.ok && kind === 'work') this.#quiet = SETTLED_AFTER - 1
    else if (status !== undefined && !status.ok && !status.busy) this.end(this.fault(status, 'DONE'))
  }

  /** The answer to a question for the status. */
  answered(status: Status, nowMs: number): void {
    if (this.#outcome !== undefined) return
    if (this.options.kind === 'work') this.#askAgainMs = nowMs + ASK_WORK_EVERY_MS
    if (status.ok) this.#quiet += 1
    else if (!status.busy) this.end(this.fault(status, 'DONE'))
    else if (this.overdue(nowMs)) this.end(this.fault(status, 'DONE'))
    else {
      this.#quiet = 0
      this.#said = undefined
    }
  }

  end(outcome: 'done' | Problem): void {
    this.#outcome ??= outcome
  }

  /** Where it was to go, as far as that is known. */
  isNear(pulses: number): boolean {
    const { targetPulses, tolerancePulses } = this.options
    return targetPulses !== undefined && Math.abs(pulses - targetPulses) <= tolerancePulses
  }

  fault(status: Status, effect: 'NONE' | 'DONE'): Problem {
    const { busAddress, text } = this.options
    return statusFault(busAddress, `after ${text}`, status, effect)
  }
}

export function statusFault(busAddress: string, when: string, status: Status, effect: 'NONE' | 'POSSIBLE' | 'DONE'): HardwareFault {
  return new HardwareFault(`${when} the ELL14 at address ${busAddress} reports ${status.text} (${status.code})`, effect, { instrumentCode: status.code })
}
