import { ClientQueue, type SharedEvent } from './client-queue.ts'
import type { SharedText } from './shared-text.ts'
import { isLiveSource, type LiveSource } from './source.ts'

export type ExecutionOptions = {
  readonly source: AsyncIterable<unknown>
  /** Executes the document for one event and serialises the answer. */
  readonly textOf: (item: unknown) => Promise<SharedText>
  readonly textOfError: (error: unknown) => SharedText
  readonly onDrop: (count: number) => void
  /** Nobody listens any more, or the source is at its end. Called once. */
  readonly onEnd: () => void
}

/** One source for all who subscribed to the same; it runs while somebody listens. */
export class SharedExecution {
  readonly #options: ExecutionOptions
  readonly #live: LiveSource<unknown> | undefined
  readonly #iterator: AsyncIterator<unknown>
  readonly #clients = new Set<ClientQueue>()
  #over = false

  constructor(options: ExecutionOptions) {
    this.#options = options
    this.#live = isLiveSource(options.source) ? options.source : undefined
    this.#iterator = options.source[Symbol.asyncIterator]()
  }

  get clients(): number {
    return this.#clients.size
  }

  get joinable(): boolean {
    return !this.#over && this.#live?.joinable === true
  }

  /** The texts for one client; `return` leaves. */
  join(): AsyncIterableIterator<SharedText> {
    const late = this.#clients.size > 0
    const queue = new ClientQueue(this.#live, this.#options.textOf, this.#options.onDrop)
    this.#clients.add(queue)
    if (late) queue.catchUp()
    else void this.#pump()
    const texts = queue.texts()
    return {
      next: () => texts.next(),
      return: async () => {
        await this.#leave(queue)
        return texts.return()
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#iterator.next()
        if (done === true || this.#over) break
        const event: SharedEvent = { item: value, text: await this.#options.textOf(value) }
        for (const client of this.#clients) client.push(event)
      }
      for (const client of this.#clients) client.end()
    } catch (error) {
      for (const client of this.#clients) client.end(this.#options.textOfError(error))
    } finally {
      this.#end()
    }
  }

  async #leave(queue: ClientQueue): Promise<void> {
    queue.leave()
    this.#clients.delete(queue)
    if (this.#clients.size > 0 || this.#over) return
    this.#end()
    await this.#iterator.return?.()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#options.onEnd()
  }
}
