const SETTLE_MS = 150 // an editor writes a file in several steps: look once they are over
const LOOK_EVERY_MS = 5_000 // network folders and containers' mounts tell nothing of changes

/** Looks again when something is said to have changed, and slowly all the time; one look at a time. */
export class Rescan implements AsyncDisposable {
  readonly #look: () => Promise<void>
  readonly #watchIn: (changed: () => void) => Disposable
  readonly #slow: NodeJS.Timeout
  #watching: Disposable | undefined
  #soon: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  /** `look` never throws; `watchIn` may, while there is nothing to watch. */
  constructor(look: () => Promise<void>, watchIn: (changed: () => void) => Disposable) {
    this.#look = look
    this.#watchIn = watchIn
    this.#slow = setInterval(() => void this.now(), LOOK_EVERY_MS)
    this.#slow.unref()
  }

  /** Watches anew and looks: a folder that was removed and made again is another one to the kernel. */
  async now(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if (this.#closed) return
      this.#watch() // before the look: what changes after it is told
      await this.#look()
      if (this.#watching === undefined) this.#watch() // the look may have made what was missing
    })
    await this.#looking
  }

  #watch(): void {
    this.#watching?.[Symbol.dispose]()
    this.#watching = undefined
    if (this.#closed) return
    try {
      this.#watching = this.#watchIn(() => this.#changed())
    } catch {
      this.#watching = undefined // nothing there to watch, or no watches left: the slow look is enough
    }
  }

  #changed(): void {
    clearTimeout(this.#soon)
    if (this.#closed) return
    this.#soon = setTimeout(() => {
      this.#looking = this.#looking.then(() => (this.#closed ? undefined : this.#look()))
    }, SETTLE_MS)
    this.#soon.unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#slow)
    clearTimeout(this.#soon)
    this.#watching?.[Symbol.dispose]()
    await this.#looking
  }
}
