/** Adds up what each view of a connection says it has skipped: a view that takes the place of another counts from 0 again. */
export class SkipCount {
  #earlier = 0
  #last = 0

  /** `skipped` since the view began, as a frame says; returns that since the connection began. */
  of(skipped: number): number {
    if (skipped < this.#last) this.#earlier += this.#last
    this.#last = skipped
    return this.#earlier + skipped
  }
}
