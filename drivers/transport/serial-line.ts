import { DeadlineExceeded, type Problem } from '../../core/errors.ts'
import type { ByteTransport } from './byte-transport.ts'
import { ExchangeQueue, type Lane, problemOf, type SoFar, waitFor } from './exchange-queue.ts'
import { LineReader } from './line-reader.ts'
import { type Marker, MarksOwed } from './marks-owed.ts'

export type LineProtocol = {
  /** Ends what we send, and what the instrument sends. */
  readonly sendTerminator: string
  readonly replyTerminator: string
  readonly timeoutMs: number
  /** After a command that is not answered the instrument needs this long before the next one. */
  readonly gapMs: number
  /**
   * After a reply that did not come in time the line is out of step; it is asked and everything before its answer thrown away, since an instrument answers
   * in order.
   */
  readonly marker: Marker
}

/** What may be done while the line is ours. */
export interface Exchange {
  /** Sends a command that is not answered. */
  send(command: string): Promise<void>
  /** Sends a question and waits for a line of the shape `reply`; lines of another shape are not ours and are skipped. */
  ask(command: string, reply: RegExp, timeoutMs?: number): Promise<string>
  /** As ask, for a command that is answered: when no answer comes, it may have acted. */
  act(command: string, reply: RegExp, timeoutMs?: number): Promise<string>
  /** For an instrument that needs time, as the manual says. */
  pause(milliseconds: number): Promise<void>
}

/** Text lines over bytes, one exchange at a time. */
export class SerialLine implements AsyncDisposable {
  readonly lost: AbortSignal
  readonly #transport: ByteTransport
  readonly #protocol: LineProtocol
  readonly #queue = new ExchangeQueue()
  readonly #lines: LineReader
  #readyAtMs = 0
  /** A reply was asked for and has not come. */
  #behind = false
  readonly #marksOwed: MarksOwed

  constructor(transport: ByteTransport, protocol: LineProtocol) {
    this.#transport = transport
    this.#protocol = protocol
    this.#marksOwed = new MarksOwed(protocol.marker, protocol.timeoutMs)
    this.#lines = new LineReader(protocol.replyTerminator)
    this.lost = transport.lost
    transport.onBytes((bytes) => this.#lines.take(bytes))
    this.#queue.closeWith(transport.lost)
  }

  /** Runs `work` with the line to itself: a set and the reading of its error belong together. `device`: which of those on a shared line asks. */
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
          ask: async (command, reply, timeoutMs = this.#protocol.timeoutMs) => {
            await this.#comeIntoStep(inner, account.soFar)
            return await this.#ask(command, reply, timeoutMs, inner, account.soFar)
          },
          act: async (command, reply, timeoutMs = this.#protocol.timeoutMs) => {
            await this.#comeIntoStep(inner, account.soFar)
            await waitFor(this.#readyAtMs - performance.now(), inner, account.soFar)
            account.soFar = 'POSSIBLE'
            return await this.#ask(command, reply, timeoutMs, inner, account.soFar)
          },
          pause: (milliseconds) => waitFor(milliseconds, inner, account.soFar),
        }
        return work(line)
      },
      signal,
      device,
    )
  }

  ask(lane: Lane, command: string, reply: RegExp, signal: AbortSignal, timeoutMs?: number, device?: string): Promise<string> {
    return this.exchange(lane, (line) => line.ask(command, reply, timeoutMs), signal, device)
  }

  /** Puts a command on the wire now, beside whatever exchange is running; for commands that are not answered. Resolves once it is written. */
  async interject(command: string): Promise<void> {
    await this.#write(command)
    this.#readyAtMs = performance.now() + this.#protocol.gapMs
  }

  /** As interject, and makes void everything that was asked for before: it must not act after a stop. */
  async preempt(command: string, reason: Problem): Promise<void> {
    const written = this.interject(command)
    this.#queue.preempt(reason)
    await written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  async #ask(command: string, shape: RegExp, timeoutMs: number, signal: AbortSignal, soFar: SoFar): Promise<string> {
    await waitFor(this.#readyAtMs - performance.now(), signal, soFar)
    this.#lines.forget() // what came before the question is not its answer
    await this.#write(command)
    const askedAtMs = performance.now()
    let foreign: string | undefined
    for (;;) {
      const line = await this.#lines.next(askedAtMs + timeoutMs, signal)
      if (line === undefined) break
      if (shape.test(line)) return line
      foreign = line
    }
    this.#behind = true
    this.#marksOwed.missed(shape, askedAtMs)
    if (signal.aborted) throw problemOf(signal, soFar)
    const seen = foreign === undefined ? '' : `; it said ${JSON.stringify(foreign)}`
    throw new DeadlineExceeded(`${command} was not answered within ${timeoutMs} ms${seen}`, timeoutMs, soFar)
  }

  #write(command: string): Promise<void> {
    return this.#transport.write(Buffer.from(command + this.#protocol.sendTerminator, 'latin1'))
  }

  /** Until nothing can come any more that was asked for earlier. */
  async #comeIntoStep(signal: AbortSignal, soFar: SoFar): Promise<void> {
    if (!this.#behind) return
    const { marker, timeoutMs } = this.#protocol
    await this.#marksOwed.settle((deadlineMs, inner) => this.#lines.next(deadlineMs, inner), signal, soFar)
    await this.#ask(marker.command, marker.reply, timeoutMs, signal, soFar)
    this.#behind = false
  }
}
