const WINDOW_MS = 2000
const MOST_TICKS = 512 // a rate above 256 Hz is shown as that

/** Frames per second over the last two seconds: bursts, as a busy page gets them, do not change it. */
export class RateMeter {
  readonly #ticks: number[] = []

  tick(nowMs: number): void {
    this.#ticks.push(nowMs)
    if (this.#ticks.length > MOST_TICKS) this.#ticks.shift()
  }

  /** undefined before the second tick, 0 when nothing came for longer than the window. */
  perSecond(nowMs: number): number | undefined {
    if (this.#ticks.length < 2) return undefined
    const recent = this.#ticks.filter((tick) => nowMs - tick <= WINDOW_MS)
    const [first] = recent
    const last = recent.at(-1)
    if (first === undefined || last === undefined || first === last) return 0
    return ((recent.length - 1) * 1000) / (last - first)
  }
}
