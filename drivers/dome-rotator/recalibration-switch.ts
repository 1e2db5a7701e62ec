/**
 * A micro-switch (SS-5GL, pulled up) that the dome presses at a known azimuth: only the change from 1 to 0 counts, and once in two seconds. The first level is
 * only looked at, so that a start on the switch is not taken for a pass.
 */
export class RecalibrationSwitch {
  #level: boolean | undefined
  #passedAtSeconds = Number.NEGATIVE_INFINITY

  /** Whether the dome has just come onto the switch. */
  take(level: boolean, seconds: number): boolean {
    const pressed = this.#level === true && !level
    this.#level = level
    if (!pressed || seconds - this.#passedAtSeconds < DEBOUNCE_SECONDS) return false
    this.#passedAtSeconds = seconds
    return true
  }

  /** undefined until it was read. */
  get level(): boolean | undefined {
    return this.#level
  }
}

const DEBOUNCE_SECONDS = 2
