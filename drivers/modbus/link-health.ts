import { messageOf } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { ParameterValue } from '../../core/reading.ts'

/** How one device's requests fare, and the parameters by which people see it. */
export class LinkHealth {
  #exchanges = 0
  #failures = 0
  #failuresInARow = 0
  #roundTripMs: number | undefined
  #lastError = ''

  get exchanges(): number {
    return this.#exchanges
  }

  get failures(): number {
    return this.#failures
  }

  get failuresInARow(): number {
    return this.#failuresInARow
  }

  async counted<T>(request: () => Promise<T>): Promise<T> {
    const startMs = performance.now()
    this.#exchanges += 1
    try {
      const answer = await request()
      this.#failuresInARow = 0
      this.#roundTripMs = performance.now() - startMs
      return answer
    } catch (error) {
      this.#failures += 1
      this.#failuresInARow += 1
      this.#lastError = messageOf(error)
      throw error
    }
  }

  /** undefined when it is none of these, or not known yet. */
  value(name: string): ParameterValue | undefined {
    switch (name) {
      case 'link_exchanges':
        return this.#exchanges
      case 'link_failures':
        return this.#failures
      case 'link_failures_in_a_row':
        return this.#failuresInARow
      case 'link_round_trip':
        return this.#roundTripMs === undefined ? undefined : Number(this.#roundTripMs.toPrecision(3))
      case 'link_last_error':
        return this.#lastError
      default:
        return undefined
    }
  }
}

const POLL_MS = 1000
const SOME_EXCHANGES = 1000 // a counter that grows ten times a second is not worth a line of history each time
const SOME_MS = 20

export const LINK_PARAMETERS: readonly ParameterSpec[] = [
  {
    name: 'link_exchanges',
    description: 'Requests since the device was connected',
    kind: 'INTEGER',
    access: 'READ_ONLY',
    pollMs: POLL_MS,
    deadband: SOME_EXCHANGES,
  },
  { name: 'link_failures', description: 'Requests that failed since the device was connected', kind: 'INTEGER', access: 'READ_ONLY', pollMs: POLL_MS },
  { name: 'link_failures_in_a_row', description: 'Requests that failed since the last that did not', kind: 'INTEGER', access: 'READ_ONLY', pollMs: POLL_MS },
  {
    name: 'link_round_trip',
    description: 'Time of the last request that did not fail',
    kind: 'FLOAT',
    access: 'READ_ONLY',
    unit: 'ms',
    pollMs: POLL_MS,
    deadband: SOME_MS,
  },
  { name: 'link_last_error', description: 'What the last failed request failed by', kind: 'TEXT', access: 'READ_ONLY', pollMs: POLL_MS },
]
