import { createServer, type Server, type Socket } from 'node:net'
import { OrderedAnswers } from '../../simulation/ordered-answers.ts'
import { PluggedPort } from '../../simulation/plugged-port.ts'
import type { ByteInstrument } from '../../simulation/simulator.ts'
import { DELIVERED, Decoder, encode, FIRST_MESSAGE_ID, HEADER_BYTES, type HislipMessage, readSize, sizePayload, TYPE, VERSION } from './protocol.ts'

const MAX_MESSAGE_BYTES = 64 * 1024 // what this instrument takes in one message, and tells its clients
const VENDOR_ID = 0x4b59
const MESSAGE_AVAILABLE = 16 // of the status byte

export type HislipServerOptions = {
  readonly instrument: ByteInstrument & { readonly statusByte?: number }
  readonly host: string
  /** 0: a free one, the same again after unplug and plugIn. */
  readonly port: number
  readonly answerMs?: number
  readonly seconds: () => number
}

type Session = { readonly id: number; readonly synchronous: Socket; asynchronous?: Socket; answers: OrderedAnswers } & State

type State = {
  /** What a client takes in one message. */
  maximumBytes: number
  /** Of a message whose end has not come. */
  parts: Uint8Array[]
  /** A whole answer is under way or not yet read. */
  pending: boolean
  messageId: number
  exclusive: boolean
}

/** A simulated instrument that speaks HiSLIP in synchronised mode, on one port for both channels. Any number of clients. */
export class SimulatedHislip extends PluggedPort {
  readonly #options: HislipServerOptions
  readonly #sessions = new Map<number, Session>()
  #nextSession = 1

  constructor(options: HislipServerOptions) {
    super(options)
    this.#options = options
  }

  protected newServer(): Server {
    return createServer({ noDelay: true }, (client) => this.#serve(client))
  }

  #serve(client: Socket): void {
    const decoder = new Decoder(MAX_MESSAGE_BYTES)
    let session: Session | undefined
    client.on('close', () => {
      if (session === undefined) return
      session.answers.clear()
      this.#sessions.delete(session.id)
      for (const each of [session.synchronous, session.asynchronous]) each?.destroy()
    })
    client.on('data', (bytes) => {
      const messages = decoder.take(bytes)
      if ('broken' in messages) return fatal(client, 1, messages.broken)
      for (const message of messages) {
        if (session !== undefined) this.#taken(session, client, message)
        else session = this.#opened(client, message)
      }
    })
  }

