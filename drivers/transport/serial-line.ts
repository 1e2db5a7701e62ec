import { DeadlineExceeded, HardwareFault, Problem } from '../../core/errors.ts'
import type { ByteTransport } from './byte-transport.ts'
import { ExchangeQueue, type Lane, problemOf, waitFor } from './exchange-queue.ts'
import { LineReader } from './line-reader.ts'

export type LineProtocol = {
  /** Ends what we send, and what the instrument sends. */
  readonly sendTerminator: string
  readonly replyTerminator: string
  readonly timeoutMs: number
  /** After a command that is not answered the instrument needs this long before the next one. */
  readonly gapMs: number
  /**
   * A harmless question whose answer cannot be mistaken for another. After a reply that did not come in time the line is out of step; it is asked and
   * everything before its answer thrown away, since an instrument answers in order.
   */
  readonly marker: { readonly command: string; readonly reply: RegExp }
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

type SoFar = 'NONE' | 'POSSIBLE'

const GIVEN_UP_AFTER = 2 // time-outs: an answer that is still owed then never comes

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
  /** When answers of the marker's shape were asked for that have not come, the oldest first. */
  #marksOwed: number[] = []

  constructor(transport: ByteTransport, protocol: LineProtocol) {
    this.#transport = transport
    this.#protocol = protocol
    this.#lines = new LineReader(protocol.replyTerminator)
    this.lost = transport.lost
    transport.onBytes((bytes) => this.#lines.take(bytes))
    const onLost = (): void => this.#queue.close(transport.lost.reason)
    if (transport.lost.aborted) onLost()
    else transport.lost.addEventListener('abort', onLost, { once: true })
  }

  /** Runs `work` with the line to itself: a set and the reading of its error belong together. `device`: which of those on a shared line asks. */
  exchange<T>(lane: Lane, work: (line: Exchange) => Promise<T>, signal: AbortSignal, device?: string): Promise<T> {
    return this.#queue.run(
      lane,
      async (inner) => {
        let soFar: SoFar = 'NONE'
        const line: Exchange = {
          send: async (command) => {
            await this.#comeIntoStep(inner, soFar)
            await waitFor(this.#readyAtMs - performance.now(), inner, soFar)
            soFar = 'POSSIBLE'
            await this.interject(command)
          },
          ask: async (command, reply, timeoutMs = this.#protocol.timeoutMs) => {
            await this.#comeIntoStep(inner, soFar)
            return await this.#ask(command, reply, timeoutMs, inner, soFar)
          },
          act: async (command, reply, timeoutMs = this.#protocol.timeoutMs) => {
            await this.#comeIntoStep(inner, soFar)
            await waitFor(this.#readyAtMs - performance.now(), inner, soFar)
            soFar = 'POSSIBLE'
            return await this.#ask(command, reply, timeoutMs, inner, soFar)
          },
          pause: (milliseconds) => waitFor(milliseconds, inner, soFar),
        }
        try {
          return await work(line)
        } catch (error) {
          throw error instanceof Problem && error.code === 'DEVICE_OFFLINE' ? error.with({ effect: soFar }) : error
        }
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
    if (shape.source === this.#protocol.marker.reply.source) this.#marksOwed.push(askedAtMs)
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
    const deadlineMs = performance.now() + timeoutMs
    // An earlier marker's answer would be taken for the new one's: it comes first, or is given up.
    for (let [oldest] = this.#marksOwed; oldest !== undefined; [oldest] = this.#marksOwed) {
      const givenUpAtMs = oldest + GIVEN_UP_AFTER * timeoutMs
      const line = await this.#lines.next(Math.min(givenUpAtMs, deadlineMs), signal)
      if (signal.aborted) throw problemOf(signal, soFar)
      if (performance.now() >= givenUpAtMs || (line !== undefined && marker.reply.test(line))) this.#marksOwed.shift()
      else if (line === undefined) throw new HardwareFault(`the instrument does not answer ${marker.command}`, soFar)
    }
    await this.#ask(marker.command, marker.reply, timeoutMs, signal, soFar)
    this.#behind = false
  }
}
