import { wrap360 } from '../../core/dome-geometry.ts'
import type { AzimuthReading } from './wheel-count.ts'

/** Where the steps that were made should have brought the dome: without an encoder, all that is known of it. */
export class StepCount {
  readonly #stepsPerDegree: number
  #made = 0
  #move: { readonly sign: 1 | -1; readonly steps: number; made: number } | undefined
  /** Azimuth at step 0; undefined while nobody knows. */
  #origin: number | undefined

  constructor(stepsPerDegree: number) {
    this.#stepsPerDegree = stepsPerDegree
  }

  /** Rising azimuth positive; of a move under way, as far as the controller has told. */
  get made(): number {
    return this.#made + (this.#move === undefined ? 0 : this.#move.sign * this.#move.made)
  }

  begin(steps: number, sign: 1 | -1): void {
    this.#move = { sign, steps, made: 0 }
  }

  note(remaining: number): void {
    if (this.#move !== undefined) this.#move.made = Math.max(0, this.#move.steps - remaining)
  }

  end(steps: number): void {
    if (this.#move !== undefined) this.#made += this.#move.sign * steps
    this.#move = undefined
  }

  /** If a move is under way, nobody knows how many steps it made in the end. */
  lose(): void {
    if (this.#move === undefined) return
    this.end(this.#move.made)
    this.#origin = undefined
  }

  set(azimuth: number): void {
    this.#origin = azimuth - this.made / this.#stepsPerDegree
  }

  azimuth(): AzimuthReading {
    if (this.#origin === undefined) return { bad: 'the azimuth is not known: set it, or calibrate at the switch' }
    return { azimuth: wrap360(this.#origin + this.made / this.#stepsPerDegree), doubtful: 'counted in steps' }
  }
}
