import { DeadlineExceeded, HardwareFault, Problem } from '../core/errors.ts'
import type { ByteTransport } from './byte-transport.ts'
import { ExchangeQueue, type Lane, problemOf, waitFor } from './exchange-queue.ts'

export type LineProtocol = {
  /** Ends what we send, and what the instrument sends. */
  readonly sendTerminator: string
  readonly replyTerminator: string
  readonly timeoutMs: number
  /** The instrument needs this long after each command before the next one. */
  readonly gapMs: number
  /**
   * A harmless question whose answer cannot be mistaken for another. After a reply that did not come in time the line is out of step; it is asked
   * and everything before its answer thrown away, since an instrument answers in order.
   */
  readonly marker: { readonly command: string; readonly reply: RegExp }
}

/** What may be done while the line is ours. */
export interface Exchange {
  /** Sends a command that is not answered. */
  send(command: string): Promise<void>
  /** Sends a question and waits for a line of the shape `reply`; lines of another shape are not ours and are skipped. */
  ask(command: string, reply: RegExp, timeoutMs?: number): Promise<string>
  /** For an instrument that needs time, as the manual says. */
  pause(milliseconds: number): Promise<void>
}

const MAX_LINE_BYTES = 1024 // the longest documented reply has 60; a stuck or wrong-baud line must not fill memory
const SECOND_MARKER_MS = 500 // a marker's answer that follows an owed one of the same shape comes right behind it
const MAX_STORED_LINES = 64 // lines that nobody has asked for yet

/** Text lines over bytes, one exchange at a time. */
export class SerialLine implements AsyncDisposable {
  readonly lost: AbortSignal
  readonly #transport: ByteTransport
  readonly #protocol: LineProtocol
  readonly #queue = new ExchangeQueue()
  readonly #lines: string[] = []
  #partial = ''
  #arrived: (() => void) | undefined
  /** Shapes of replies that were asked for and have not come. */
  #owed: RegExp[] = []
  #freeAtMs = 0

  constructor(transport: ByteTransport, protocol: LineProtocol) {
    this.#transport = transport
    this.#protocol = protocol
    this.lost = transport.lost
    transport.onBytes((bytes) => this.#take(bytes))
    const onLost = (): void => this.#queue.close(transport.lost.reason)
    if (transport.lost.aborted) onLost()
    else transport.lost.addEventListener('abort', onLost, { once: true })
  }

  /** Runs `work` with the line to itself: a set and the reading of its error belong together. */
  exchange<T>(lane: Lane, work: (line: Exchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#queue.run(
      lane,
      async (inner) => {
        if (this.#owed.length > 0) await this.#comeIntoStep(inner)
        let acted = false
        const line: Exchange = {
          send: async (command) => {
            await waitFor(this.#freeAtMs - performance.now(), inner, acted ? 'POSSIBLE' : 'NONE')
            acted = true
            await this.#write(command, inner, acted)
          },
          ask: async (command, reply, timeoutMs = this.#protocol.timeoutMs) => {
            this.#lines.length = 0
            this.#partial = ''
            await this.#write(command, inner, acted)
            return await this.#reply(command, reply, timeoutMs, inner, acted)
          },
          pause: (milliseconds) => waitFor(milliseconds, inner, acted ? 'POSSIBLE' : 'NONE'),
        }
        try {
          return await work(line)
        } catch (error) {
          throw acted && error instanceof Problem && error.code === 'DEVICE_OFFLINE' ? error.with({ effect: 'POSSIBLE' }) : error
        }
      },
      signal,
    )
  }

  ask(lane: Lane, command: string, reply: RegExp, signal: AbortSignal, timeoutMs?: number): Promise<string> {
    return this.exchange(lane, (line) => line.ask(command, reply, timeoutMs), signal)
  }

  /** Puts a command on the wire now, beside whatever exchange is running; for commands that are not answered. Resolves once it is written. */
  interject(command: string): Promise<void> {
    return this.#transport.write(this.#encode(command))
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

  #encode(command: string): Uint8Array {
    return Buffer.from(command + this.#protocol.sendTerminator, 'latin1')
  }

  async #write(command: string, signal: AbortSignal, acted: boolean): Promise<void> {
    await waitFor(this.#freeAtMs - performance.now(), signal, acted ? 'POSSIBLE' : 'NONE')
    await this.#transport.write(this.#encode(command))
    this.#freeAtMs = performance.now() + this.#protocol.gapMs
  }

  async #reply(command: string, shape: RegExp, timeoutMs: number, signal: AbortSignal, acted: boolean): Promise<string> {
    const deadline = performance.now() + timeoutMs
    let foreign: string | undefined
    try {
      for (;;) {
        const line = this.#lines.shift()
        if (line !== undefined) {
          if (shape.test(line)) return line
          foreign = line
          continue
        }
        const left = deadline - performance.now()
        if (left <= 0) {
          const seen = foreign === undefined ? '' : `; it said ${JSON.stringify(foreign)}`
          throw new DeadlineExceeded(`${command} was not answered within ${timeoutMs} ms${seen}`, timeoutMs, acted ? 'POSSIBLE' : 'NONE')
        }
        await this.#nextLine(left, signal)
        if (signal.aborted) throw problemOf(signal, acted ? 'POSSIBLE' : 'NONE')
      }
    } catch (error) {
      this.#owed.push(shape)
      throw error
    }
  }

  async #comeIntoStep(signal: AbortSignal): Promise<void> {
    const { marker, timeoutMs } = this.#protocol
    // A reply still owed may look like the marker's: then it takes one more of that shape to be sure.
    const alike = this.#owed.filter((shape) => shape.source === marker.reply.source).length
    this.#lines.length = 0
    this.#partial = ''
    await this.#write(marker.command, signal, false)
    let deadline = performance.now() + timeoutMs
    let seen = 0
    while (seen <= alike && performance.now() < deadline) {
      const line = this.#lines.shift()
      if (line === undefined) await this.#nextLine(deadline - performance.now(), signal)
      else if (marker.reply.test(line)) {
        seen += 1
        deadline = Math.min(deadline, performance.now() + SECOND_MARKER_MS)
      }
      if (signal.aborted) {
        this.#owed.push(marker.reply)
        throw problemOf(signal, 'NONE')
      }
    }
    if (seen === 0) {
      this.#owed.push(marker.reply)
      this.#owed = this.#owed.slice(-MAX_STORED_LINES)
      throw new HardwareFault(`the instrument does not answer (${marker.command} within ${timeoutMs} ms)`, 'NONE')
    }
    this.#owed = []
  }

  #take(bytes: Uint8Array): void {
    this.#partial += Buffer.from(bytes).toString('latin1')
    const parts = this.#partial.split(this.#protocol.replyTerminator)
    this.#partial = (parts.pop() ?? '').slice(-MAX_LINE_BYTES)
    for (const part of parts) {
      const line = part.trim()
      if (line !== '') this.#lines.push(line)
    }
    if (this.#lines.length > MAX_STORED_LINES) this.#lines.splice(0, this.#lines.length - MAX_STORED_LINES)
    this.#arrived?.()
  }

  async #nextLine(withinMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#arrived = undefined
        resolve()
      }
      const timer = setTimeout(done, Math.max(0, withinMs))
      signal.addEventListener('abort', done, { once: true })
      this.#arrived = done
    })
  }
}
