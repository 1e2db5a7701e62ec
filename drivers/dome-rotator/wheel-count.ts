import { shortestArc, wrap360 } from '../../core/dome-geometry.ts'
import { COUNTS_PER_TURN, type EncoderFrame, type FrameFault } from './ems22a.ts'

/**
 * From the encoder's wheel, which turns 46 times while the dome turns once, to the dome's azimuth: differences are added to a running total, and the
 * recalibration switch says what the total is worth. Time is given to it.
 */

export type WheelOptions = {
  /** Of DriftApp's kind: azimuth = total / 1024 x 360 x factor x sign. */
  readonly factor: number
  readonly sign: 1 | -1
  /** What the total is at the recalibration switch. */
  readonly switchTotal: number
  /** Of the dome, in degrees per second: what turns the wheel faster is no motion. */
  readonly fastest: number
}

export type AzimuthReading =
  | { readonly azimuth: number; readonly doubtful?: string }
  /** There is no azimuth, and why. */
  | { readonly bad: string }

export type FrameState = FrameFault | 'good' | 'jump' | 'unanswered'
export const FRAME_STATES = [
  'good',
  'jump',
  'unanswered',
  'short',
  'parity',
  'not-ready',
  'overflow',
  'linearity',
  'field',
] as const satisfies readonly FrameState[]
export type FrameCounters = Readonly<Record<FrameState, number>>

const STALE_AFTER_SECONDS = 0.5 // a healthy encoder is read fifty times a second
const JUMP_DEGREES = 30 // of the wheel, within a sample; at 0.7 deg/s of the dome it turns 0.6 deg in one
const JUMPS_IN_A_ROW = 5 // then the new place is believed, and the count is lost
const MEDIAN_OF = 5
const MEDIAN_FROM = 3
const HALF_TURN = 180 // degrees of the wheel: turned farther between two frames, it may have gone round
const COUNTS_PER_DEGREE = COUNTS_PER_TURN / 360 // of the wheel
const TOTAL_PER_TURN = 1024 // the divisor of DriftApp's formula; its factor is made for it

export class WheelCount {
  readonly #options: WheelOptions
  readonly #counters = { good: 0, jump: 0, unanswered: 0, short: 0, parity: 0, 'not-ready': 0, overflow: 0, linearity: 0, field: 0 }
  /** Counts since the start, and what is to be added for the total; undefined while nobody knows. */
  #turned = 0
  #offset: number | undefined
  #counts: number | undefined
  #raw: number | undefined
  #atSeconds = Number.NEGATIVE_INFINITY
  #history: number[] = []
  #jumpsInARow = 0
  #fault: FrameState = 'unanswered'
  #why = 'it has not been asked yet'
  #calibrated = false
  /** To be resumed at the first frame. */
  #remembered: { readonly azimuth: number; readonly counts: number } | undefined

  constructor(options: WheelOptions) {
    this.#options = options
  }

