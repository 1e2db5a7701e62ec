import { HardwareFault } from '../../core/errors.ts'
import { Turns } from '../../core/turns.ts'
import type { ByteTransport } from '../transport/byte-transport.ts'
import { problemOf, waitFor } from '../transport/exchange-queue.ts'
import { patience } from '../transport/patience.ts'
import { silence, untilAborted, wordsOf } from './answer.ts'
import type { RegisterBus } from './bus.ts'
import { framed, isWhole } from './crc.ts'
import { EXCEPTION_BIT, EXCEPTION_LENGTH, type Request, readRequest, type Table } from './pdu.ts'

/** Modbus RTU: unit, PDU and CRC, frames apart by silence. "MODBUS over Serial Line V1.02", 2.5. */

export type RtuLine = {
  /** For messages. */
  readonly path: string
  readonly baudRate: number
  /** With start bit, parity and stop bits. */
  readonly bitsPerCharacter: number
}

const FRAME_BYTES = 3 // unit and CRC around a PDU
const MAX_HELD_BYTES = 1024 // four of the longest frames: a line at the wrong rate must not fill memory
const FAST_BAUD = 19_200
const FAST_GAP_MS = 1.75 // 2.5.1.1: above 19 200 baud the silence is no shorter
const CHARACTERS_APART = 3.5
const LET_ANSWER_MS = 50 // a device that was asked and given up on may be about to answer; a stop waits no longer for it
const MAX_QUIET_MS = 500 // longer than the longest frame at 9600 baud; a line that is never silent is spoken on all the same, for a stop's sake
const OWED_TIMES = 2 // time-outs after which an answer that is owed never comes
/** Questions that change nothing, one for each function, to find out what was answered. */
const MARKERS: readonly Table[] = ['input', 'holding', 'discrete', 'coil']

/** A request that was not answered: its answer may come when another is awaited, and nothing on the line says to which it belongs. */
type Owed = { readonly unit: number; readonly code: number; readonly untilMs: number }
type Awaited = { readonly unit: number; readonly request: Request; readonly settle: (pdu: Uint8Array) => void }

export function overSerial(transport: ByteTransport, line: RtuLine): RegisterBus {
  return new RtuBus(transport, line)
}

export function charactersMs(line: RtuLine, characters: number): number {
  return (characters * line.bitsPerCharacter * 1000) / line.baudRate
}

export function silenceMs(line: RtuLine): number {
  return line.baudRate > FAST_BAUD ? FAST_GAP_MS : charactersMs(line, CHARACTERS_APART)
}

class RtuBus implements RegisterBus {
  readonly lost: AbortSignal
  readonly #transport: ByteTransport
  readonly #line: RtuLine
  /** A stop begins while the exchange that it interrupts still ends. */
  readonly #turns = new Turns()
  #owed: Owed[] = []
  #held = Buffer.alloc(0)
  #awaited: Awaited | undefined
  #busyUntilMs = 0
  /** Set while an answer is on its way that nobody awaits any more. */
  #givenUpAtMs: number | undefined

