import { createServer, type Server, type Socket } from 'node:net'
import { garbled, type Spoil } from './fault-queue.ts'
import { answerRequest, EXCEPTION_CODES, exceptionReply } from './modbus-pdu.ts'
import { OrderedAnswers } from './ordered-answers.ts'
import { PluggedPort } from './plugged-port.ts'
import type { RegisterInstrument } from './simulator.ts'

/** MBAP, "MODBUS Messaging on TCP/IP Implementation Guide V1.0b", 3.1.3: transaction, protocol 0, length, unit. */
const HEADER_BYTES = 7
const MAX_LENGTH = 254 // unit and PDU

export type RegisterServerOptions = {
  readonly instrument: RegisterInstrument
  readonly host: string
  /** 0: a free one, the same again after unplug and plugIn. */
  readonly port: number
  /** What the PLC takes for an answer (its cycle). Default 0. */
  readonly answerMs?: number
  readonly seconds: () => number
}

/** A simulated device on a real Modbus TCP port. It serves any number of clients, each in order. */
export class SimulatedRegisters extends PluggedPort {
  readonly #options: RegisterServerOptions

  constructor(options: RegisterServerOptions) {
    super(options)
    this.#options = options
  }

  /** Codes that the fault `error` takes: the exceptions of Modbus, and the device's own. */
  get errors(): readonly string[] {
    return [...EXCEPTION_CODES, ...(this.#options.instrument.errors ?? [])]
  }

  protected newServer(): Server {
    return createServer({ noDelay: true }, (client) => this.#serve(client))
  }

  #serve(client: Socket): void {
    const answers = new OrderedAnswers(client)
    client.on('close', () => answers.clear())
    let held = Buffer.alloc(0)
    client.on('data', (bytes) => {
      held = Buffer.concat([held, bytes])
      while (held.length >= HEADER_BYTES) {
        const length = held.readUInt16BE(4)
        if (held.readUInt16BE(2) !== 0 || length < 2 || length > MAX_LENGTH) {
          client.destroy() // not Modbus: nothing after it can be told apart
          return
        }
        if (held.length < 6 + length) return
        this.#answer(answers, held.subarray(0, 6 + length))
        held = Buffer.from(held.subarray(6 + length))
      }
    })
  }

  #answer(answers: OrderedAnswers, frame: Buffer): void {
    const { instrument, seconds, answerMs = 0 } = this.#options
    const request = frame.subarray(HEADER_BYTES)
    const refusal = this.#provoked(request[0] ?? 0)
    if (refusal !== undefined) return answers.send(framed(frame, refusal), answerMs)
    const reply = framed(frame, answerRequest(request, instrument, seconds()))
    const suffered = this.faults.suffer(reply, { foreign: () => anothers(reply) }, FRAME)
    if (suffered !== undefined) answers.send(suffered.bytes, answerMs + suffered.afterMs)
  }

  /** An exception's code refuses this request; an error of the device's own changes what its registers say. */
  #provoked(functionCode: number): Buffer | undefined {
    const { instrument, seconds } = this.#options
    let refusal: Buffer | undefined
    this.faults.provoke(
      {
        provoke: (code) => {
          if (instrument.errors?.includes(code) === true) instrument.provoke?.(code, seconds())
          else refusal = exceptionReply(functionCode, Number(code))
        },
      },
      seconds(),
    )
    return refusal
  }
}

function framed(request: Uint8Array, pdu: Uint8Array): Buffer {
  const header = Buffer.from(request.subarray(0, HEADER_BYTES))
  header.writeUInt16BE(pdu.length + 1, 4)
  return Buffer.concat([header, pdu])
}

/** TCP loses no bytes: nonsense and half an answer come in a frame that is whole, from a PLC or a gateway with a fault in it. */
const FRAME: Spoil = {
  garbage: (reply) => framed(reply, garbled(reply.subarray(HEADER_BYTES))),
  cut: (reply) => framed(reply, reply.subarray(HEADER_BYTES, HEADER_BYTES + Math.ceil((reply.length - HEADER_BYTES) / 2))),
}

/** The answer to a request that this client did not make: of another transaction, by another unit, with other values. */
function anothers(reply: Buffer): Buffer {
  const other = Buffer.from(reply)
  other.writeUInt16BE((reply.readUInt16BE(0) + 0x4000) & 0xffff, 0)
  other[6] = ((reply[6] ?? 0) + 1) & 0xff
  for (let at = HEADER_BYTES + 2; at < other.length; at += 1) other[at] = (other[at] ?? 0) ^ 0x55
  return other
}
