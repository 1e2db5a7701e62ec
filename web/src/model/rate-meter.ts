const WINDOW_MS = 2000

/** A rate from a count that is looked at now and then, over the last two seconds: bursts, as a busy page gets them, do not change it. */
export class RateMeter {
  readonly #looks: { readonly atMs: number; readonly count: number }[] = []

  look(atMs: number, count: number): void {
    if (count < (this.#looks.at(-1)?.count ?? 0)) this.#looks.length = 0 // it was begun anew
    this.#looks.push({ atMs, count })
    while ((this.#looks[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.#looks.shift()
  }

  /** undefined before the second look. */
  perSecond(): number | undefined {
    const first = this.#looks[0]
    const last = this.#looks.at(-1)
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined
    return ((last.count - first.count) * 1000) / (last.atMs - first.atMs)
  }
}