  constructor(transport: ByteTransport, line: RtuLine) {
    this.#transport = transport
    this.#line = line
    this.lost = transport.lost
    transport.onBytes((bytes) => this.#take(bytes))
  }

  async ask(unit: number, request: Request, timeoutMs: number, signal: AbortSignal, onSent?: () => void): Promise<readonly number[]> {
    if (this.lost.aborted) throw this.lost.reason
    // A stop, which says when it is sent, waits for no earlier answer: its own repeats the request.
    if (onSent === undefined) await this.#comeIntoStep(unit, timeoutMs, signal)
    const reply = await this.#turns.take(() => this.#exchange(unit, request, timeoutMs, signal, onSent))
    return wordsOf(request, reply, this.#line.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  async #exchange(unit: number, request: Request, timeoutMs: number, signal: AbortSignal, onSent?: () => void): Promise<Uint8Array> {
    await this.#quiet(signal)
    this.#held = Buffer.alloc(0) // what came before the question is not its answer
    const frame = framed(unit, request.pdu)
    const onWireMs = charactersMs(this.#line, frame.length + request.replyLength + FRAME_BYTES)
    const owed = { unit, code: request.pdu[0] ?? 0, untilMs: performance.now() + onWireMs + OWED_TIMES * timeoutMs }
    let endWaiting: (() => void) | undefined
    let answered = false
    try {
      const reply = new Promise<Uint8Array>((resolve, reject) => {
        this.#awaited = { unit, request, settle: resolve }
        endWaiting = patience(timeoutMs + onWireMs, () => reject(this.#silent(request, timeoutMs)))
      })
      const written = this.#transport.write(frame).then(() => {
        this.#busyUntilMs = performance.now() + charactersMs(this.#line, frame.length)
        onSent?.()
        return reply
      })
      const pdu = await untilAborted(Promise.race([reply, written]), [this.lost, signal], request)
      answered = true
      return pdu
    } finally {
      endWaiting?.()
      this.#awaited = undefined
      this.#givenUpAtMs = answered ? undefined : performance.now()
      if (!answered) this.#owed = [...this.#stillOwed(), owed]
    }
  }

  #stillOwed(): Owed[] {
    return this.#owed.filter(({ untilMs }) => untilMs > performance.now())
  }

  #silent(request: Request, timeoutMs: number): Error {
    if (this.#held.length === 0) return silence(request, this.#line.path, timeoutMs)
    const seen = Buffer.from(this.#held.subarray(0, 16)).toString('hex')
    return new HardwareFault(
      `${this.#line.path}: ${request.what}: ${this.#held.length} bytes came that are no whole reply (${seen}${this.#held.length > 16 ? '…' : ''})`,
      request.acts ? 'POSSIBLE' : 'NONE',
    )
  }

  /** Frames are apart by silence, and a device that is about to answer is not interrupted. */
  async #quiet(signal: AbortSignal): Promise<void> {
    if (this.#givenUpAtMs !== undefined) {
      const untilMs = this.#givenUpAtMs + LET_ANSWER_MS
      const quietSinceMs = this.#busyUntilMs
      while (performance.now() < untilMs && this.#busyUntilMs === quietSinceMs) await waitFor(Math.min(2, untilMs - performance.now()), signal, 'NONE')
      this.#givenUpAtMs = undefined
    }
    const givenUpMs = performance.now() + MAX_QUIET_MS
    for (;;) {
      const leftMs = Math.min(this.#busyUntilMs + silenceMs(this.#line), givenUpMs) - performance.now()
      if (leftMs <= 0) break
      await waitFor(leftMs, signal, 'NONE')
    }
    if (signal.aborted) throw problemOf(signal, 'NONE')
  }

  /** Until nothing can come any more from this unit that could be taken for the answer to a new question: a device answers in order. */
  async #comeIntoStep(unit: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#owed = this.#stillOwed()
    const codes = new Set(this.#owed.filter((owed) => owed.unit === unit).map(({ code }) => code))
    if (codes.size === 0) return
    const marker = MARKERS.map((table) => readRequest(table, 0, 1)).find(({ pdu }) => !codes.has(pdu[0] ?? 0))
    if (marker === undefined) await waitFor(Math.max(...this.#owed.map(({ untilMs }) => untilMs)) - performance.now(), signal, 'NONE')
    else await this.#turns.take(() => this.#exchange(unit, marker, timeoutMs, signal)) // an exception will do
    this.#owed = this.#owed.filter((owed) => owed.unit !== unit)
  }

  #take(bytes: Uint8Array): void {
    this.#busyUntilMs = performance.now()
    this.#held = Buffer.concat([this.#held, bytes]).subarray(-MAX_HELD_BYTES)
    const awaited = this.#awaited
    const pdu = awaited && replyIn(this.#held, awaited.unit, awaited.request)
    if (pdu !== undefined) awaited?.settle(pdu)
  }
}

/** The reply among what has come, wherever it begins: noise may stand before it. */
export function replyIn(held: Uint8Array, unit: number, request: Request): Uint8Array | undefined {
  const code = request.pdu[0] ?? 0
  for (let from = 0; from + EXCEPTION_LENGTH + FRAME_BYTES <= held.length; from += 1) {
    if (held[from] !== unit) continue
    const exception = held[from + 1] === (code | EXCEPTION_BIT)
    if (!exception && held[from + 1] !== code) continue
    const frame = held.subarray(from, from + FRAME_BYTES + (exception ? EXCEPTION_LENGTH : request.replyLength))
    const pdu = frame.subarray(1, -2)
    if (isWhole(frame) && (exception ? pdu.length === EXCEPTION_LENGTH : request.decode(pdu) !== undefined)) return Uint8Array.from(pdu)
  }
  return undefined
}
