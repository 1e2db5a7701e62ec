import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { int32, type Message, MessageReader, message } from '../../../local/database/framing.ts'

/** Speaks the protocol message by message, as no driver does: to send halves of what belongs together. */
export class RawClient {
  readonly #socket: Socket
  readonly #reader = new MessageReader()
  readonly #messages: Message[] = []
  #wake: (() => void) | undefined
  closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#reader.startupDone()
    socket.on('data', (chunk) => {
      this.#reader.push(chunk)
      for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) this.#messages.push(next)
      this.#wake?.()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      this.#wake?.()
    })
  }

  static async open(path: string, options: Record<string, string> = {}): Promise<RawClient> {
    const client = await RawClient.bare(path)
    client.send(startup({ user: 'postgres', database: 'postgres', ...options }))
    await client.until('Z')
    return client
  }

  static async bare(path: string): Promise<RawClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(...messages: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(messages))
  }

  /** Everything up to and with the next message of this type. */
  async until(type: string): Promise<Message[]> {
    for (;;) {
      const at = this.#messages.findIndex((message) => message.type === type)
      if (at >= 0) return this.#messages.splice(0, at + 1)
      if (this.closed)
        throw new Error(`closed before ${type}; had ${this.#messages.map((message) => message.type + message.bytes.toString('utf8', 5)).join(' | ')}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async end(): Promise<void> {
    if (this.closed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }
}

export function startup(parameters: Record<string, string>): Buffer {
  const texts = Object.entries(parameters).flatMap(([name, value]) => [Buffer.from(`${name}\0`), Buffer.from(`${value}\0`)])
  const body = Buffer.concat([int32(196608), ...texts, Buffer.of(0)])
  return Buffer.concat([int32(body.length + 4), body])
}

const int16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff)

export const parse = (name: string, sql: string): Buffer => message('P', name, sql, int16(0))
export const bind = (statement: string, portal = ''): Buffer => message('B', portal, statement, int16(0), int16(0), int16(0))
export const execute = (portal = ''): Buffer => message('E', portal, int32(0))
export const describeStatement = (name: string): Buffer => message('D', Buffer.from('S'), name)
export const query = (sql: string): Buffer => message('Q', sql)
export const sync = message('S')
export const flush = message('H')
