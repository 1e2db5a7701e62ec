import { messageOf } from '../../core/errors.ts'
import type { LineInput } from '../transport/line-input.ts'
import { every } from './every.ts'
import { RecalibrationSwitch } from './recalibration-switch.ts'

const SAMPLE_MS = 20 // the dome is on the switch for 0.4 s at its usual speed

/** Looks at the recalibration switch for as long as it is open. */
export class SwitchWatch implements AsyncDisposable {
  readonly #input: LineInput
  readonly #state = new RecalibrationSwitch()
  readonly #passed: () => void
  readonly #closing = new AbortController()
  readonly #watching: Promise<void>
  #failure: string | undefined

  constructor(input: LineInput, passed: () => void) {
    this.#input = input
    this.#passed = passed
    this.#watching = every(SAMPLE_MS, () => this.#look(), this.#closing.signal)
  }

  get simulated(): boolean {
    return this.#input.simulated
  }

  /** Whether the dome is on it, or why nobody knows. */
  get pressed(): boolean | { readonly bad: string } {
    if (this.#failure !== undefined) return { bad: this.#failure }
    return this.#state.level === undefined ? { bad: 'the switch has not been read yet' } : !this.#state.level
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#watching
    await this.#input[Symbol.asyncDispose]()
  }

  async #look(): Promise<void> {
    try {
      if (this.#state.take(await this.#input.level(), performance.now() / 1000)) this.#passed()
      this.#failure = undefined
    } catch (error) {
      this.#failure = messageOf(error)
    }
  }
}
