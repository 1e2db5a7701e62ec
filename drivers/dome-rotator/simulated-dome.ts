import { wrap360 } from '../../core/dome-geometry.ts'
import { gaussian } from '../simulation/simulator.ts'
import { type EncoderStatus, encodeFrame, HEALTHY, POSITIONS } from './ems22a.ts'

export type EncoderTrouble = 'S1' | 'S2' | 'S3' | 'field' | 'parity' | 'no-answer' | 'frozen'

export type DomeOptions = {
  readonly random: () => number
  readonly azimuth?: number
  /** Of the dome's travel: what the motor turns and the dome does not. */
  readonly slip?: number
  /** Degrees of the motor that turn nothing when it changes its direction. */
  readonly backlash?: number
  /** Degrees for which the recalibration switch is pressed; the real one's is not known. */
  readonly switchWidth?: number
  /** Standard deviation of the encoder, in its positions. */
  readonly noise?: number
}

const STEPS_PER_DEGREE = 5394.07
const WHEEL_TURNS = 2303 / 50 // of the 50 mm wheel on the 2303 mm ring
const SWITCH_AT = 45
const JUMP = 300 // positions: 105 deg of the wheel

/** The dome itself: what the motor's steps do to it, and what its encoder and its switch see. */
export class SimulatedDome {
  trouble: EncoderTrouble | undefined
  /** The recalibration switch is not pressed by anything. */
  switchBroken = false
  readonly #random: () => number
  readonly #slip: number
  readonly #backlash: number
  readonly #noise: number
  readonly #switchWidth: number
  /** True azimuth, not wrapped. */
  #angle: number
  /** How much of the backlash is open towards rising azimuth. */
  #slack = 0
  #shift = 0
  #frozen = 0

  constructor({ random, azimuth = 40, slip = 0.007, backlash = 0.03, switchWidth = 0.3, noise = 0.2 }: DomeOptions) {
    this.#random = random
    this.#angle = azimuth
    this.#slip = slip
    this.#backlash = backlash
    this.#noise = noise
    this.#switchWidth = switchWidth
  }

  get azimuth(): number {
    return wrap360(this.#angle)
  }

  /** Rising azimuth positive. */
  step(steps: number): void {
    const motor = steps / STEPS_PER_DEGREE
    const taken = motor > 0 ? Math.min(motor, this.#slack) : Math.max(motor, this.#slack - this.#backlash)
    this.#slack -= taken
    this.#angle += (motor - taken) * (1 - this.#slip)
  }

  /** From one sample to the next the wheel is somewhere else, as after a slip. */
  jump(): void {
    this.#shift += JUMP
  }

  /** What the encoder sends in this SPI mode; nothing when it does not answer. */
  frame(mode: number): Uint8Array {
    if (this.trouble === 'no-answer') return new Uint8Array()
    if (this.trouble !== 'frozen') this.#frozen = this.#position()
    const word = encodeFrame(this.#frozen, (this.trouble && STATUS[this.trouble]) ?? HEALTHY) ^ (this.trouble === 'parity' ? 1 : 0)
    const seen = mode === 1 ? word : word >> 1 // sampled on the other edge, every bit comes late
    return Uint8Array.of(seen >> 8, seen & 0xff)
  }

  /** Of the recalibration switch: low while the dome is on it. */
  switchLevel(): boolean {
    return this.switchBroken || Math.abs(this.azimuth - SWITCH_AT) > this.#switchWidth / 2
  }

  #position(): number {
    const turns = (-this.#angle / 360) * WHEEL_TURNS
    const position = Math.floor(turns * POSITIONS + this.#shift + this.#noise * gaussian(this.#random))
    return ((position % POSITIONS) + POSITIONS) % POSITIONS
  }
}

const STATUS: Partial<Readonly<Record<EncoderTrouble, EncoderStatus>>> = {
  S1: { ...HEALTHY, finished: false },
  S2: { ...HEALTHY, overflow: true },
  S3: { ...HEALTHY, linearity: true },
  field: { ...HEALTHY, increasing: true, decreasing: true },
}
