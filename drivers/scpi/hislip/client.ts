import { DeadlineExceeded, DeviceOffline, HardwareFault, Problem } from '../../../core/errors.ts'
import { patience } from '../../transport/patience.ts'
import { openTcp, type TcpTransport } from '../../transport/tcp-transport.ts'
import { Inbox } from '../inbox.ts'
import { MAX_MESSAGE_BYTES, type MessageTransport } from '../message-transport.ts'
import {
  ANY_MESSAGE_ID,
  DELIVERED,
  Decoder,
  ERRORS,
  encode,
  FATAL_ERRORS,
  FIRST_MESSAGE_ID,
  HEADER_BYTES,
  type HislipMessage,
  nextMessageId,
  OVERLAPPED,
  readSize,
  sizePayload,
  TYPE,
  VERSION,
} from './protocol.ts'

const HANDSHAKE_WITHIN_MS = 3000 // the protocol's own answers need no measurement
const VENDOR_ID = 0x4b59 // two letters that say who the client is (6.2)
const SMALLEST_MESSAGE_BYTES = 64 // a server that takes less cannot take a command

export type HislipPlace = { readonly host: string; readonly port: number; readonly name: string }

/** Opens both channels and agrees on synchronised mode. Throws DeviceOffline when nobody is there, or not with HiSLIP. */
export async function openHislip(place: HislipPlace, signal: AbortSignal): Promise<MessageTransport> {
  const synchronous = await Channel.open(place, signal)
  try {
    const asynchronous = await Channel.open(place, signal)
    try {
      const link = new HislipLink(synchronous, asynchronous)
      await link.initialise(place.name, signal)
      return link
    } catch (error) {
      await asynchronous[Symbol.asyncDispose]()
      throw error
    }
  } catch (error) {
    await synchronous[Symbol.asyncDispose]()
    throw error
  }
}

class HislipLink implements MessageTransport {
  readonly matched = true
  readonly lost: AbortSignal
  readonly #synchronous: Channel
  readonly #asynchronous: Channel
  readonly #lost = new AbortController()
  readonly #inbox = new Inbox()
  #messageId = FIRST_MESSAGE_ID
  #sentId: number | undefined
  /** Of a response whose end has not come. */
  #partial: Uint8Array[] = []
  #partialBytes = 0
  #delivered = false
  #clearing = false
  /** What the instrument said of our last message instead of answering it. */
  #refused: string | undefined
  #maximumPayload = MAX_MESSAGE_BYTES