  /** A frame came. `moved`: the motor has turned since the last one, so that after a long gap nobody knows how often the wheel went round. */
  take(frame: EncoderFrame, seconds: number, moved: boolean): void {
    if ('fault' in frame) {
      this.#counters[frame.fault] += 1
      this.#note(frame.fault, DESCRIPTIONS[frame.fault])
      return
    }
    const difference = this.#counts === undefined ? 0 : wrapHalf(frame.counts - this.#counts)
    const possible = this.#counts === undefined ? 0 : (seconds - this.#atSeconds) * this.#wheelSpeed()
    if (moved && possible > HALF_TURN) this.loseCount()
    else if (Math.abs(difference) / COUNTS_PER_DEGREE > Math.max(JUMP_DEGREES, possible)) return this.#jump(frame.counts, frame.raw)
    this.#counters.good += 1
    if (frame.doubtful !== undefined) this.#counters[frame.doubtful] += 1
    this.#note(frame.doubtful ?? 'good', frame.doubtful === undefined ? '' : DESCRIPTIONS[frame.doubtful])
    this.#jumpsInARow = 0
    this.#counts = frame.counts
    this.#raw = frame.raw
    this.#atSeconds = seconds
    this.#turned += difference
    this.#history = [...this.#history, this.#turned].slice(-MEDIAN_OF)
    if (this.#remembered !== undefined) this.resume(this.#remembered.azimuth, this.#remembered.counts)
  }

  /** No frame came. */
  missed(reason: string): void {
    this.#counters.unanswered += 1
    this.#note('unanswered', reason)
  }

  /** The recalibration switch was passed. Returns how far off the azimuth was, if there was one. */
  atSwitch(): number | undefined {
    const before = this.#offset === undefined ? undefined : this.#degreesOf(this.#turned + this.#offset)
    this.#setTotal(this.#options.switchTotal)
    this.#calibrated = true
    return before === undefined ? undefined : shortestArc(this.#degreesOf(this.#options.switchTotal), before)
  }

  /** Somebody says where the dome is. `certain`: as well as the switch does. */
  set(azimuth: number, certain: boolean): void {
    const { factor, sign } = this.#options
    this.#setTotal((azimuth * TOTAL_PER_TURN * sign) / (360 * factor))
    this.#calibrated = certain
  }

  /** As set, of an azimuth that was true when the encoder was at `counts`: the wheel has made less than half a turn since, or nobody can tell. */
  resume(azimuth: number, counts: number): void {
    this.#remembered = { azimuth, counts }
    if (this.#counts !== undefined) this.set(azimuth + this.#degreesOf(wrapHalf(this.#counts - counts)), false)
  }

  /** The azimuth goes on, doubtful, until the switch or a person says. */
  loseCount(): void {
    this.#calibrated = false
  }

  azimuth(seconds: number): AzimuthReading {
    const silent = this.silence(seconds)
    if (silent !== undefined) return { bad: silent }
    if (this.#offset === undefined) return { bad: 'the azimuth is not known: calibrate at the switch, or set it' }
    const azimuth = wrap360(this.#degreesOf(median(this.#history) + this.#offset))
    const doubtful = this.#why !== '' ? this.#why : this.#calibrated ? undefined : 'not calibrated'
    return doubtful === undefined ? { azimuth } : { azimuth, doubtful }
  }

  /** Why there is no position of the wheel; undefined: there is a fresh one. */
  silence(seconds: number): string | undefined {
    const why = this.#why === '' ? '' : ` (${this.#why})`
    if (this.#counts === undefined) return `the encoder has given no position yet${why}`
    const age = seconds - this.#atSeconds
    return age > STALE_AFTER_SECONDS ? `the encoder's last position is ${age.toFixed(1)} s old${why}` : undefined
  }

  /** How far the dome has turned since the start, in degrees, whether or not the azimuth is known. */
  get turned(): number {
    return this.#degreesOf(this.#turned)
  }

  /** What the last frame was. */
  get state(): FrameState {
    return this.#fault
  }

  /** Whether the last frame gave a position, if a doubtful one. */
  get answered(): boolean {
    return this.#fault === 'good' || this.#fault === 'linearity' || this.#fault === 'field'
  }

  /** Of the last frame that was taken, in COUNTS_PER_TURN. */
  get counts(): number | undefined {
    return this.#counts
  }

  get raw(): number | undefined {
    return this.#raw
  }

  get calibrated(): boolean {
    return this.#calibrated
  }

  get counters(): FrameCounters {
    return this.#counters
  }

  #note(state: FrameState, why: string): void {
    this.#fault = state
    this.#why = why
  }

  #jump(counts: number, raw: number): void {
    this.#counters.jump += 1
    this.#note('jump', 'the encoder jumped')
    this.#jumpsInARow += 1
    if (this.#jumpsInARow < JUMPS_IN_A_ROW) return
    this.#jumpsInARow = 0
    this.#counts = counts
    this.#raw = raw
    this.loseCount()
  }

  #setTotal(total: number): void {
    this.#remembered = undefined
    this.#offset = total - this.#turned
    this.#history = [this.#turned]
  }

  #degreesOf(counts: number): number {
    return (counts / TOTAL_PER_TURN) * 360 * this.#options.factor * this.#options.sign
  }

  /** The fastest, in degrees of the wheel per second. */
  #wheelSpeed(): number {
    return (this.#options.fastest * TOTAL_PER_TURN) / (COUNTS_PER_TURN * this.#options.factor)
  }
}

const DESCRIPTIONS: Readonly<Record<FrameFault, string>> = {
  short: 'a frame of the wrong length',
  parity: 'a frame with wrong parity',
  'not-ready': "the encoder's offset compensation has not finished",
  overflow: 'CORDIC overflow: the position is invalid',
  linearity: 'linearity alarm',
  field: "the magnet's field is out of range",
}

/** The short way round the wheel. */
function wrapHalf(counts: number): number {
  const half = COUNTS_PER_TURN / 2
  return ((((counts + half) % COUNTS_PER_TURN) + COUNTS_PER_TURN) % COUNTS_PER_TURN) - half
}

/** The newest until there are enough. */
function median(values: readonly number[]): number {
  if (values.length < MEDIAN_FROM) return values.at(-1) ?? 0
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
