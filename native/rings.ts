import type { Roi } from '../core/device.ts'
import type { FrameRecording } from '../core/frame.ts'
import type { AddonRing } from './addon.ts'
import { withProblems, withProblemsLater } from './faults.ts'
import type { FrameRing, FrameStamp, FrameTap, PatternOptions, RecordingOptions, RingFrame, TapOptions, ThreadTimes } from './types.ts'

const KEPT_STAMPS = 4096 // kKeptStamps of native/src/ring.h

/** A ring of this process or, mapped read-only, of another one. */
export class NativeRing implements FrameRing {
  readonly path: string
  readonly slots: number
  readonly width: number
  readonly height: number
  readonly frameBytes: number
  readonly saturation: number
  readonly regions: readonly Roi[]
  #ring: AddonRing
  #disposed = false

  constructor(ring: AddonRing) {
    this.#ring = ring
    this.path = ring.path
    this.slots = ring.slots
    this.width = ring.width
    this.height = ring.height
    this.frameBytes = ring.frameBytes
    this.saturation = ring.saturation
    this.regions = ring.regions
  }

  get disposed(): boolean {
    return this.#disposed
  }

  get published(): bigint {
    return withProblems('NONE', () => this.#ring.published)
  }

  /** No more frames will come. A writer that was killed closes nothing. */
  get closed(): boolean {
    return withProblems('NONE', () => this.#ring.closed)
  }

  stamps(from: bigint, most: number = KEPT_STAMPS): readonly FrameStamp[] {
    return withProblems('NONE', () => this.#ring.stamps(from, most))
  }

  /** The frame that was published as number `index` (from 0); undefined when it is not in the ring, not yet or no more. With `into`, as long as a frame, the pixels are copied there. */
  frame(index: bigint, into?: Uint16Array): RingFrame | undefined {
    return withProblems('NONE', () => this.#ring.frame(index, into))
  }

  /** The newest whole frame; undefined unless its sequence is above `after`. */
  tap(options: TapOptions): Promise<FrameTap | undefined> {
    return withProblemsLater('NONE', () => this.#ring.tap(options))
  }

  /** From the next frame on. Only in the process that writes the ring. */
  record(options: RecordingOptions): FrameRecording {
    return withProblems('NONE', () => this.#ring.record(options))
  }

  /**
   * Fills the ring without a camera (tests, benchmarks): at `rateHz`, or as fast as a recording takes the frames. Then closes the ring. Pixel i of frame n is
   * (i + 7n) mod 65536 in the first row and 31 (i mod period) mod 65536 below it. Resolves at the end, with what its thread took.
   */
  startTestPattern(options: PatternOptions): Promise<ThreadTimes> {
    return withProblems('NONE', () => this.#ring.startTestPattern(options))
  }

  /** Removes the file; who has mapped it keeps what he sees. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.#ring.dispose()
  }
}
