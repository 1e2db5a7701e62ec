import { Wake } from './source.ts'

/** Batches of all stations together: some tens of milliseconds of a busy lab. */
const MAX_WAITING = 32

/** Streams of several stations for one reader, who takes all that has come. When it is full the streams wait: back-pressure, not memory. */
export class Inbox<Item> {
  readonly #arrived = new Wake()
  #waiting: Item[] = []
  #blocked: (() => void)[] = []
  #failure: { readonly error: unknown } | undefined
  #closed = false

  /** Resolves when there is room again, or when nothing is taken any more. */
  async put(item: Item): Promise<void> {
    if (this.#closed) return
    this.#waiting.push(item)
    this.#arrived.wake()
    if (this.#waiting.length >= MAX_WAITING)
      await new Promise<void>((resolve) => {
        this.#blocked.push(resolve)
      })
  }

  /** Empty once the signal has fired. Throws what `fail` was given, after all that came before. */
  async take(signal: AbortSignal): Promise<readonly Item[]> {
    while (this.#waiting.length === 0 && !signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure.error
      await this.#arrived.wait(signal)
    }
    const taken = this.#waiting
    this.#waiting = []
    this.#release()
    return taken
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#arrived.wake()
  }

  close(): void {
    this.#closed = true
    this.#release()
  }

  #release(): void {
    for (const resolve of this.#blocked.splice(0)) resolve()
  }
}
