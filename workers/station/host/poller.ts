import { asProblem } from '../../../core/errors.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import { Bell } from './bell.ts'

export type PollTarget = {
  readonly specs: () => readonly ParameterSpec[]
  /** Whether busyPollMs applies. */
  readonly busy: () => boolean
  /** Reads and publishes; a failed parameter is published BAD by it. */
  readonly read: (names: readonly string[], signal: AbortSignal) => Promise<unknown>
  readonly log: (line: string) => void
}

const TOGETHER_MS = 5 // parameters due within this are read in one go
const SHORTEST_INTERVAL_MS = 10 // whatever a driver says: faster than this is a stream, not a poll
const LONGEST_SLEEP_MS = 60_000 // with nothing to poll, the specs are looked at again this often

/** Reads one device's parameters at their intervals, once for everybody. One read is under way at a time; what is late is not caught up with. */
export class Poller {
  readonly #target: PollTarget
  readonly #bell = new Bell()
  #dueMs: ReadonlyMap<string, number> = new Map()

  constructor(target: PollTarget) {
    this.#target = target
  }

  /** The intervals may have changed (a move began or ended): look again now. */
  wake(): void {
    this.#bell.ring()
  }

  /** Until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const names = this.#due(performance.now())
      if (names.length === 0) {
        await this.#sleep(signal)
        continue
      }
      try {
        await this.#target.read(names, signal)
      } catch (error) {
        if (!signal.aborted) this.#target.log(`polling ${names.join(', ')}: ${asProblem(error).message}`)
      }
    }
  }

  /** Names that are due, each put off by its interval from now. */
  #due(nowMs: number): readonly string[] {
    const names: string[] = []
    const dueMs = new Map<string, number>()
    for (const spec of this.#target.specs()) {
      const chosenMs = this.#target.busy() ? (spec.busyPollMs ?? spec.pollMs) : spec.pollMs
      if (chosenMs === undefined) continue
      const nextMs = nowMs + Math.max(chosenMs, SHORTEST_INTERVAL_MS)
      const due = Math.min(this.#dueMs.get(spec.name) ?? nextMs, nextMs) // a shorter interval counts at once
      if (due <= nowMs + TOGETHER_MS) names.push(spec.name)
      dueMs.set(spec.name, due <= nowMs + TOGETHER_MS ? nextMs : due)
    }
    this.#dueMs = dueMs
    return names
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const soonestMs = Math.min(performance.now() + LONGEST_SLEEP_MS, ...this.#dueMs.values())
    const timer = setTimeout(() => this.#bell.ring(), Math.max(0, soonestMs - performance.now()))
    await this.#bell.rung(signal)
    clearTimeout(timer)
  }
}
