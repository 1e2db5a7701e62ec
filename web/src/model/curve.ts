/**
 * The rows of one run as they come, for a plot of the whole curve. Bounded: when it is full, every other row goes and from then on only every
 * second (fourth, ...) row is kept, so the shape of the whole run stays. The last row is always at hand.
 */
export class Curve {
  readonly capacity: number
  #columns: number[][] = []
  #width = 0
  #stride = 1
  #seen = 0
  #last: readonly (number | null)[] = []

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Rows recorded so far, also those no longer kept. */
  get rows(): number {
    return this.#seen
  }

  get kept(): number {
    return this.#columns[0]?.length ?? 0
  }

  get last(): readonly (number | null)[] {
    return this.#last
  }

  push(row: readonly (number | null)[]): void {
    if (row.length !== this.#width) {
      this.#width = row.length
      this.#columns = row.map(() => [])
      this.#stride = 1
      this.#seen = 0
    }
    if (this.#seen % this.#stride === 0) {
      if (this.kept >= this.capacity) this.#thin()
      if (this.#seen % this.#stride === 0) for (const [column, values] of this.#columns.entries()) values.push(row[column] ?? Number.NaN)
    }
    this.#seen += 1
    this.#last = row
  }

  /** y over x in order of x, null where there is no value; rows without an x are left out. */
  series(x: number, y: number): { x: number[]; y: (number | null)[] } {
    const xs = this.#columns[x] ?? []
    const ys = this.#columns[y] ?? []
    const order = xs.map((_, at) => at).filter((at) => !Number.isNaN(xs[at] ?? Number.NaN))
    order.sort((a, b) => (xs[a] ?? 0) - (xs[b] ?? 0))
    return {
      x: order.map((at) => xs[at] ?? 0),
      y: order.map((at) => {
        const value = ys[at] ?? Number.NaN
        return Number.isNaN(value) ? null : value
      }),
    }
  }

  #thin(): void {
    this.#stride *= 2
    this.#columns = this.#columns.map((column) => column.filter((_, at) => at % 2 === 0))
  }
}
