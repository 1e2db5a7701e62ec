/**
 * Where the events of a subscription come from. graphql-js iterates it like any other; the hub of shared.ts also asks for what one needs who joins late or
 * falls behind.
 */
export interface LiveSource<Item> extends AsyncIterable<Item> {
  /** LATEST: what counts is the newest; one who falls behind gets the present again. EVERY: one who falls behind is told so and ended. */
  readonly delivery: 'LATEST' | 'EVERY'
  /** Others with the same subscription may share it while it runs. */
  readonly joinable: boolean
  /**
   * The present, for one who joins late or fell behind; undefined where nothing has to come first. Of EVERY it holds what was yielded and taken up to now,
   * and not what is just on its way.
   */
  readonly present?: (dropped: number) => Item | undefined
  /** Of EVERY: the last item of one who fell behind. `last` is the newest that was delivered, `newest` the one that was not. */
  readonly behind?: (last: Item | undefined, newest: Item) => Item
}

export type LiveOptions<Item> = Omit<LiveSource<Item>, typeof Symbol.asyncIterator> & {
  /** Ends soon after the signal fires. */
  readonly run: (signal: AbortSignal) => AsyncGenerator<Item, void, void>
}

export function liveSource<Item>({ run, ...rest }: LiveOptions<Item>): LiveSource<Item> {
  return {
    ...rest,
    [Symbol.asyncIterator]() {
      const stop = new AbortController()
      const items = run(stop.signal)
      return {
        next: () => items.next(),
        async return() {
          stop.abort()
          return items.return()
        },
      }
    },
  }
}

export function isLiveSource(value: unknown): value is LiveSource<unknown> {
  return typeof value === 'object' && value !== null && 'delivery' in value && Symbol.asyncIterator in value
}

/** Wakes one waiter; a wake while nobody waits is kept, so none is lost between a look and a wait. */
export class Wake {
  #woken = false
  #resolve: (() => void) | undefined

  readonly wake = (): void => {
    this.#woken = true
    this.#resolve?.()
  }

  /** Resolves when woken, or when the signal fires. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          resolve()
        }
        this.#resolve = done
        signal.addEventListener('abort', done, { once: true })
      })
      this.#resolve = undefined
    }
    this.#woken = false
  }
}
