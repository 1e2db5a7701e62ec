import type { Problem } from '../core/errors.ts'
import { messageOf } from '../core/errors.ts'
import { ExchangeQueue, type Lane, waitFor } from './exchange-queue.ts'
import type { RegisterBus } from './register-bus.ts'

export type LineHealth = { readonly exchanges: number; readonly failures: number; readonly failuresInARow: number; readonly lastError?: string }

/** What may be done while the connection is ours. */
export interface RegisterExchange {
  read(at: number, count: number): Promise<readonly number[]>
  write(at: number, value: number): Promise<void>
  /** For a PLC that needs time, as its documentation says. */
  pause(milliseconds: number): Promise<void>
}

/**
 * Registers over Modbus TCP, one request outstanding: a small PLC serves its clients one by one. `stopBus` is a connection of its own, so that a
 * stop does not wait behind a request that is on the wire.
 */
export class ModbusLine implements AsyncDisposable {
  readonly lost: AbortSignal
  readonly #bus: RegisterBus
  readonly #stopBus: RegisterBus
  readonly #queue = new ExchangeQueue()
  #health: LineHealth = { exchanges: 0, failures: 0, failuresInARow: 0 }

  constructor(bus: RegisterBus, stopBus: RegisterBus) {
    this.#bus = bus
    this.#stopBus = stopBus
    const lost = new AbortController()
    this.lost = lost.signal
    for (const { lost: signal } of [bus, stopBus]) {
      const onLost = (): void => {
        if (lost.signal.aborted) return
        this.#queue.close(signal.reason)
        lost.abort(signal.reason)
      }
      if (signal.aborted) onLost()
      else signal.addEventListener('abort', onLost, { once: true })
    }
  }

  get health(): LineHealth {
    return this.#health
  }

  exchange<T>(lane: Lane, work: (registers: RegisterExchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#queue.run(
      lane,
      (inner) =>
        work({
          read: (at, count) => this.#counted(() => this.#bus.read(at, count, inner)),
          write: (at, value) => this.#counted(() => this.#bus.write(at, value, inner)),
          pause: (milliseconds) => waitFor(milliseconds, inner, 'NONE'),
        }),
      signal,
    )
  }

  /** Writes now, on the stop connection, and makes void everything that was asked for before. */
  async preempt(at: number, value: number, reason: Problem, signal: AbortSignal): Promise<void> {
    const written = this.#stopBus.write(at, value, signal)
    this.#queue.preempt(reason)
    await written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#bus[Symbol.asyncDispose](), this.#stopBus[Symbol.asyncDispose]()])
  }

  async #counted<T>(request: () => Promise<T>): Promise<T> {
    const { exchanges, failures, failuresInARow } = this.#health
    try {
      const answer = await request()
      this.#health = { ...this.#health, exchanges: exchanges + 1, failuresInARow: 0 }
      return answer
    } catch (error) {
      this.#health = {
        exchanges: exchanges + 1,
        failures: failures + 1,
        failuresInARow: failuresInARow + 1,
        lastError: messageOf(error),
      }
      throw error
    }
  }
}
