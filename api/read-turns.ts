import { Problem } from '../core/errors.ts'

/** At one moment: two of the four threads that Node has for files; the others are for everybody else. */
const AT_ONCE = 2
/** Open together, most of them waiting for their turn or for a client that takes its time: several people's notebooks, and a page of pictures. */
const MAX_OPEN = 64

/**
 * Who reads much of a recording reads it in steps, and takes a turn for each: a hundred gigabytes for one do not keep one frame from another. Throws
 * LIMIT_EXCEEDED when too many are open.
 */
export class ReadTurns {
  #open = 0
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** One step. */
  async once<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.#opened(() => this.#turn(signal, work))
  }

  /** A step for each item. Stops, and ends what gives them, when the signal fires or nobody takes more. */
  async *each<T>(items: AsyncGenerator<T>, signal?: AbortSignal): AsyncGenerator<T> {
    this.#enter()
    try {
      for (;;) {
        const next = await this.#turn(signal, () => items.next())
        if (next.done === true) return
        yield next.value
      }
    } finally {
      this.#open -= 1
      await items.return(undefined)
    }
  }

  async #opened<T>(work: () => Promise<T>): Promise<T> {
    this.#enter()
    try {
      return await work()
    } finally {
      this.#open -= 1
    }
  }

  #enter(): void {
    if (this.#open >= MAX_OPEN)
      throw new Problem('LIMIT_EXCEEDED', `${MAX_OPEN} readers of recordings are open already; try again in a moment`, { limit: `${MAX_OPEN} readers` })
    this.#open += 1
  }

  /** Whoever has done hands over to the one that has waited longest, so that nobody who comes just then gets in between. */
  async #turn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.#running < AT_ONCE) this.#running += 1
    else await this.#wait(signal)
    try {
      signal?.throwIfAborted()
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  /** Throws what the signal says, and waits no longer, when it fires. */
  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const go = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.push(go)
    })
  }
}
