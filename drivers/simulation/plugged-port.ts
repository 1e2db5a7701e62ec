import type { Server, Socket } from 'node:net'
import { FaultQueue } from './fault-queue.ts'
import type { Fault } from './simulation.ts'

/** The TCP port of a simulated instrument: its cable can be pulled and put back, at the same port, and its next answers suffer the faults that wait. */
export abstract class PluggedPort implements AsyncDisposable {
  protected readonly faults = new FaultQueue()
  readonly #host: string
  readonly #clients = new Set<Socket>()
  #port: number
  #server: Server | undefined

  /** `port` 0: a free one, the same again after unplug and plugIn. */
  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#host = host
    this.#port = port
  }

  /** Called for each time that it is plugged in; does not listen yet. */
  protected abstract newServer(): Server

  get port(): number {
    return this.#port
  }

  /** The next answers suffer these, one each. */
  inject(...faults: readonly Fault[]): void {
    this.faults.inject(...faults)
  }

  /** Faults that nothing has suffered yet. */
  get faultsLeft(): number {
    return this.faults.left
  }

  /** Throws with the system's code (EADDRINUSE) when the port is taken. */
  async plugIn(): Promise<void> {
    if (this.#server !== undefined) return
    const server = this.newServer()
    this.#server = server
    server.on('connection', (client) => {
      this.#clients.add(client)
      client.on('close', () => this.#clients.delete(client))
      client.on('error', () => client.destroy()) // a client that resets its connection is no concern of ours
    })
    try {
      this.#port = await listen(server, this.#port, this.#host)
    } catch (error) {
      this.#server = undefined
      throw error
    }
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
