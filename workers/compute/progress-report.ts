import { messageOf } from '../../core/errors.ts'
import { MAX_LOG_LINES } from '../../core/job.ts'

const WRITE_MS = 200 // five writes a second: a bar that moves, and a database that does not notice

type Write = (progress: number, text: string | undefined, lines: readonly string[]) => Promise<void>

/** The newest progress of one job, written now and then. A write that fails is nothing to stop for: the next one says more. */
export class ProgressReport {
  readonly #write: Write
  readonly #complain: (line: string) => void
  #lines: string[]
  #progress = 0
  #text: string | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(lines: readonly string[], write: Write, complain: (line: string) => void) {
    this.#lines = [...lines]
    this.#write = write
    this.#complain = complain
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  set(progress: number, text?: string): void {
    this.#progress = Math.min(1, Math.max(0, progress))
    if (text !== undefined) this.#text = text
    this.#plan()
  }

  log(line: string): void {
    this.#lines = [...this.#lines, line].slice(-MAX_LOG_LINES)
    this.#plan()
  }

  /** Nothing is written any more once this resolves. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#writing
  }

  #plan(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#writing
        .then(() => this.#write(this.#progress, this.#text, this.#lines))
        .catch((error: unknown) => this.#complain(`progress was not written: ${messageOf(error)}`))
    }, WRITE_MS)
  }
}
