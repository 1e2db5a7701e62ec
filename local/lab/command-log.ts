import { appendFileSync, renameSync, statSync } from 'node:fs'

const MAX_BYTES = 1024 * 1024 // about 30 000 commands; the older half is in `<path>.1`

/**
 * What an instrument was told to do, one line each with its time: evidence that a command reached it once. Written at once and in order, since whoever
 * reads it may have killed the sender a moment ago.
 */
export class CommandLog {
  readonly #path: string
  #bytes: number

  constructor(path: string) {
    this.#path = path
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  }

  append(command: string): void {
    const line = `${new Date().toISOString()} ${command}\n`
    if (this.#bytes + line.length > MAX_BYTES) {
      renameSync(this.#path, `${this.#path}.1`)
      this.#bytes = 0
    }
    appendFileSync(this.#path, line)
    this.#bytes += line.length
  }
}
