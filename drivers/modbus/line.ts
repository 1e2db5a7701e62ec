import type { Problem } from '../../core/errors.ts'
import { ExchangeQueue, type Lane, waitFor } from '../transport/exchange-queue.ts'
import type { RegisterBus } from './bus.ts'
import type { Request } from './pdu.ts'

/** What may be done while the line is ours. */
export interface RegisterExchange {
  ask(request: Request, timeoutMs: number): Promise<readonly number[]>
  /** For a device that needs time, as its documentation says. */
  pause(milliseconds: number): Promise<void>
}

/**
 * One request outstanding on a connection that many devices share: a small PLC serves its clients one by one, and a serial line has one voice at a
 * time. The stop bus is a connection of its own, so that a stop does not wait behind a request that is on the wire; on a serial line there is none.
 */
export class ModbusLine implements AsyncDisposable {
  readonly lost: AbortSignal
  readonly #lost = new AbortController()
  readonly #bus: RegisterBus
  readonly #queue = new ExchangeQueue()
  #stopBus: Promise<RegisterBus> | undefined

  constructor(bus: RegisterBus) {
    this.#bus = bus
    this.lost = this.#lost.signal
    this.#watch(bus)
  }

  /** Opened once, for the first device that has a stop. */
  async withStopBus(open: () => Promise<RegisterBus>): Promise<void> {
    this.#stopBus ??= open()
    try {
      this.#watch(await this.#stopBus)
    } catch (error) {
      this.#stopBus = undefined
      throw error
    }
  }

  /** `unit` takes its turn among the others on the line, and is who is asked. */
  exchange<T>(lane: Lane, unit: number, work: (registers: RegisterExchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#queue.run(
      lane,
      (inner) =>
        work({
          ask: (request, timeoutMs) => this.#bus.ask(unit, request, timeoutMs, inner),
          pause: (milliseconds) => waitFor(milliseconds, inner, 'NONE'),
        }),
      signal,
      String(unit),
    )
  }

  /** Sends now, makes void everything that was asked for before, and resolves once the bytes are out; `answered` when the device says that it has it. */
  async preempt(
    unit: number,
    request: Request,
    options: { readonly timeoutMs: number; readonly reason: Problem },
    signal: AbortSignal,
  ): Promise<{ readonly answered: Promise<unknown> }> {
    const bus = (await this.#stopBus) ?? this.#bus
    this.#queue.preempt(options.reason)
    return await new Promise((resolve, reject) => {
      const answered = bus.ask(unit, request, options.timeoutMs, signal, () => resolve({ answered }))
      answered.catch(reject) // after the bytes are out it is the caller's to see
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopBus = await this.#stopBus?.catch(() => undefined)
    await Promise.all([this.#bus[Symbol.asyncDispose](), stopBus?.[Symbol.asyncDispose]()])
  }

  #watch({ lost }: RegisterBus): void {
    const onLost = (): void => {
      this.#queue.close(lost.reason)
      if (!this.#lost.signal.aborted) this.#lost.abort(lost.reason)
    }
    if (lost.aborted) onLost()
    else lost.addEventListener('abort', onLost, { once: true })
  }
}
