import { DeadlineExceeded, HardwareFault, type Problem } from '../../core/errors.ts'
import { BusReader, type BytesShape } from './bus-reader.ts'
import type { ByteTransport } from './byte-transport.ts'
import { type Account, ExchangeQueue, type Lane, problemOf, type SoFar, waitFor } from './exchange-queue.ts'

/** A line that many devices share, each at its address: one command outstanding, and every reply begins with the address of who says it. */
export type BusProtocol = {
  readonly replyTerminator: string
  readonly timeoutMs: number
  /** Between the end of a reply and the next command. */
  readonly gapMs: number
  /** Bytes that make every receiver forget half a command. */
  readonly reset: string
  /**
   * A harmless question to one device whose answer is always the same and like no other. After a reply that did not come in time that device is out of
   * step; it is asked and whatever the device says before its answer thrown away, since a device answers in order.
   */
  readonly marker: (address: string) => { readonly command: string; readonly reply: RegExp }
  /** What a device may say in the place of the marker's answer: it is busy, or reports an error that nobody has asked for yet. */
  readonly instead: (address: string) => RegExp
}

/** What may be done while the bus is ours. Commands are whole: with the address before them. */
export interface BusExchange {
  /** Sends a question and waits for a line of the shape `reply`. What other lines say goes to those who listen. */
  ask(command: string, reply: RegExp, timeoutMs?: number): Promise<string>
  /** As ask, for what acts: without an answer the hardware may have done it. */
  tell(command: string, reply: RegExp, timeoutMs?: number): Promise<string>
  /** Sends a command whose answer comes later, to who listens; what comes within `withinMs` is returned. */
  start(command: string, reply: RegExp, withinMs: number): Promise<string | undefined>
  /** As tell, for an answer of `length` bytes after `header`, whatever bytes they are, or a line in its place. */
  tellForBytes(command: string, answer: BytesShape, timeoutMs: number): Promise<Uint8Array | string>
  pause(milliseconds: number): Promise<void>
  /** The device may have said something that answers nothing: what it says next must be sorted out first. */
  doubt(): void
}

const MARKS = 3 // no more answers than that are ever owed: to a question, to a stop, and a move's end
const SILENT_AFTER = 2 // markers in a row without an answer: one may be lost on a noisy line
const SILENT_FOR_MS = 2000 // a device that does not answer at all is not asked again before: its neighbours need the bus

export class BusLine implements AsyncDisposable {
  readonly lost: AbortSignal
  readonly #transport: ByteTransport
  readonly #protocol: BusProtocol
  readonly #queue = new ExchangeQueue()
  readonly #reader: BusReader
  readonly #listeners = new Map<string, (line: string) => void>()
  /** Who still owes an answer. */
  readonly #behind = new Set<string>()
  readonly #silent = new Map<string, { readonly marks: number; readonly untilMs: number }>()
  #readyAtMs = 0

  constructor(transport: ByteTransport, protocol: BusProtocol) {
    this.#transport = transport
    this.#protocol = protocol
    this.#reader = new BusReader(protocol.replyTerminator, (line) => this.#listeners.get(line.slice(0, 1))?.(line))
    this.lost = transport.lost
    transport.onBytes((bytes) => {
      this.#reader.take(bytes, performance.now())
      this.#readyAtMs = performance.now() + protocol.gapMs
    })
    this.#queue.closeWith(transport.lost)
  }

