import { setTimeout as pause } from 'node:timers/promises'
import { DeviceOffline, HardwareFault, messageOf, Problem } from '../../core/errors.ts'
import { Turns } from '../../core/turns.ts'
import { openUsbtmc as openDevice } from '../../native/devices.ts'
import type { UsbtmcDevice } from '../../native/types.ts'
import { MAX_MESSAGE_BYTES, type MessageTransport } from './message-transport.ts'

const WRITE_WITHIN_MS = 2000 // a command is taken in a frame of a millisecond; longer, and the instrument hangs
const READ_WITHIN_MS = 2000 // of a message that the instrument says is there
const MESSAGE_AVAILABLE = 16 // of the status byte (IEEE 488.2, 11.2.1.2)
const FIRST_LOOK_MS = 1
const LONGEST_LOOK_MS = 20 // between two looks at the status byte of an instrument that is measuring

export type UsbtmcOptions = {
  /** e.g. /dev/usbtmc0 */
  readonly path: string
  /** Whether the instrument tells by its status byte that an answer is there. If it does not, a read keeps everything else waiting until its time-out. */
  readonly statusByte: boolean
}

/**
 * Messages through the kernel's usbtmc driver. Its read blocks, and blocks every other call while it waits; so nothing is read before the status byte says
 * that a message is there, and a stop is written between two looks at it.
 */
export async function openUsbtmc({ path, statusByte }: UsbtmcOptions, signal: AbortSignal): Promise<MessageTransport> {
  signal.throwIfAborted()
  try {
    return new UsbtmcMessages(openDevice(path), path, statusByte)
  } catch (error) {
    throw error instanceof Problem ? error : new DeviceOffline(messageOf(error), {})
  }
}

class UsbtmcMessages implements MessageTransport {
  readonly matched = true
  readonly lost: AbortSignal
  readonly #device: UsbtmcDevice
  readonly #path: string
  readonly #looksAtStatus: boolean
  readonly #lost = new AbortController()
  /** The thread pool keeps no order. */
  readonly #turns = new Turns()

  constructor(device: UsbtmcDevice, path: string, looksAtStatus: boolean) {
    this.#device = device
    this.#path = path
    this.#looksAtStatus = looksAtStatus
    this.lost = this.#lost.signal
  }

  async send(message: string): Promise<void> {
    await this.#call(() => this.#device.write({ message: Buffer.from(`${message}\n`, 'latin1'), timeoutMs: WRITE_WITHIN_MS }))
  }

  async receive(deadlineMs: number, signal: AbortSignal): Promise<string | undefined> {
    let lookAgainMs = FIRST_LOOK_MS
    while (!signal.aborted && performance.now() < deadlineMs) {
      const there = !this.#looksAtStatus || ((await this.#call(() => this.#device.statusByte())) & MESSAGE_AVAILABLE) !== 0
      if (there && !signal.aborted) {
        const timeoutMs = this.#looksAtStatus ? READ_WITHIN_MS : Math.ceil(Math.max(1, deadlineMs - performance.now()))
        const bytes = await this.#call(() => this.#device.read({ maximumBytes: MAX_MESSAGE_BYTES, timeoutMs }))
        if (bytes !== undefined)
          return Buffer.from(bytes)
            .toString('latin1')
            .replace(/\r?\n$/, '')
      }
      await pause(Math.min(lookAgainMs, Math.max(0, deadlineMs - performance.now())), undefined, { signal }).catch(() => undefined) // aborted: the loop ends
      lookAgainMs = Math.min(LONGEST_LOOK_MS, 2 * lookAgainMs)
    }
    return undefined
  }

  forget(): void {
    // nothing is kept here: what was not read is still in the instrument, which throws it away at the next message (IEEE 488.2, 6.3.2.3)
  }

  async clear(): Promise<void> {
    await this.#call(() => this.#device.clear())
  }

  lose(why: string): void {
    if (!this.lost.aborted) this.#lost.abort(new DeviceOffline(`${this.#path}: ${why}`, {}))
    this.#device.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lose('closed')
    await this.#turns.take(async () => undefined) // what is under way ends within its time-out
  }

  /** One after the other, in the order of asking. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    return await this.#turns.take(async () => {
      if (this.lost.aborted) throw this.lost.reason
      try {
        return await work()
      } catch (error) {
        if (this.lost.aborted) throw this.lost.reason
        const message = messageOf(error)
        if (!isGone(error)) throw new HardwareFault(message, 'POSSIBLE', {}, { cause: error })
        this.lose(message)
        throw this.lost.reason
      }
    })
  }
}

/** ENODEV, ENXIO, EIO, ESHUTDOWN, EPROTO: the kernel's words for an instrument that was unplugged. Of a stall (EPIPE) and a time-out it recovers. */
const GONE: ReadonlySet<number> = new Set([19, 6, 5, 108, 71])

function isGone(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' && GONE.has(error.errno)
}
