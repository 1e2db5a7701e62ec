import { setTimeout as pause } from 'node:timers/promises'
import { DeviceBusy } from '../../core/errors.ts'
import { problemOf } from '../transport/exchange-queue.ts'

const LOOK_EVERY_MS = 20
const WAIT_AT_MOST_MS = 10_000 // the longest move; whoever waits longer waits for something else

/** How many modules of a bus may move together: more than its supply bears makes all of them fail. */
export class Turns {
  readonly #atOnce: number
  readonly #moving = new Map<string, number>()

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  /** Waits until these may move too. `forMs`: when one that never told its end is taken to stand. `allowed` throws when it is no longer wanted. */
  async take(addresses: readonly string[], forMs: number, allowed: () => void, signal: AbortSignal): Promise<void> {
    if (addresses.length > this.#atOnce) throw new DeviceBusy(`${addresses.length} modules would move together and movingTogether allows ${this.#atOnce}`, {})
    const deadlineMs = performance.now() + WAIT_AT_MOST_MS
    while (this.#others(addresses) + addresses.length > this.#atOnce) {
      if (performance.now() > deadlineMs)
        throw new DeviceBusy(`${this.#atOnce} modules of this bus have been moving for ${WAIT_AT_MOST_MS / 1000} s; no more may move together`, {})
      await pause(LOOK_EVERY_MS)
      if (signal.aborted) throw problemOf(signal, 'NONE')
      allowed()
    }
    for (const address of addresses) this.#moving.set(address, performance.now() + forMs)
  }

  release(address: string): void {
    this.#moving.delete(address)
  }

  #others(addresses: readonly string[]): number {
    const now = performance.now()
    return [...this.#moving].filter(([address, untilMs]) => untilMs > now && !addresses.includes(address)).length
  }
}
