import { createServer } from 'node:net'
import { type FCallbackVal, type IServiceVector, ServerTCP } from 'modbus-serial'
import type { RegisterInstrument } from './simulator.ts'

const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const ILLEGAL_VALUE = 3

export type RegisterServerOptions = {
  readonly instrument: RegisterInstrument
  readonly host: string
  /** 0: a free one, the same again after unplug and plugIn. */
  readonly port: number
  readonly seconds: () => number
}

/** What can go wrong with the next request. */
export type RegisterFault = { readonly kind: 'silent' } | { readonly kind: 'late'; readonly byMs: number } | { readonly kind: 'refused'; readonly code: number }

/** A simulated device on a real Modbus TCP port. */
export class SimulatedRegisters implements AsyncDisposable {
  readonly #options: RegisterServerOptions
  readonly #faults: RegisterFault[] = []
  #port: number
  #server: ServerTCP | undefined

  constructor(options: RegisterServerOptions) {
    this.#options = options
    this.#port = options.port
  }

  get port(): number {
    return this.#port
  }

  /** The next requests suffer these, one each. */
  inject(...faults: readonly RegisterFault[]): void {
    this.#faults.push(...faults)
  }

  /** Faults that no request has suffered yet. */
  get faultsLeft(): number {
    return this.#faults.length
  }

  /** Throws with the system's code (EADDRINUSE) when the port is taken. */
  async plugIn(): Promise<void> {
    if (this.#server !== undefined) return
    const { host } = this.#options
    if (this.#port === 0) this.#port = await freePort(host) // the server takes 0 for 502
    const server = new ServerTCP(this.#vector(), { host, port: this.#port })
    server.on('socketError', () => undefined) // a client that resets its connection is no concern of ours
    await new Promise<void>((resolve, reject) => {
      server.on('initialized', () => resolve())
      // Emitted for a port that is taken, though the types know it as an error of running.
      server.on('serverError', (error) => reject(error ?? new Error('the Modbus server failed')))
    })
    this.#server = server
  }

  /** The link drops: every connection is closed and none is accepted. */
  async unplug(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug()
  }

  #vector(): IServiceVector {
    const { instrument, seconds } = this.#options
    const read = (at: number, count: number): Promise<number[]> =>
      this.#served(() => {
        if (at < 0 || at + count > instrument.size) throw exception(ILLEGAL_ADDRESS)
        return [...instrument.read(at, count, seconds())]
      })
    const write = (at: number, values: readonly number[]): Promise<void> =>
      this.#served(() => {
        if (at < 0 || at + values.length > instrument.size) throw exception(ILLEGAL_ADDRESS)
        if (values.some((value) => !Number.isInteger(value) || value < 0 || value > 0xffff)) throw exception(ILLEGAL_VALUE)
        for (const [index, value] of values.entries()) instrument.write(at + index, value, seconds())
      })
    // A function that the vector lacks would be left unanswered.
    const unknown = (): never => {
      throw exception(ILLEGAL_FUNCTION)
    }
    return {
      // With a callback: an array that is promised is not waited for.
      getMultipleHoldingRegisters: (at: number, count: number, _unit: number, done: FCallbackVal<number[]>) => {
        read(at, count).then(
          (words) => done(null, words),
          (error: Error) => done(error, []),
        )
      },
      getHoldingRegister: async (at: number) => (await read(at, 1))[0] ?? 0,
      setRegister: (at: number, value: number) => write(at, [value]),
      setRegisterArray: (at: number, values: number[]) => write(at, values),
      getCoil: async () => unknown(),
      getDiscreteInput: async () => unknown(),
      getInputRegister: async () => unknown(),
      getMultipleInputRegisters: async () => unknown(),
      setCoil: async () => unknown(),
    }
  }

  async #served<T>(serve: () => T): Promise<T> {
    const fault = this.#faults.shift()
    if (fault?.kind === 'silent') return await new Promise<never>(() => undefined)
    if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.byMs))
    if (fault?.kind === 'refused') throw exception(fault.code)
    return serve()
  }
}

/** The library turns `modbusErrorCode` into an exception reply. */
function exception(modbusErrorCode: number): Error {
  return Object.assign(new Error(`Modbus exception ${modbusErrorCode}`), { modbusErrorCode })
}

async function freePort(host: string): Promise<number> {
  const server = createServer()
  return await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