  /** Whole lines of this address that answer no question: the end of a move, a late reply. Returns how to end listening. */
  listen(address: string, listener: (line: string) => void): () => void {
    this.#listeners.set(address, listener)
    return () => {
      if (this.#listeners.get(address) === listener) this.#listeners.delete(address)
    }
  }

  /** Runs `work` with the bus to itself, for the device at `address`. */
  exchange<T>(address: string, lane: Lane, work: (bus: BusExchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#queue.exchange(
      lane,
      async (inner, account) => {
        if (lane === 'read') this.#refuseSilent(address)
        await this.#comeIntoStep(address, inner)
        return await work(this.#turn(address, account, inner))
      },
      signal,
      address,
    )
  }

  /** Puts a command on the wire now, beside whatever exchange is running. Its answer goes to who listens. */
  async interject(address: string, command: string): Promise<void> {
    this.#behind.add(address)
    await this.#write(command)
  }

  /** As interject, and makes void everything that was asked for before: it must not act after a stop. */
  async preempt(address: string, command: string, reason: Problem): Promise<void> {
    const written = this.interject(address, command)
    this.#queue.preempt(reason)
    await written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  #turn(address: string, account: Account, signal: AbortSignal): BusExchange {
    const { timeoutMs } = this.#protocol
    const tell = async <T>(command: string, hear: (deadlineMs: number) => Promise<T | undefined>, within: number): Promise<T> => {
      await this.#ready(signal, account.soFar)
      account.soFar = 'POSSIBLE'
      return await this.#answered(address, command, hear, within, signal, 'POSSIBLE')
    }
    return {
      ask: async (command, reply, within = timeoutMs) => {
        await this.#ready(signal, account.soFar)
        return await this.#answered(address, command, (deadlineMs) => this.#reader.line(reply, deadlineMs, signal), within, signal, account.soFar)
      },
      tell: (command, reply, within = timeoutMs) => tell(command, (deadlineMs) => this.#reader.line(reply, deadlineMs, signal), within),
      start: async (command, reply, withinMs) => {
        await this.#ready(signal, account.soFar)
        account.soFar = 'POSSIBLE'
        const line = await this.#said(command, (deadlineMs) => this.#reader.line(reply, deadlineMs, signal), withinMs)
        if (line === undefined && signal.aborted) throw this.#givenUp(address, signal, 'POSSIBLE')
        return line
      },
      tellForBytes: (command, answer, within) => tell(command, (deadlineMs) => this.#reader.bytes(answer, deadlineMs, signal), within),
      pause: (milliseconds) => waitFor(milliseconds, signal, account.soFar),
      doubt: () => this.#behind.add(address),
    }
  }

  async #answered<T>(
    address: string,
    command: string,
    hear: (deadlineMs: number) => Promise<T | undefined>,
    withinMs: number,
    signal: AbortSignal,
    soFar: SoFar,
  ): Promise<T> {
    const heard = await this.#said(command, hear, withinMs)
    if (heard !== undefined) return heard
    if (signal.aborted) throw this.#givenUp(address, signal, soFar)
    this.#behind.add(address)
    throw new DeadlineExceeded(`${command} was not answered within ${withinMs} ms${this.#reader.seen()}`, withinMs, soFar)
  }

  /** Sends a command; what is said to it within this time. */
  async #said<T>(command: string, hear: (deadlineMs: number) => Promise<T | undefined>, withinMs: number): Promise<T | undefined> {
    this.#reader.forgetStale(performance.now())
    const answer = hear(performance.now() + withinMs) // before the bytes go out: nothing that is said meanwhile is missed
    await this.#write(command)
    return await answer
  }

  /** Until nothing can come any more that this device was asked for earlier. */
  async #comeIntoStep(address: string, signal: AbortSignal): Promise<void> {
    if (!this.#behind.has(address)) return
    const { marker, instead, reset, timeoutMs } = this.#protocol
    const { command, reply } = marker(address)
    const either = new RegExp(`${reply.source}|${instead(address).source}`)
    for (let times = 0; times < MARKS; times += 1) {
      await this.#ready(signal, 'NONE')
      const line = await this.#answered(
        address,
        reset + command,
        (deadlineMs) => this.#reader.line(either, deadlineMs, signal),
        timeoutMs,
        signal,
        'NONE',
      ).catch((error: unknown) => {
        if (!(error instanceof DeadlineExceeded)) throw error
        this.#noteSilence(address)
        throw new HardwareFault(`the device at address ${address} does not answer ${command}`, 'NONE')
      })
      if (reply.test(line)) break
      this.#listeners.get(address)?.(line)
    }
    this.#silent.delete(address)
    this.#behind.delete(address)
  }

  #noteSilence(address: string): void {
    const marks = (this.#silent.get(address)?.marks ?? 0) + 1
    this.#silent.set(address, { marks, untilMs: marks >= SILENT_AFTER ? performance.now() + SILENT_FOR_MS : 0 })
  }

  #refuseSilent(address: string): void {
    if (performance.now() < (this.#silent.get(address)?.untilMs ?? 0))
      throw new HardwareFault(`the device at address ${address} did not answer; it is asked again every ${SILENT_FOR_MS} ms`, 'NONE')
  }

  async #ready(signal: AbortSignal, soFar: SoFar): Promise<void> {
    await waitFor(this.#readyAtMs - performance.now(), signal, soFar)
  }

  #write(command: string): Promise<void> {
    return this.#transport.write(Buffer.from(command, 'latin1'))
  }

  #givenUp(address: string, signal: AbortSignal, soFar: SoFar): Problem {
    this.#behind.add(address)
    return problemOf(signal, soFar)
  }
}
