import { HardwareFault } from '../../core/errors.ts'

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

  get underWay(): boolean {
    return this.#target !== undefined
  }

  /** Whether it still tunes, by one more reading (undefined: a bad one). Throws HardwareFault, once, when it does not arrive. */
  see(measured: number | undefined, nowMs: number, pumpError: () => string): boolean {
    const target = this.#target
    if (target === undefined) return false
    const near = measured !== undefined && Math.abs(measured - target) <= TOLERANCE_NM
    this.#nearSinceMs = near ? (this.#nearSinceMs ?? nowMs) : undefined
    if (this.#nearSinceMs !== undefined && nowMs - this.#nearSinceMs >= STABLE_MS) {
      this.#target = undefined
      return false
    }
    if (nowMs - this.#since <= WITHIN_MS) return true
    this.#target = undefined
    throw new HardwareFault(`the laser is at ${measured ?? 'no'} nm and not at ${target} nm after ${WITHIN_MS / 1000} s`, 'DONE', {
      instrumentCode: pumpError(),
    })
  }
}
