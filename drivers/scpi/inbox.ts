import { patience } from '../transport/patience.ts'

const MAX_STORED = 64 // answers that nobody has asked for yet; one is outstanding at a time

/** Holds what has come until somebody takes it, one after the other. */
export class Inbox {
  readonly #messages: string[] = []
  #arrived: (() => void) | undefined

  put(...messages: readonly string[]): void {
    this.#messages.push(...messages)
    if (this.#messages.length > MAX_STORED) this.#messages.splice(0, this.#messages.length - MAX_STORED)
    if (messages.length > 0) this.#arrived?.()
  }

  clear(): void {
    this.#messages.length = 0
  }

  /** undefined when none came until `deadlineMs` (by performance.now()) or the signal. One caller at a time. */
  async next(deadlineMs: number, signal: AbortSignal): Promise<string | undefined> {
    while (this.#messages.length === 0 && !signal.aborted) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) return undefined
      await this.#wait(leftMs, signal)
    }
    return signal.aborted ? undefined : this.#messages.shift()
  }

  async #wait(withinMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        endWaiting()
        signal.removeEventListener('abort', done)
        if (this.#arrived === done) this.#arrived = undefined
        resolve()
      }
      const endWaiting = patience(withinMs, done)
      signal.addEventListener('abort', done, { once: true })
      this.#arrived = done
    })
  }
}
