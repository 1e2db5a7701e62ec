import { createServer, type Server, type Socket } from 'node:net'
import { FaultQueue } from './fault-queue.ts'
import type { Fault } from './simulation.ts'
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
export class SimulatedSocket implements AsyncDisposable {
  readonly #options: SocketOptions
  readonly #faults = new FaultQueue()
  readonly #clients = new Set<Socket>()
  #port: number
  #server: Server | undefined

  constructor(options: SocketOptions) {
    this.#options = options
    this.#port = options.port
  }

  get port(): number {
    return this.#port
  }

  inject(...faults: readonly Fault[]): void {
    this.#faults.inject(...faults)
  }

  get faultsLeft(): number {
    return this.#faults.left
  }

  /** Throws with the system's code (EADDRINUSE) when the port is taken. */
  async plugIn(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ noDelay: true }, (client) => this.#serve(client))
    this.#port = await listen(server, this.#port, this.#options.host)
    this.#server = server
  }

  /** The link drops: every connection is reset and none is accepted. */
  async unplug(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const client of this.#clients) client.resetAndDestroy()
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug()
  }

  #serve(client: Socket): void {
    const { instrument, seconds, terminator, answerMs = 0 } = this.#options
    const answers = new OrderedAnswers(client)
    this.#clients.add(client)
    client.on('close', () => {
      this.#clients.delete(client)
      answers.clear()
    })
    client.on('error', () => client.destroy()) // a client that resets its connection is no concern of ours
    let held = Buffer.alloc(0)
    client.on('data', (bytes) => {
      held = Buffer.concat([held, bytes])
      const whole = held.lastIndexOf(terminator) + 1
      const command = held.subarray(0, whole)
      held = Buffer.from(held.subarray(whole)).subarray(-MAX_INPUT_BYTES)
      if (whole === 0) return
      this.#faults.provoke(instrument, seconds())
      const reply = instrument.receive(command, seconds())
      const tookMs = instrument.tookMs?.() ?? 0
      const suffered = reply.length > 0 ? this.#faults.suffer(reply, instrument) : undefined
      if (suffered !== undefined) answers.send(suffered.bytes, answerMs + tookMs + suffered.afterMs)
    })
  }
}

/** What is sent to one client, in order: what follows a late answer is later still. */
export class OrderedAnswers {
  readonly #client: Socket
  readonly #waiting: { readonly atMs: number; readonly bytes: Uint8Array }[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(client: Socket) {
    this.#client = client
  }

  send(bytes: Uint8Array, afterMs: number): void {
    const freeAtMs = Math.max(performance.now(), this.#waiting.at(-1)?.atMs ?? 0)
    this.#waiting.push({ atMs: freeAtMs + afterMs, bytes })
    if (this.#timer === undefined) this.#deliver()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #deliver(): void {
    for (let [first] = this.#waiting; first !== undefined && first.atMs <= performance.now(); [first] = this.#waiting) {
      this.#client.write(first.bytes)
      this.#waiting.shift()
    }
    const [next] = this.#waiting
    this.#timer = next && setTimeout(() => this.#deliver(), next.atMs - performance.now())
  }
}

/** The port that it listens on. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', () => undefined) // of accepting one client (too many files); the others go on
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
