import { setTimeout as pause } from 'node:timers/promises'
import type { NativeRing } from './rings.ts'
import type { RingFrame } from './types.ts'

const POLL_MS = 1 // a ring has no bell that rings in another process; 1 ms is short beside the 23 ms of a full frame at 43 Hz

/**
 * Frames of a ring one after the other, in any process. It holds nobody up: a reader that the writer laps loses frames, counts them, and goes on at a whole one.
 */
export class RingReader {
  readonly #ring: NativeRing
  readonly #into: Uint16Array | undefined
  #next: bigint
  #lost = 0n

  /**
   * From publication `from` on; absent: from the next one. With `into`, as long as a frame, every frame is copied there, and is good until the next one is asked
   * for: at the rate of a camera, new memory for each takes longer than the copy. Who maps the ring disposes of it.
   */
  constructor(ring: NativeRing, from?: bigint, into?: Uint16Array) {
    this.#ring = ring
    this.#into = into
    this.#next = from ?? ring.published
  }

  /** Frames that were overwritten before this reader came to them. Those that the source lost are gaps of `sequence`. */
  get lost(): bigint {
    return this.#lost
  }

  /** The next frame; undefined until it is there. */
  next(): RingFrame | undefined {
    for (;;) {
      const { published } = this.#ring
      if (this.#next >= published) return undefined
      const frame = this.#isLapped(published) ? undefined : this.#ring.frame(this.#next, this.#into)
      if (frame !== undefined) {
        this.#next += 1n
        return frame
      }
      this.#catchUp()
    }
  }

  /** All that come, until the writer closes the ring. */
  async *frames(signal?: AbortSignal): AsyncGenerator<RingFrame> {
    for (;;) {
      signal?.throwIfAborted()
      const { closed } = this.#ring // before the last look: what is published is published before it closes
      const frame = this.next()
      if (frame !== undefined) yield frame
      else if (closed) return
      else await pause(POLL_MS, undefined, { signal })
    }
  }

  /** The slot of the oldest publication may be written at any moment. */
  #isLapped(published: bigint): boolean {
    return published - this.#next >= BigInt(this.#ring.slots)
  }

  /** Half a ring back, so that the writer is not at its heels again. A frame that was overwritten while it was copied means a whole lap, too. */
  #catchUp(): void {
    const behind = this.#ring.published - BigInt(this.#ring.slots >> 1)
    const target = behind > this.#next ? behind : this.#next + 1n
    this.#lost += target - this.#next
    this.#next = target
  }
}
