/** Waiting for each client that reads slowly, and no more. */
export const PIECE_BYTES = 256 * 1024

/**
 * A client that takes nothing for so long is cut: it holds open files, and a reader of recordings, of which there are few. Twice what web servers give, because
 * a notebook may compute for a while between two reads; what was cut can be gone on with by a range. Of a client that is only slow, the kernel tells in steps of
 * a third of its buffer (of 4 MB at most): 11 kB/s is enough at any rate.
 */
export const CLIENT_STALL_MS = 120_000

/** The signal fires when the client has not taken a piece for stallMs. While it is we who are slow, it has all the time. */
export class ClientPatience {
  readonly #stallMs: number
  readonly #stalled = new AbortController()
  #deadline: NodeJS.Timeout | undefined

  constructor(stallMs: number) {
    this.#stallMs = stallMs
  }

  get signal(): AbortSignal {
    return this.#stalled.signal
  }

  /** To be asked for the next piece when the one before has been taken. The last one is waited for until end(). */
  async *pieces(items: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const item of items) {
      for (let at = 0; at < item.byteLength; at += PIECE_BYTES) {
        this.#begin()
        yield item.subarray(at, at + PIECE_BYTES)
        this.end()
      }
    }
    this.#begin()
  }

  end(): void {
    clearTimeout(this.#deadline)
  }

  #begin(): void {
    this.#deadline = setTimeout(() => this.#stalled.abort(), this.#stallMs)
  }
}