  /** The first message of a connection says which channel it is. */
  #opened(client: Socket, { type, parameter }: HislipMessage): Session | undefined {
    if (type === TYPE.initialize) {
      const id = this.#nextSession
      this.#nextSession = (this.#nextSession % 0xffff) + 1
      const state: State = { maximumBytes: MAX_MESSAGE_BYTES, parts: [], pending: false, messageId: FIRST_MESSAGE_ID, exclusive: false }
      const session: Session = { id, synchronous: client, answers: new OrderedAnswers(client), ...state }
      this.#sessions.set(id, session)
      client.write(encode(TYPE.initializeResponse, 0, (VERSION << 16) | id)) // control code 0: synchronised
      return session
    }
    const session = type === TYPE.asyncInitialize ? this.#sessions.get(parameter & 0xffff) : undefined
    if (session === undefined || session.asynchronous !== undefined) {
      fatal(client, 3, 'the first message must be Initialize or AsyncInitialize')
      return undefined
    }
    session.asynchronous = client
    client.write(encode(TYPE.asyncInitializeResponse, 0, VENDOR_ID))
    return session
  }

  #taken(session: Session, client: Socket, message: HislipMessage): void {
    if (session.asynchronous === undefined) return fatal(client, 2, 'the asynchronous channel comes first')
    if (client === session.synchronous) this.#synchronous(session, message)
    else this.#asynchronous(session, session.asynchronous, message)
  }

  #synchronous(session: Session, { type, control, parameter, payload }: HislipMessage): void {
    switch (type) {
      case TYPE.data:
      case TYPE.dataEnd:
        session.messageId = parameter
        // 3.1.1: a message that comes before the last answer was read interrupts it.
        if (session.pending && (control & DELIVERED) === 0 && session.parts.length === 0) this.#interrupt(session, parameter)
        session.pending = false
        session.parts.push(Uint8Array.from(payload))
        if (type === TYPE.dataEnd) this.#obey(session)
        return
      case TYPE.deviceClearComplete:
        session.parts = []
        session.pending = false
        session.messageId = FIRST_MESSAGE_ID
        session.synchronous.write(encode(TYPE.deviceClearAcknowledge, 0)) // synchronised mode, whatever was asked for
        return
      case TYPE.trigger:
        session.messageId = parameter
        return
      default:
        session.synchronous.write(encode(TYPE.error, 1, 0, Buffer.from('unrecognised message type')))
    }
  }

  #asynchronous(session: Session, client: Socket, { type, control, payload }: HislipMessage): void {
    switch (type) {
      case TYPE.asyncMaximumMessageSize: {
        session.maximumBytes = readSize(payload) ?? MAX_MESSAGE_BYTES
        client.write(encode(TYPE.asyncMaximumMessageSizeResponse, 0, 0, sizePayload(MAX_MESSAGE_BYTES)))
        return
      }
      case TYPE.asyncDeviceClear:
        forgetAnswers(session)
        client.write(encode(TYPE.asyncDeviceClearAcknowledge, 0))
        return
      case TYPE.asyncStatusQuery: {
        if ((control & DELIVERED) !== 0) session.pending = false
        const status = this.#options.instrument.statusByte ?? 0
        client.write(encode(TYPE.asyncStatusResponse, status | (session.pending ? MESSAGE_AVAILABLE : 0)))
        return
      }
      case TYPE.asyncLock:
        session.exclusive = (control & 1) === 1
        client.write(encode(TYPE.asyncLockResponse, 1))
        return
      case TYPE.asyncLockInfo:
        client.write(encode(TYPE.asyncLockInfoResponse, session.exclusive ? 1 : 0, session.exclusive ? 1 : 0))
        return
      case TYPE.asyncRemoteLocalControl:
        client.write(encode(TYPE.asyncRemoteLocalResponse))
        return
      default:
        client.write(encode(TYPE.error, 1, 0, Buffer.from('unrecognised message type')))
    }
  }

  #interrupt(session: Session, messageId: number): void {
    forgetAnswers(session)
    session.synchronous.write(encode(TYPE.interrupted, 0, messageId))
    session.asynchronous?.write(encode(TYPE.asyncInterrupted, 0, messageId))
  }

  #obey(session: Session): void {
    const { instrument, seconds, answerMs = 0 } = this.#options
    const message = Buffer.concat(session.parts)
    session.parts = []
    this.faults.provoke(instrument, seconds())
    const ended = message.at(-1) === 0x0a ? message : Buffer.concat([message, Buffer.of(0x0a)])
    const answer = instrument.receive(ended, seconds())
    const tookMs = instrument.tookMs?.() ?? 0
    if (answer.length === 0) return
    session.pending = true
    const frames = this.#spoiled(answer, session)
    if (frames !== undefined) session.answers.send(frames.bytes, answerMs + tookMs + frames.afterMs)
  }

  /** Noise does not reach into a TCP stream: an answer for another is one with another's message id, a cut one lacks its end. */
  #spoiled(answer: Uint8Array, { messageId, maximumBytes }: Session): { readonly bytes: Uint8Array; readonly afterMs: number } | undefined {
    const whole = framesOf(answer, messageId, maximumBytes, true)
    const fault = this.faults.take()
    switch (fault?.kind) {
      case undefined:
        return { bytes: whole, afterMs: 0 }
      case 'silent':
        return undefined
      case 'late':
        return { bytes: whole, afterMs: fault.byMs }
      case 'foreign':
        return { bytes: framesOf(answer, (messageId - 2) >>> 0, maximumBytes, true), afterMs: 0 }
      case 'garbage':
        return {
          bytes: framesOf(
            answer.map((byte) => byte ^ 0x55),
            messageId,
            maximumBytes,
            true,
          ),
          afterMs: 0,
        }
      case 'cut':
        return { bytes: framesOf(answer.subarray(0, Math.floor(answer.length / 2)), messageId, maximumBytes, false), afterMs: 0 }
    }
  }
}

function framesOf(answer: Uint8Array, messageId: number, maximumBytes: number, end: boolean): Uint8Array {
  const most = Math.max(1, maximumBytes - HEADER_BYTES)
  const frames: Buffer[] = []
  for (let at = 0; at < answer.length; at += most) {
    const last = end && at + most >= answer.length
    frames.push(encode(last ? TYPE.dataEnd : TYPE.data, 0, messageId, answer.subarray(at, at + most)))
  }
  return Buffer.concat(frames)
}

function forgetAnswers(session: Session): void {
  session.answers.clear()
  session.answers = new OrderedAnswers(session.synchronous)
}

function fatal(client: Socket, code: number, words: string): void {
  client.end(encode(TYPE.fatalError, code, 0, Buffer.from(words)))
}