  constructor(synchronous: Channel, asynchronous: Channel) {
    this.#synchronous = synchronous
    this.#asynchronous = asynchronous
    this.lost = this.#lost.signal
    for (const channel of [synchronous, asynchronous]) {
      const onLost = (): void => {
        if (this.lost.aborted) return
        this.#lost.abort(channel.lost.reason)
        for (const each of [synchronous, asynchronous]) each.lose('the other channel was lost')
      }
      if (channel.lost.aborted) onLost()
      else channel.lost.addEventListener('abort', onLost, { once: true })
    }
    synchronous.onMessage((message) => this.#taken(message))
    asynchronous.onMessage((message) => {
      if (message.type === TYPE.asyncInterrupted) this.forget()
    })
  }

  async initialise(name: string, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + HANDSHAKE_WITHIN_MS
    const version = (VERSION << 16) | VENDOR_ID
    const opened = await this.#synchronous.ask(encode(TYPE.initialize, 0, version, Buffer.from(name, 'latin1')), TYPE.initializeResponse, deadline, signal)
    await this.#asynchronous.ask(encode(TYPE.asyncInitialize, 0, opened.parameter & 0xffff), TYPE.asyncInitializeResponse, deadline, signal)
    const size = encode(TYPE.asyncMaximumMessageSize, 0, 0, sizePayload(MAX_MESSAGE_BYTES))
    const maximum = readSize((await this.#asynchronous.ask(size, TYPE.asyncMaximumMessageSizeResponse, deadline, signal)).payload)
    if (maximum === undefined || maximum < SMALLEST_MESSAGE_BYTES) throw this.#offline('does not say how long a message may be')
    // Servers differ in whether the header counts; a payload that is shorter by it is right for both.
    this.#maximumPayload = Math.min(MAX_MESSAGE_BYTES, maximum - HEADER_BYTES)
    if ((opened.control & OVERLAPPED) !== 0) await this.clear(signal)
  }

  async send(message: string): Promise<void> {
    const bytes = Buffer.from(`${message}\n`, 'latin1')
    const control = this.#delivered ? DELIVERED : 0
    this.#delivered = false
    this.forget()
    const frames: Buffer[] = []
    for (let at = 0; at < bytes.length; at += this.#maximumPayload) {
      const last = at + this.#maximumPayload >= bytes.length
      const id = this.#messageId
      this.#messageId = nextMessageId(id)
      this.#sentId = id
      frames.push(encode(last ? TYPE.dataEnd : TYPE.data, at === 0 ? control : 0, id, bytes.subarray(at, at + this.#maximumPayload)))
    }
    await this.#synchronous.write(Buffer.concat(frames))
  }

  async receive(deadlineMs: number, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#inbox.next(deadlineMs, signal)
    const refused = this.#refused
    this.#refused = undefined
    if (refused !== undefined) throw new HardwareFault(`the instrument did not take the message: ${refused}`, 'NONE')
    return answer
  }

  forget(): void {
    this.#inbox.clear()
    this.#partial = []
    this.#partialBytes = 0
    this.#refused = undefined
  }

  /** 3.1.2: AsyncDeviceClear and its acknowledgement, then DeviceClearComplete and its own, between which what still comes is thrown away. */
  async clear(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + HANDSHAKE_WITHIN_MS
    this.#clearing = true
    try {
      await this.#asynchronous.ask(encode(TYPE.asyncDeviceClear), TYPE.asyncDeviceClearAcknowledge, deadline, signal)
      this.#messageId = FIRST_MESSAGE_ID
      this.#sentId = undefined
      this.#delivered = false
      const cleared = await this.#synchronous.ask(encode(TYPE.deviceClearComplete), TYPE.deviceClearAcknowledge, deadline, signal)
      if ((cleared.control & OVERLAPPED) !== 0) throw this.#offline('insists on overlapped mode, in which an answer may be another question’s')
    } finally {
      this.#clearing = false
      this.forget()
    }
  }

  lose(why: string): void {
    this.#synchronous.lose(why)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#synchronous[Symbol.asyncDispose](), this.#asynchronous[Symbol.asyncDispose]()])
  }

  #taken({ type, control, parameter, payload }: HislipMessage): void {
    if (this.#clearing) return
    if (type === TYPE.interrupted) this.forget()
    if (type === TYPE.error) {
      this.#refused = said(ERRORS, control, payload)
      this.#inbox.put('')
    }
    if (type !== TYPE.data && type !== TYPE.dataEnd) return
    if (parameter !== this.#sentId && parameter !== ANY_MESSAGE_ID) return // the answer to another question
    this.#partialBytes += payload.length
    if (this.#partialBytes > MAX_MESSAGE_BYTES) return this.lose(`an answer is longer than ${MAX_MESSAGE_BYTES} bytes`)
    this.#partial.push(Uint8Array.from(payload))
    if (type === TYPE.data) return
    const answer = Buffer.concat(this.#partial)
      .toString('latin1')
      .replace(/\r?\n$/, '')
    this.#partial = []
    this.#partialBytes = 0
    this.#delivered = true
    this.#inbox.put(answer)
  }

  #offline(what: string): Problem {
    return new DeviceOffline(`${this.#synchronous.name} ${what}`, {})
  }
}

/** One of the two connections. */
class Channel implements AsyncDisposable {
  readonly name: string
  readonly lost: AbortSignal
  readonly #transport: TcpTransport
  readonly #decoder = new Decoder(MAX_MESSAGE_BYTES)
  #listener: ((message: HislipMessage) => void) | undefined
  #expected: { readonly type: number; readonly give: (message: HislipMessage | Problem) => void } | undefined

  static async open(place: HislipPlace, signal: AbortSignal): Promise<Channel> {
    return new Channel(await openTcp(place, signal), `hislip://${place.host}:${place.port}/${place.name}`)
  }

  private constructor(transport: TcpTransport, name: string) {
    this.#transport = transport
    this.name = name
    this.lost = transport.lost
    transport.onBytes((bytes) => {
      const messages = this.#decoder.take(bytes)
      if ('broken' in messages) return this.lose(messages.broken)
      for (const message of messages) this.#taken(message)
    })
  }

  onMessage(listener: (message: HislipMessage) => void): void {
    this.#listener = listener
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#transport.write(bytes)
  }

  /** Sends, and waits for the message of that type; others go to the listener. */
  async ask(bytes: Uint8Array, type: number, deadlineMs: number, signal: AbortSignal): Promise<HislipMessage> {
    signal.throwIfAborted()
    const answer = new Promise<HislipMessage | Problem>((resolve) => {
      this.#expected = { type, give: resolve }
    })
    const give = (problem: () => Problem): void => this.#expected?.give(problem())
    const onLost = (): void => give(() => this.lost.reason)
    const onAbort = (): void => give(() => (signal.reason instanceof Problem ? signal.reason : new HardwareFault(`${this.name}: given up`, 'NONE')))
    const endWaiting = patience(deadlineMs - performance.now(), () =>
      give(() => new DeadlineExceeded(`${this.name} does not answer`, HANDSHAKE_WITHIN_MS, 'NONE')),
    )
    this.lost.addEventListener('abort', onLost, { once: true })
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await this.write(bytes)
      const given = await answer
      if (given instanceof Problem) throw given
      return given
    } finally {
      endWaiting()
      this.lost.removeEventListener('abort', onLost)
      signal.removeEventListener('abort', onAbort)
      this.#expected = undefined
    }
  }

  lose(why: string): void {
    this.#transport.lose(why)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  #taken(message: HislipMessage): void {
    if (message.type === TYPE.fatalError) return this.lose(`the instrument ends the connection: ${said(FATAL_ERRORS, message.control, message.payload)}`)
    if (message.type === this.#expected?.type) return this.#expected.give(message)
    this.#listener?.(message)
  }
}

function said(errors: Readonly<Record<number, string>>, code: number, payload: Uint8Array): string {
  const words = Buffer.from(payload.subarray(0, 200)).toString('latin1')
  return `${errors[code] ?? `error ${code}`}${words === '' ? '' : ` (${words})`}`
}
