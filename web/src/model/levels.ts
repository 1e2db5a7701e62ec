export type Levels = { readonly low: number; readonly high: number }

const EASE = 0.2 // share of the way to the frame's own extremes that automatic levels go with each frame: noise does not make the picture flicker

/** Automatic levels follow the frame's extremes slowly; the first frame sets them. */
export function easedLevels(last: Levels | undefined, minimum: number, maximum: number): Levels {
  const high = Math.max(maximum, minimum + 1)
  if (last === undefined) return { low: minimum, high }
  return { low: last.low + (minimum - last.low) * EASE, high: last.high + (high - last.high) * EASE }
}

const RATE_EASE = 0.1

/** Frames per second, smoothed, from the moments at which they arrived. */
export class RateMeter {
  #lastMs: number | undefined
  #intervalMs: number | undefined

  tick(nowMs: number): void {
    if (this.#lastMs !== undefined) {
      const interval = nowMs - this.#lastMs
      this.#intervalMs = this.#intervalMs === undefined ? interval : this.#intervalMs + (interval - this.#intervalMs) * RATE_EASE
    }
    this.#lastMs = nowMs
  }

  /** undefined before two ticks, and 0 when nothing came for longer than ten intervals. */
  perSecond(nowMs: number): number | undefined {
    if (this.#intervalMs === undefined || this.#lastMs === undefined) return undefined
    if (nowMs - this.#lastMs > Math.max(2000, this.#intervalMs * 10)) return 0
    return 1000 / Math.max(this.#intervalMs, 0.1)
  }
}
