import { DeviceOffline } from '../../core/errors.ts'
import type { ByteTransport } from '../transport/byte-transport.ts'
import { blockAt } from './block.ts'
import { Inbox } from './inbox.ts'
import { MAX_MESSAGE_BYTES, type MessageTransport } from './message-transport.ts'

/** Messages on a line of bytes (a raw TCP socket, a serial port), each ended by a terminator. */
export class LineMessages implements MessageTransport {
  readonly matched = false
  readonly lost: AbortSignal
  readonly #transport: ByteTransport
  readonly #name: string
  readonly #sendTerminator: string
  readonly #inbox = new Inbox()
  readonly #cutter: MessageCutter
  readonly #lost = new AbortController()

  /** `name`: of the place, for people. */
  constructor(transport: ByteTransport, terminator: { readonly send: string; readonly reply: string }, name: string) {
    this.#transport = transport
    this.#name = name
    this.#sendTerminator = terminator.send
    this.#cutter = new MessageCutter(terminator.reply)
    this.lost = this.#lost.signal
    const onLost = (): void => this.#lost.abort(transport.lost.reason)
    if (transport.lost.aborted) onLost()
    else transport.lost.addEventListener('abort', onLost, { once: true })
    transport.onBytes((bytes) => this.#inbox.put(...this.#cutter.take(bytes)))
  }

  send(message: string): Promise<void> {
    return this.#transport.write(Buffer.from(message + this.#sendTerminator, 'latin1'))
  }

  receive(deadlineMs: number, signal: AbortSignal): Promise<string | undefined> {
    return this.#inbox.next(deadlineMs, signal)
  }

  forget(): void {
    this.#inbox.clear()
    this.#cutter.clear()
  }

  lose(why: string): void {
    if (!this.lost.aborted) this.#lost.abort(new DeviceOffline(`${this.#name}: ${why}`, {}))
    void this.#transport[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }
}

/** Cuts bytes into messages. The bytes of a block (IEEE 488.2, 8.7.9) at the start of a message may be anything, a terminator too. */
export class MessageCutter {
  readonly #terminator: string
  #partial = ''

  constructor(terminator: string) {
    this.#terminator = terminator
  }

  take(bytes: Uint8Array): readonly string[] {
    this.#partial += Buffer.from(bytes).toString('latin1')
    const messages: string[] = []
    for (let message = this.#cut(); message !== undefined; message = this.#cut()) if (message !== '') messages.push(message)
    if (this.#partial.length > MAX_MESSAGE_BYTES) this.#partial = ''
    return messages
  }

  clear(): void {
    this.#partial = ''
  }

  #cut(): string | undefined {
    const block = blockAt(this.#partial)
    if (block === 'more') return undefined
    const from = block === undefined ? 0 : block.start + block.length
    const end = this.#partial.indexOf(this.#terminator, from)
    if (end < 0) return undefined
    const message = this.#partial.slice(0, end)
    this.#partial = this.#partial.slice(end + this.#terminator.length)
    return block === undefined ? message.trim() : message
  }
}
