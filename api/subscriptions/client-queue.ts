import type { SharedText } from './shared-text.ts'
import { type LiveSource, Wake } from './source.ts'

/** An event of a shared execution: what it was made from, and the text that every client gets. */
export type SharedEvent = { readonly item: unknown; readonly text: SharedText }

/** Of LATEST. A client that is this far behind needs the present, not the past. */
const MAX_LATEST = 8
/** Of EVERY: some seconds of a busy lab, and no more memory than that for a client that has stopped. */
const MAX_EVERY = 2_000
const MAX_EVERY_CHARACTERS = 16_000_000

/**
 * What one client has still to get. Its reader waits until the socket has taken what came before, so a slow client fills its own queue and nothing else.
 * When that is full, LATEST goes over to the present and counts what it left out; EVERY says where it broke off, and ends.
 */
export class ClientQueue {
  readonly #source: LiveSource<unknown> | undefined
  readonly #textOf: (item: unknown) => Promise<SharedText>
  readonly #onDrop: (count: number) => void
  readonly #wake = new Wake()
  readonly #gone = new AbortController()
  #events: SharedEvent[] = []
  #characters = 0
  #first: unknown
  #last: unknown
  #needsPresent = false
  #missed = 0
  #ended = false
  #lastWord: (() => Promise<SharedText>) | undefined

  constructor(source: LiveSource<unknown> | undefined, textOf: (item: unknown) => Promise<SharedText>, onDrop: (count: number) => void) {
    this.#source = source
    this.#textOf = textOf
    this.#onDrop = onDrop
  }

  push(event: SharedEvent): void {
    if (this.#ended || this.#gone.signal.aborted) return
    if (this.#source?.delivery === 'EVERY') this.#pushEvery(event)
    else this.#pushLatest(event)
    this.#wake.wake()
  }

  /** Before anything else: the present, for one who joins late. Of EVERY it is that of this moment, so that what comes next follows on it. */
  catchUp(): void {
    if (this.#source?.delivery === 'EVERY') this.#first = this.#source.present?.(0)
    else this.#needsPresent = true
    this.#wake.wake()
  }

  /** After what waits, and after the last word where there is one, the subscription is over. */
  end(lastWord?: SharedText): void {
    if (this.#ended) return
    this.#ended = true
    if (lastWord !== undefined) this.#lastWord = () => Promise.resolve(lastWord)
    this.#wake.wake()
  }

  leave(): void {
    this.#gone.abort()
    this.#events = []
  }

  async *texts(): AsyncGenerator<SharedText, void, void> {
    const { signal } = this.#gone
    while (!signal.aborted) {
      if (this.#first !== undefined) {
        const item = this.#first
        this.#first = undefined
        this.#last = item
        yield await this.#textOf(item)
        continue
      }
      if (this.#needsPresent) {
        const text = await this.#present()
        if (text !== undefined) yield text
        continue
      }
      const next = this.#events.shift()
      if (next !== undefined) {
        this.#characters -= next.text.length
        this.#last = next.item
        yield next.text
        continue
      }
      if (this.#ended) {
        if (this.#lastWord !== undefined) yield await this.#lastWord()
        return
      }
      await this.#wake.wait(signal)
    }
  }

  async #present(): Promise<SharedText | undefined> {
    const missed = this.#missed
    this.#needsPresent = false
    this.#missed = 0
    const item = this.#source?.present?.(missed)
    return item === undefined ? undefined : this.#textOf(item)
  }

  #pushLatest(event: SharedEvent): void {
    if (this.#needsPresent) {
      this.#drop(1)
      return
    }
    this.#events.push(event)
    if (this.#events.length <= MAX_LATEST) return
    this.#drop(this.#events.length)
    this.#events = []
    this.#needsPresent = true
  }

  #drop(count: number): void {
    this.#missed += count
    this.#onDrop(count)
  }

  #pushEvery(event: SharedEvent): void {
    if (this.#events.length < MAX_EVERY && this.#characters < MAX_EVERY_CHARACTERS) {
      this.#events.push(event)
      this.#characters += event.text.length
      return
    }
    this.#onDrop(1)
    const delivered = this.#events.at(-1)?.item ?? this.#last
    const gap = this.#source?.behind?.(delivered, event.item)
    this.#ended = true
    if (gap !== undefined) this.#lastWord = () => this.#textOf(gap)
  }
}
