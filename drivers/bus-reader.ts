const MAX_LINE_BYTES = 1024 // twice the longest documented reply; a stuck or wrong-baud line must not fill memory
const STALE_AFTER_MS = 50 // half a line that nothing was added to for so long never ends: a byte takes a millisecond
const NOT_TEXT = /^[^\x20-\x7e]+/ // noise between two packets
const SHOWN_LENGTH = 60

type Expected = { readonly take: (line: string) => boolean } | { readonly header: string; readonly length: number; readonly give: (bytes: Uint8Array) => void }

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
    return this.#wait<string>(
      (give) => ({
        take: (line) => {
          if (!shape.test(line)) return false
          give(line)
          return true
        },
      }),
      deadlineMs,
      signal,
    )
  }

  /** The `length` bytes after `header`, which stands where a line begins. */
  bytes(header: string, length: number, deadlineMs: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#wait<Uint8Array>((give) => ({ header, length, give }), deadlineMs, signal)
  }

  #wait<T>(expect: (give: (answer: T) => void) => Expected, deadlineMs: number, signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const done = (answer: T | undefined): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        if (this.#expected === expected) this.#expected = undefined
        resolve(answer)
      }
      const giveUp = (): void => done(undefined)
      const expected = expect(done)
      const timer = setTimeout(giveUp, Math.max(0, deadlineMs - performance.now()))
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      this.#expected = expected
    })
  }

  #takeBytes(): boolean {
    const expected = this.#expected
    if (expected === undefined || 'take' in expected) return false
    this.#partial = this.#partial.replace(/^[\r\n]+/, '')
    const end = expected.header.length + expected.length
    if (!this.#partial.startsWith(expected.header) || this.#partial.length < end) return false
    const bytes = Buffer.from(this.#partial.slice(expected.header.length, end), 'latin1')
    this.#partial = this.#partial.slice(end)
    expected.give(bytes)
    return true
  }

  #takeLine(): boolean {
    const expected = this.#expected
    const inBytes =
      expected !== undefined && 'header' in expected && this.#partial !== '' && expected.header.startsWith(this.#partial.slice(0, expected.header.length))
    const end = inBytes ? -1 : this.#partial.indexOf(this.#terminator)
    if (end < 0) return false
    const line = this.#partial.slice(0, end).replace(NOT_TEXT, '').trimEnd()
    this.#partial = this.#partial.slice(end + this.#terminator.length)
    if (line === '') return true
    if (expected !== undefined && 'take' in expected && expected.take(line)) return true
    this.#other = line
    this.#unasked(line)
    return true
  }
}
