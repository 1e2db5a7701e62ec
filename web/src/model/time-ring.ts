const GAP_SECONDS = 1e-3 // after the last point, before anything that a poll can bring

/** Times and values of one parameter, allocated once: the oldest points go when it is full, so memory stays flat over hours. NaN marks a gap. */
export class TimeRing {
  readonly capacity: number
  readonly #times: Float64Array
  readonly #values: Float64Array
  #start = 0
  #length = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#times = new Float64Array(capacity)
    this.#values = new Float64Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  get firstTime(): number | undefined {
    return this.#length === 0 ? undefined : this.#times[this.#start]
  }

  get lastTime(): number | undefined {
    return this.#length === 0 ? undefined : this.#times[this.#index(this.#length - 1)]
  }

  /** Points must come in order; one that is not later than the last is left out (a snapshot repeats what is known). */
  push(time: number, value: number): boolean {
    const last = this.lastTime
    if (last !== undefined && time <= last) return false
    if (this.#length === this.capacity) this.#start = (this.#start + 1) % this.capacity
    else this.#length += 1
    const at = this.#index(this.#length - 1)
    this.#times[at] = time
    this.#values[at] = value
    return true
  }

  /** Knowledge ends after the last point: what comes later does not connect to it. */
  markGap(): void {
    const last = this.lastTime
    if (last !== undefined) this.push(last + GAP_SECONDS, Number.NaN)
  }

  /** Puts older points before those present, as many as there is room for. */
  prepend(times: readonly number[], values: readonly number[]): void {
    const first = this.firstTime ?? Number.POSITIVE_INFINITY
    const older = times.findLastIndex((time) => time < first) + 1
    const taken = Math.min(older, this.capacity - this.#length)
    for (let back = 1; back <= taken; back += 1) {
      this.#start = (this.#start - 1 + this.capacity) % this.capacity
      this.#times[this.#start] = times[older - back] ?? Number.NaN
      this.#values[this.#start] = values[older - back] ?? Number.NaN
      this.#length += 1
    }
  }

  clear(): void {
    this.#start = 0
    this.#length = 0
  }

  /**
   * The points from `from` to `to` for a plot: at most about `maxPoints`, reduced to the minimum and maximum of each bin so that every spike stays,
   * one point before the window so that the line enters from the left, and null where there is a gap.
   */
  view(from: number, to: number, maxPoints: number): { times: number[]; values: (number | null)[] } {
    const first = Math.max(0, this.#firstAtOrAfter(from) - 1)
    const end = this.#firstAtOrAfter(to)
    const times: number[] = []
    const values: (number | null)[] = []
    const add = (offset: number) => {
      const at = this.#index(offset)
      const value = this.#values[at] ?? Number.NaN
      times.push(this.#times[at] ?? Number.NaN)
      values.push(Number.isNaN(value) ? null : value)
    }
    const count = end - first
    if (count <= maxPoints) {
      for (let offset = first; offset < end; offset += 1) add(offset)
      return { times, values }
    }
    const bins = Math.max(1, Math.floor(maxPoints / 2))
    for (let bin = 0; bin < bins; bin += 1) {
      const begin = first + Math.floor((bin * count) / bins)
      const stop = first + Math.floor(((bin + 1) * count) / bins)
      for (const offset of this.#extremes(begin, stop)) add(offset)
    }
    return { times, values }
  }

  /** Offsets of the minimum and maximum in order of time; of the first gap too, which must not be drawn over. */
  #extremes(begin: number, stop: number): number[] {
    let low = -1
    let high = -1
    let gap = -1
    for (let offset = begin; offset < stop; offset += 1) {
      const value = this.#values[this.#index(offset)] ?? Number.NaN
      if (Number.isNaN(value)) {
        if (gap < 0) gap = offset
        continue
      }
      if (low < 0 || value < (this.#values[this.#index(low)] ?? value)) low = offset
      if (high < 0 || value > (this.#values[this.#index(high)] ?? value)) high = offset
    }
    return [...new Set([low, high, gap])].filter((offset) => offset >= 0).sort((a, b) => a - b)
  }

  #firstAtOrAfter(time: number): number {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#times[this.#index(middle)] ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  #index(offset: number): number {
    return (this.#start + offset) % this.capacity
  }
}
