import { messageOf } from '../../core/errors.ts'
import type { SpiTransport } from '../transport/spi-transport.ts'
import { type Alignment, decodeFrame, FRAME_BYTES } from './ems22a.ts'
import { every } from './every.ts'
import type { AzimuthReading, WheelCount } from './wheel-count.ts'

const SAMPLE_MS = 20 // 50 Hz
const ERRORS_BEFORE_REOPENING = 5

export type EncoderOptions = {
  readonly alignment: Alignment
  readonly open: () => Promise<SpiTransport>
  /** Steps that the motor has made so far, either way. */
  readonly steps: () => number
}

/** Reads the encoder fifty times a second for as long as it is open. */
export class DomeEncoder implements AsyncDisposable {
  readonly count: WheelCount
  readonly simulated: boolean
  readonly #options: EncoderOptions
  readonly #closing = new AbortController()
  readonly #sampling: Promise<void>
  #transport: SpiTransport | undefined
  #errorsInARow = 0
  #stepsAtLast = 0
  #sampled: (() => void)[] = []

  private constructor(count: WheelCount, transport: SpiTransport, options: EncoderOptions) {
    this.count = count
    this.simulated = transport.simulated
    this.#transport = transport
    this.#options = options
    this.#sampling = every(SAMPLE_MS, () => this.#sample(), this.#closing.signal)
  }

  static async open(count: WheelCount, options: EncoderOptions): Promise<DomeEncoder> {
    return new DomeEncoder(count, await options.open(), options)
  }

  azimuth(): AzimuthReading {
    return this.count.azimuth(secondsNow())
  }

  silence(): string | undefined {
    return this.count.silence(secondsNow())
  }

  /** Until the encoder has been asked once more: what is told after it is of now. */
  async nextSample(): Promise<void> {
    if (!this.#closing.signal.aborted) await new Promise<void>((resolve) => this.#sampled.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#sampling
    this.#tell()
    await this.#transport?.[Symbol.asyncDispose]()
  }

  async #sample(): Promise<void> {
    try {
      this.#transport ??= await this.#options.open()
      const bytes = await this.#transport.transfer(new Uint8Array(FRAME_BYTES))
      const steps = this.#options.steps()
      this.count.take(decodeFrame(bytes, this.#options.alignment), secondsNow(), steps !== this.#stepsAtLast)
      if (this.count.state === 'good') this.#stepsAtLast = steps
      this.#errorsInARow = 0
    } catch (error) {
      this.count.missed(messageOf(error))
      this.#errorsInARow += 1
      if (this.#errorsInARow >= ERRORS_BEFORE_REOPENING) await this.#close()
    }
    this.#tell()
  }

  async #close(): Promise<void> {
    this.#errorsInARow = 0
    const transport = this.#transport
    this.#transport = undefined
    await transport?.[Symbol.asyncDispose]()
  }

  #tell(): void {
    for (const resolve of this.#sampled.splice(0)) resolve()
  }
}

function secondsNow(): number {
  return performance.now() / 1000
}
