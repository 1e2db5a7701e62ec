import type { ByteTransport } from '../byte-transport.ts'
import { blockAt } from './block.ts'
import { Inbox } from './inbox.ts'
import { MAX_MESSAGE_BYTES, type MessageTransport } from './message-transport.ts'

/** Messages on a line of bytes (a raw TCP socket, a serial port), each ended by a terminator. */
export class LineMessages implements MessageTransport {
  readonly matched = false
  readonly lost: AbortSignal
  readonly #transport: ByteTransport
  readonly #sendTerminator: string
  readonly #inbox = new Inbox()
  readonly #cutter: MessageCutter
  readonly #lose: (why: string) => void

  constructor(transport: ByteTransport & { lose?(why: string): void }, terminator: { readonly send: string; readonly reply: string }) {
    this.#transport = transport
    this.#sendTerminator = terminator.send
    this.#cutter = new MessageCutter(terminator.reply)
    this.lost = transport.lost
    this.#lose = (why) => (transport.lose === undefined ? void transport[Symbol.asyncDispose]() : transport.lose(why))
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
    this.#lose(why)
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
