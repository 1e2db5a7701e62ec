const PUMP_WATTS = 13.43 // as recorded, at full power
const PUMP_RAMP_SECONDS = 8
const PEAK_WATTS = 3
const PEAK_NM = 820
const GAIN_WIDTH_NM = 120 // of the titanium's gain, as a Gaussian's standard deviation
const TUNING_NM_PER_SECOND = 50
const MODE_LOCK_SECONDS = 0.5 // after it stands; until then it runs continuously, with less
const CONTINUOUS_PART = 0.8
const SHUTTER_SECONDS = 0.05

export const RANGE_NM = { minimum: 690, maximum: 1040 } as const

/** What happens inside the laser: warm-up, pump, tuning, mode-locking, shutter. Seconds are on the lab's clock. */
export class SimulatedLaser {
  readonly #warmUpSeconds: number
  readonly #poweredAt: number
  #emittingSince: number | undefined
  #target = 800
  #from = 800
  #tunedAt = Number.NEGATIVE_INFINITY
  #shutter = false
  #shutterAt = Number.NEGATIVE_INFINITY
  pumpFault = 0

  constructor(options: { readonly warmUpSeconds: number; readonly poweredAt: number; readonly wavelength: number }) {
    this.#warmUpSeconds = options.warmUpSeconds
    this.#poweredAt = options.poweredAt
    this.#target = options.wavelength
    this.#from = options.wavelength
  }

  warmUpPercent(seconds: number): number {
    return this.#warmUpSeconds === 0 ? 100 : Math.min(100, Math.max(0, ((seconds - this.#poweredAt) / this.#warmUpSeconds) * 100))
  }

  get emitting(): boolean {
    return this.#emittingSince !== undefined
  }

  /** false: a cold laser, or one with a fault, does not start. */
  switchOn(seconds: number): boolean {
    if (this.warmUpPercent(seconds) < 100 || this.pumpFault !== 0) return false
    this.#emittingSince ??= seconds
    return true
  }

  switchOff(): void {
    this.#emittingSince = undefined
  }

  get setpoint(): number {
    return this.#target
  }

  tune(nanometres: number, seconds: number): void {
    this.#from = this.wavelength(seconds)
    this.#target = nanometres
    this.#tunedAt = seconds
  }

  wavelength(seconds: number): number {
    const way = this.#target - this.#from
    const gone = Math.min(Math.abs(way), Math.max(0, seconds - this.#tunedAt) * TUNING_NM_PER_SECOND)
    return this.#from + Math.sign(way) * gone
  }

  modeLocked(seconds: number): boolean {
    const standsAt = this.#tunedAt + Math.abs(this.#target - this.#from) / TUNING_NM_PER_SECOND
    return this.emitting && seconds - standsAt >= MODE_LOCK_SECONDS && this.pumpWatts(seconds) === PUMP_WATTS
  }

  moveShutter(open: boolean, seconds: number): void {
    if (open === this.#shutter) return
    this.#shutter = open
    this.#shutterAt = seconds
  }

  shutterOpen(seconds: number): boolean {
    return seconds - this.#shutterAt < SHUTTER_SECONDS ? !this.#shutter : this.#shutter
  }

  pumpWatts(seconds: number): number {
    return this.#emittingSince === undefined ? 0 : PUMP_WATTS * Math.min(1, (seconds - this.#emittingSince) / PUMP_RAMP_SECONDS)
  }

  /** Inside the head: its meter is before the shutter. */
  outputWatts(seconds: number): number {
    const detuning = (this.wavelength(seconds) - PEAK_NM) / GAIN_WIDTH_NM
    const locked = this.modeLocked(seconds) ? 1 : CONTINUOUS_PART
    return PEAK_WATTS * Math.exp((-detuning * detuning) / 2) * (this.pumpWatts(seconds) / PUMP_WATTS) * locked
  }
}
