import { createServer, type Server, type Socket } from 'node:net'
import { OrderedAnswers } from './ordered-answers.ts'
import { PluggedPort } from './plugged-port.ts'
import type { ByteInstrument } from './simulator.ts'

const MAX_INPUT_BYTES = 64 * 1024 // of one client without a terminator; what does not fit is lost, as in an instrument's own buffer

export type SocketOptions = {
  readonly instrument: ByteInstrument
  readonly host: string
  /** 0: a free one, the same again after unplug and plugIn. */
  readonly port: number
  /** Ends a command: two clients' halves of commands are never put together. */
  readonly terminator: string
  /** What the instrument takes for an answer. Default 0. */
  readonly answerMs?: number
  readonly seconds: () => number
}

/** A simulated instrument that speaks lines of text on a raw TCP port (SCPI on 5025 and the like). Any program can connect, and several at once. */
export class SimulatedSocket extends PluggedPort {
  readonly #options: SocketOptions

  constructor(options: SocketOptions) {
    super(options)
    this.#options = options
  }

  protected newServer(): Server {
    return createServer({ noDelay: true }, (client) => this.#serve(client))
  }

  #serve(client: Socket): void {
    const { instrument, seconds, terminator, answerMs = 0 } = this.#options
    const answers = new OrderedAnswers(client)
    client.on('close', () => answers.clear())
    let held = Buffer.alloc(0)
    client.on('data', (bytes) => {
      held = Buffer.concat([held, bytes])
      const whole = held.lastIndexOf(terminator) + 1
      const command = held.subarray(0, whole)
      held = Buffer.from(held.subarray(whole)).subarray(-MAX_INPUT_BYTES)
      if (whole === 0) return
      this.faults.provoke(instrument, seconds())
      const reply = instrument.receive(command, seconds())
      const tookMs = instrument.tookMs?.() ?? 0
      const suffered = reply.length > 0 ? this.faults.suffer(reply, instrument) : undefined
      if (suffered !== undefined) answers.send(suffered.bytes, answerMs + tookMs + suffered.afterMs)
    })
  }
}
