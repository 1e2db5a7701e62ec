import { HardwareFault } from '../../core/errors.ts'
import { problemOf, type SoFar } from './exchange-queue.ts'

/** A harmless question whose answer cannot be mistaken for another's. */
export type Marker = { readonly command: string; readonly reply: RegExp }

/** The next line or message; undefined when none has come by then. */
export type Receive = (deadlineMs: number, signal: AbortSignal) => Promise<string | undefined>

const GIVEN_UP_AFTER = 2 // time-outs: an answer that is still owed then never comes

/** Answers of the marker's shape that were asked for and have not come, the oldest first: each would be taken for the next marker's. */
export class MarksOwed {
  readonly #marker: Marker
  readonly #timeoutMs: number
  #askedAtMs: number[] = []

  constructor(marker: Marker, timeoutMs: number) {
    this.#marker = marker
    this.#timeoutMs = timeoutMs
  }

  /** A question for an answer of this shape was not answered. */
  missed(shape: RegExp, askedAtMs: number): void {
    if (shape.source === this.#marker.reply.source) this.#askedAtMs.push(askedAtMs)
  }

  /** None can come any more. */
  forget(): void {
    this.#askedAtMs = []
  }

  /** Until each has come or is given up. Throws HardwareFault when nothing comes within a time-out. */
  async settle(receive: Receive, signal: AbortSignal, soFar: SoFar): Promise<void> {
    const deadlineMs = performance.now() + this.#timeoutMs
    for (let [oldest] = this.#askedAtMs; oldest !== undefined; [oldest] = this.#askedAtMs) {
      const givenUpAtMs = oldest + GIVEN_UP_AFTER * this.#timeoutMs
      const answer = await receive(Math.min(givenUpAtMs, deadlineMs), signal)
      if (signal.aborted) throw problemOf(signal, soFar)
      if (performance.now() >= givenUpAtMs || (answer !== undefined && this.#marker.reply.test(answer))) this.#askedAtMs.shift()
      else if (answer === undefined) throw new HardwareFault(`the instrument does not answer ${this.#marker.command}`, soFar)
    }
  }
}
