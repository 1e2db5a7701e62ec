import { patience } from './patience.ts'

const MAX_LINE_BYTES = 1024 // the longest documented reply has 60; a stuck or wrong-baud line must not fill memory
const MAX_STORED_LINES = 64 // lines that nobody has asked for yet

/** Cuts bytes into lines and hands them out one by one. */
export class LineReader {
  readonly #terminator: string
  readonly #lines: string[] = []
  #partial = ''
  #arrived: (() => void) | undefined

  constructor(terminator: string) {
    this.#terminator = terminator
  }

  take(bytes: Uint8Array): void {
    const parts = (this.#partial + Buffer.from(bytes).toString('latin1')).split(this.#terminator)
    this.#partial = (parts.pop() ?? '').slice(-MAX_LINE_BYTES)
    this.#lines.push(...parts.map((part) => part.trim()).filter((line) => line !== ''))
    if (this.#lines.length > MAX_STORED_LINES) this.#lines.splice(0, this.#lines.length - MAX_STORED_LINES)
    this.#arrived?.()
  }

  forget(): void {
    this.#lines.length = 0
    this.#partial = ''
  }

  /** The next line; undefined when none came until `deadlineMs` (by performance.now()) or the signal. One caller at a time. */
  async next(deadlineMs: number, signal: AbortSignal): Promise<string | undefined> {
    while (this.#lines.length === 0 && !signal.aborted) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) break
      await this.#wait(leftMs, signal)
    }
    return signal.aborted ? undefined : this.#lines.shift()
  }

  async #wait(withinMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        endWaiting()
        signal.removeEventListener('abort', done)
        this.#arrived = undefined
        resolve()
      }
      const endWaiting = patience(withinMs, done)
      signal.addEventListener('abort', done, { once: true })
      this.#arrived = done
    })
  }
}
