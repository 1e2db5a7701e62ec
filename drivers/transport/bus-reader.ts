import { patience } from './patience.ts'

const MAX_LINE_BYTES = 1024 // twice the longest documented reply; a stuck or wrong-baud line must not fill memory
const STALE_AFTER_MS = 50 // half a line that nothing was added to for so long never ends: a byte takes a millisecond
const NOT_TEXT = /^[^\x20-\x7e]+/ // noise between two packets
const SHOWN_LENGTH = 60

/** So many bytes after a header that stands where a line begins, or in their place a line of the shape `instead`. */
export type BytesShape = { readonly header: string; readonly length: number; readonly instead: RegExp }

type Expected = {
  /** Whether the line was what was waited for. */
  readonly take: (line: string) => boolean
  readonly bytes?: { readonly header: string; readonly length: number; readonly give: (bytes: Uint8Array) => void }
}

/** Cuts what arrives on a shared bus into lines; one may be waited for, the others go to `unasked`. Nothing is kept. */
export class BusReader {
  readonly #terminator: string
  readonly #unasked: (line: string) => void
  #partial = ''
  #lastByteMs = 0
  #expected: Expected | undefined
  /** The last line that was not what was waited for. */
  #other: string | undefined

  constructor(terminator: string, unasked: (line: string) => void) {
    this.#terminator = terminator
    this.#unasked = unasked
  }

  take(bytes: Uint8Array, nowMs: number): void {
    this.#partial += Buffer.from(bytes).toString('latin1')
    this.#lastByteMs = nowMs
    while (this.#takeBytes() || this.#takeLine());
    this.#partial = this.#partial.slice(-MAX_LINE_BYTES)
  }

  forgetStale(nowMs: number): void {
    if (nowMs - this.#lastByteMs > STALE_AFTER_MS) this.#partial = ''
    this.#other = undefined
  }

  /** What came instead, in words. */
  seen(): string {
    const other = this.#other ?? this.#partial
    return other === '' ? '' : `; it said ${JSON.stringify(other.slice(0, SHOWN_LENGTH))}`
  }

  /** The next line of this shape; undefined when none came until `deadlineMs` (by performance.now()) or the signal. One caller at a time. */
  line(shape: RegExp, deadlineMs: number, signal: AbortSignal): Promise<string | undefined> {
    return this.#wait<string>((give) => ({ take: lineOf(shape, give) }), deadlineMs, signal)
  }

  bytes({ header, length, instead }: BytesShape, deadlineMs: number, signal: AbortSignal): Promise<Uint8Array | string | undefined> {
    return this.#wait<Uint8Array | string>((give) => ({ take: lineOf(instead, give), bytes: { header, length, give } }), deadlineMs, signal)
  }

  #wait<T>(expect: (give: (answer: T) => void) => Expected, deadlineMs: number, signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const done = (answer: T | undefined): void => {
        endWaiting()
        signal.removeEventListener('abort', giveUp)
        if (this.#expected === expected) this.#expected = undefined
        resolve(answer)
      }
      const giveUp = (): void => done(undefined)
      const expected = expect(done)
      const endWaiting = patience(deadlineMs - performance.now(), giveUp)
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      this.#expected = expected
    })
  }

  #takeBytes(): boolean {
    const bytes = this.#expected?.bytes
    if (bytes === undefined) return false
    const { header, length, give } = bytes
    this.#partial = this.#partial.replace(/^[\r\n]+/, '')
    const end = header.length + length
    if (!this.#partial.startsWith(header) || this.#partial.length < end) return false
    const found = Buffer.from(this.#partial.slice(header.length, end), 'latin1')
    this.#partial = this.#partial.slice(end)
    give(found)
    return true
  }

  #takeLine(): boolean {
    const end = this.#mayBeBytes() ? -1 : this.#partial.indexOf(this.#terminator)
    if (end < 0) return false
    const line = this.#partial.slice(0, end).replace(NOT_TEXT, '').trimEnd()
    this.#partial = this.#partial.slice(end + this.#terminator.length)
    if (line === '' || this.#expected?.take(line) === true) return true
    this.#other = line
    this.#unasked(line)
    return true
  }

  /** What stands here began like the bytes that are waited for: a line's end among them is none. */
  #mayBeBytes(): boolean {
    const header = this.#expected?.bytes?.header
    return header !== undefined && this.#partial !== '' && header.startsWith(this.#partial.slice(0, header.length))
  }
}

function lineOf(shape: RegExp, give: (line: string) => void): (line: string) => boolean {
  return (line) => {
    const fits = shape.test(line)
    if (fits) give(line)
    return fits
  }
}
