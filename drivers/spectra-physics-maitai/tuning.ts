const TOLERANCE_NM = 1 // the laser tells whole nanometres
const STABLE_MS = 500 // within the tolerance for so long, not only passing through
const WITHIN_MS = 60_000 // across the whole range takes several seconds; a laser that needs more does not tune

/** Follows a laser to the wavelength that it was set to, by what it measures. */
export class Tuning {
  #target: number | undefined
  #since = 0
  #nearSinceMs: number | undefined

  /** `nowMs` by performance.now(). */
  begin(target: number, nowMs: number): void {
    this.#target = target
    this.#since = nowMs
    this.#nearSinceMs = undefined
  }

  forget(): void {
    this.#target = undefined
  }

  /** Where it tunes to; undefined once it has arrived, or was given up. */
  get target(): number | undefined {
    return this.#target
  }

  /** What one more reading (undefined: a bad one) says of it. After the first LATE it is forgotten. */
  see(measured: number | undefined, nowMs: number): 'TUNING' | 'ARRIVED' | 'LATE' {
    const target = this.#target
    if (target === undefined) return 'ARRIVED'
    const near = measured !== undefined && Math.abs(measured - target) <= TOLERANCE_NM
    this.#nearSinceMs = near ? (this.#nearSinceMs ?? nowMs) : undefined
    const arrived = this.#nearSinceMs !== undefined && nowMs - this.#nearSinceMs >= STABLE_MS
    if (!arrived && nowMs - this.#since <= WITHIN_MS) return 'TUNING'
    this.#target = undefined
    return arrived ? 'ARRIVED' : 'LATE'
  }
}
