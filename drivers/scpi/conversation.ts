import { DeadlineExceeded, HardwareFault, type Problem } from '../../core/errors.ts'
import { ExchangeQueue, type Lane, problemOf, type SoFar, waitFor } from '../transport/exchange-queue.ts'
import { type Marker, MarksOwed } from '../transport/marks-owed.ts'
import type { Delays } from './description.ts'
import type { MessageTransport } from './message-transport.ts'

export type Manners = {
  readonly timeoutMs: number
  readonly delays: Delays
  /**
   * Where the transport cannot clear the instrument, it is asked after an answer that did not come in time, and everything before its own answer thrown away,
   * since an instrument answers in order.
   */
  readonly marker: Marker
}

/** What may be done while the instrument is ours. */
export interface Exchange {
  /** Sends a command that is not answered. */
  send(command: string): Promise<void>
  /** Sends a question and waits for an answer of the shape `reply`. Where answers are not tied to questions, those of another shape are skipped. */
  ask(question: string, reply: RegExp, timeoutMs?: number): Promise<string>
  pause(milliseconds: number): Promise<void>
  /** Until nothing can come any more that was asked for earlier; nothing to do but after an answer that did not come. */
  comeIntoStep(): Promise<void>
}

const LOST_AFTER = 10 // times in a row that the instrument does not come into step: its end of the connection is gone, though nothing says so

/** Messages to one instrument, one exchange at a time. */
export class Conversation implements AsyncDisposable {
  readonly lost: AbortSignal
  readonly #transport: MessageTransport
  readonly #manners: Manners
  readonly #queue = new ExchangeQueue()
  #readyAtMs = 0
  /** An answer was asked for and has not come. */
  #behind = false
  /** A stop is in the instrument's input buffer, which a device clear would empty. */
  #stopUnderWay = false
  readonly #marksOwed: MarksOwed
  #outOfStep = 0

  constructor(transport: MessageTransport, manners: Manners) {
    this.#transport = transport
    this.#manners = manners
    this.#marksOwed = new MarksOwed(manners.marker, manners.timeoutMs)
    this.lost = transport.lost
    this.#queue.closeWith(transport.lost)
  }

  /** Runs `work` with the instrument to itself: a set and the reading of its error belong together. `device`: which channel of it asks. */
  exchange<T>(lane: Lane, work: (line: Exchange) => Promise<T>, signal: AbortSignal, device?: string): Promise<T> {
    return this.#queue.exchange(
      lane,
      (inner, account) => {
        const line: Exchange = {
          send: async (command) => {
            await this.#comeIntoStep(inner, account.soFar)
            await waitFor(this.#readyAtMs - performance.now(), inner, account.soFar)
            account.soFar = 'POSSIBLE'
            await this.interject(command)
          },
          ask: async (question, reply, timeoutMs = this.#manners.timeoutMs) => {
            await this.#comeIntoStep(inner, account.soFar)
            return await this.#ask(question, reply, timeoutMs, inner, account.soFar)
          },
          pause: (milliseconds) => waitFor(milliseconds, inner, account.soFar),
          comeIntoStep: () => this.#comeIntoStep(inner, account.soFar),
        }
        return work(line)
      },
      signal,
      device,
    )
  }

  /** Sends a command now, beside whatever exchange is running; for commands that are not answered. Resolves once it is on its way. */
  async interject(command: string): Promise<void> {
    const { messageMs, setMs } = this.#manners.delays
    await this.#transport.send(command)
    this.#readyAtMs = performance.now() + messageMs + setMs
  }

  /** As interject, in this order, and makes void everything that was asked for before: it must not act after a stop. */
  async preempt(commands: readonly string[], reason: Problem): Promise<void> {
    this.#stopUnderWay = true
    const written = commands.map((command) => this.interject(command))
    this.#queue.preempt(reason)
    await Promise.all(written)
  }

  /** A device clear now, where the transport has one: an instrument that is busy measuring listens again. Commands that it has not obeyed yet are gone. */
  async clear(signal: AbortSignal): Promise<void> {
    await this.#transport.clear?.(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  async #ask(question: string, shape: RegExp, timeoutMs: number, signal: AbortSignal, soFar: SoFar): Promise<string> {
    await waitFor(this.#readyAtMs - performance.now(), signal, soFar)
    this.#transport.forget() // what came before the question is not its answer
    await this.#transport.send(question)
    const { messageMs, queryMs } = this.#manners.delays
    const askedAtMs = performance.now()
    let foreign: string | undefined
    for (;;) {
      const answer = await this.#transport.receive(askedAtMs + timeoutMs, signal)
      this.#readyAtMs = performance.now() + messageMs + queryMs
      if (answer === undefined) break
      if (shape.test(answer)) {
        this.#stopUnderWay = false
        return answer
      }
      foreign = answer
      if (this.#transport.matched) break
    }
    if (!signal.aborted && foreign !== undefined && this.#transport.matched)
      throw new HardwareFault(`${question} was answered by ${JSON.stringify(foreign.slice(0, 80))}, which is not an answer to it`, soFar)
    this.#behind = true
    this.#marksOwed.missed(shape, askedAtMs)
    if (this.lost.aborted) throw this.lost.reason
    if (signal.aborted) throw problemOf(signal, soFar)
    const seen = foreign === undefined ? '' : `; it said ${JSON.stringify(foreign.slice(0, 80))}`
    throw new DeadlineExceeded(`${question} was not answered within ${timeoutMs} ms${seen}`, timeoutMs, soFar)
  }

  async #comeIntoStep(signal: AbortSignal, soFar: SoFar): Promise<void> {
    if (!this.#behind) return
    try {
      if (this.#transport.clear !== undefined && !this.#stopUnderWay) {
        await this.#transport.clear(signal)
        this.#marksOwed.forget()
      } else await this.#findMark(signal, soFar)
      this.#behind = false
      this.#outOfStep = 0
    } catch (error) {
      if (signal.aborted) throw problemOf(signal, soFar)
      this.#outOfStep += 1
      if (this.#outOfStep >= LOST_AFTER) this.#transport.lose(`the instrument did not answer ${LOST_AFTER} times in a row`)
      throw error
    }
  }

  async #findMark(signal: AbortSignal, soFar: SoFar): Promise<void> {
    const { marker, timeoutMs } = this.#manners
    await this.#marksOwed.settle((deadlineMs, inner) => this.#transport.receive(deadlineMs, inner), signal, soFar)
    await this.#ask(marker.command, marker.reply, timeoutMs, signal, soFar)
  }
}
