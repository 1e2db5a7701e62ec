/** What a process has opened, to be closed in the opposite order: AsyncDisposableStack, which the oldest Node we run on does not have. */
export class Opened implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = []

  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.#closers.push(() => resource[Symbol.asyncDispose]())
    return resource
  }

  defer(close: () => unknown): void {
    this.#closers.push(close)
  }

  /** All are closed, whatever some of them say; the first failure is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
