import { HOMING_ABORTED, type HomeMode } from './protocol.ts'
import { brake, inSequence, moveBetween, type Trajectory } from './trajectory.ts'

const EMERGENCY_DECELERATION = 400 // mm/s²: what AB brakes with, ten times the axes' own
const MAXIMUM_VELOCITY = 100
const MAXIMUM_ACCELERATION = 1000
/** Where the stage's own switches are, in its physical coordinate, in mm or degrees. */
export const HARDWARE_LIMITS = { minimum: -1, maximum: 26 } as const
const HOME_SWITCH = 0
const INDEX = { at: 0.05, every: 1 } // one pulse for each turn of the screw
const BACK_OFF = 0.3

/** How many of unit SN there are in a millimetre, or in a degree; a unit that is missing does not fit the stage. */
const PER_MILLIMETRE: Readonly<Record<number, number>> = { 0: 10_000, 1: 2000, 2: 1, 3: 1000, 4: 1 / 25.4, 5: 1000 / 25.4, 6: 1e6 / 25.4 }
const PER_DEGREE: Readonly<Record<number, number>> = { 0: 10_000, 1: 2000, 7: 1, 8: 10 / 9, 9: Math.PI / 180, 10: Math.PI / 0.18, 11: (Math.PI / 180) * 1e6 }

/** Axis errors, without the hundreds. */
const ERROR = {
  outOfRange: 1,
  followingError: 3,
  positiveHardwareLimit: 4,
  negativeHardwareLimit: 5,
  positiveSoftwareLimit: 6,
  negativeSoftwareLimit: 7,
  maximumVelocity: 10,
  maximumAcceleration: 11,
  motorNotEnabled: 13,
  homingAborted: HOMING_ABORTED,
  homing: 30,
} as const

export type AxisOptions = { readonly stage: string; readonly motorOn: boolean; readonly rotary: boolean; readonly error: (code: number) => void }

/** One stage with its servo. All its numbers are in millimetres or degrees, whatever the controller counts in; `error` takes what it complains of. */
export class SimulatedAxis {
  readonly stage: string
  readonly ramps = { velocity: 10, acceleration: 40, deceleration: 40 }
  /** Of a search for home; `approach`: to the edge of a switch, once it is found. */
  readonly homing = { velocity: 5, approach: 1 }
  motorOn: boolean
  unitCode: number
  lowerLimit = 0
  upperLimit = 25
  /** What `position` is when the controller says 0. */
  #origin = 0
  #rest = 0
  #setpoint = 0
  #trajectory: Trajectory | undefined
  #startedAt = 0
  /** What becomes of the axis when its trajectory ends. */
  #arrive: (() => void) | undefined
  #homing = false
  readonly #scales: Readonly<Record<number, number>>
  readonly #error: (code: number) => void

  constructor(options: AxisOptions) {
    this.stage = options.stage
    this.motorOn = options.motorOn
    this.unitCode = options.rotary ? 7 : 2
    this.#scales = options.rotary ? PER_DEGREE : PER_MILLIMETRE
    this.#error = options.error
  }

  /** How many units there are in a millimetre or degree. */
  get scale(): number {
    return this.#scales[this.unitCode] ?? 1
  }

  /** Where the stage truly is. */
  position(seconds: number): number {
    return this.#trajectory === undefined ? this.#rest : this.#trajectory.at(seconds - this.#startedAt).position
  }

  /** As the controller counts, from its origin. */
  counted(seconds: number): number {
    return this.position(seconds) - this.#origin
  }

  get setpoint(): number {
    return this.#setpoint - this.#origin
  }

  moving(seconds: number): boolean {
    return this.#trajectory !== undefined && seconds < this.standsAt
  }

  /** When what it does now is over, on the lab's clock. */
  get standsAt(): number {
    return this.#startedAt + (this.#trajectory?.durationSeconds ?? 0)
  }

  /** Notes what has ended since it was last looked at. */
  settle(seconds: number): void {
    if (this.#trajectory === undefined || this.moving(seconds)) return
    this.#rest = this.#trajectory.end
    this.#startedAt = this.standsAt
    this.#trajectory = undefined
    this.#homing = false
    const arrive = this.#arrive
    this.#arrive = undefined
    arrive?.()
  }

  /** false: refused, and the error says why. */
  moveTo(target: number, seconds: number): boolean {
    if (!this.#mayMove()) return false
    if (target > this.upperLimit) return this.#refuse(ERROR.positiveSoftwareLimit)
    if (target < this.lowerLimit) return this.#refuse(ERROR.negativeSoftwareLimit)
    const physical = target + this.#origin
    const reached = Math.min(Math.max(physical, HARDWARE_LIMITS.minimum), HARDWARE_LIMITS.maximum)
    const limit = physical > reached ? ERROR.positiveHardwareLimit : ERROR.negativeHardwareLimit
    this.#begin(moveBetween(this.position(seconds), reached, this.ramps), seconds, reached === physical ? undefined : () => this.#error(limit))
    this.#setpoint = physical
    return true
  }

  /** Finds a switch or an index, and calls that place 0; mode 0 only goes to where 0 is already. */
  home(mode: HomeMode, seconds: number): boolean {
    if (!this.#mayMove()) return false
    const from = this.position(seconds)
    const fast = { ...this.ramps, velocity: this.homing.velocity }
    const slow = { ...this.ramps, velocity: this.homing.approach }
    const path =
      mode === 0
        ? moveBetween(from, this.#origin, fast)
        : searchPath(mode).reduce((so, { to, approach }) => inSequence(so, moveBetween(so.end, to, approach ? slow : fast)), moveBetween(from, from, fast))
    this.#begin(path, seconds, () => {
      this.#origin = path.end
      this.#setpoint = path.end
    })
    this.#homing = true
    this.#setpoint = path.end
    return true
  }

  defineHome(counted: number, seconds: number): boolean {
    if (this.#homing) return this.#refuse(ERROR.homing)
    this.#origin = this.position(seconds) - counted
    this.#setpoint = this.position(seconds)
    return true
  }

  stop(seconds: number, hard = false): void {
    if (!this.moving(seconds) || this.#trajectory === undefined) return
    const { position, velocity } = this.#trajectory.at(seconds - this.#startedAt)
    const homing = this.#homing
    this.#begin(brake(position, velocity, hard ? EMERGENCY_DECELERATION : this.ramps.deceleration), seconds)
    this.#setpoint = this.#trajectory.end
    if (homing) this.#error(ERROR.homingAborted)
  }

  switchMotor(on: boolean, seconds: number): void {
    if (!on) this.stop(seconds, true)
    this.motorOn = on
  }

  /** A following error: the axis stops where it is and its motor goes off. */
  fail(seconds: number): void {
    this.#rest = this.position(seconds)
    this.#setpoint = this.#rest
    this.#trajectory = undefined
    this.#arrive = undefined
    this.#homing = false
    this.motorOn = false
    this.#error(ERROR.followingError)
  }

  setRamp(name: keyof SimulatedAxis['ramps'], value: number): boolean {
    if (!(value > 0)) return this.#refuse(ERROR.outOfRange)
    if (name === 'velocity' && value > MAXIMUM_VELOCITY) return this.#refuse(ERROR.maximumVelocity)
    if (name !== 'velocity' && value > MAXIMUM_ACCELERATION) return this.#refuse(ERROR.maximumAcceleration)
    this.ramps[name] = value
    return true
  }

  setHoming(name: keyof SimulatedAxis['homing'], value: number): boolean {
    if (!(value > 0)) return this.#refuse(ERROR.outOfRange)
    if (value > MAXIMUM_VELOCITY) return this.#refuse(ERROR.maximumVelocity)
    this.homing[name] = value
    return true
  }

  /** The stage decides which units there are: a linear one has no degrees. */
  countIn(code: number): boolean {
    if (this.#homing) return this.#refuse(ERROR.homing)
    if (!Object.hasOwn(this.#scales, code)) return this.#refuse(ERROR.outOfRange)
    this.unitCode = code
    return true
  }

  #mayMove(): boolean {
    if (!this.motorOn) return this.#refuse(ERROR.motorNotEnabled)
    return this.#homing ? this.#refuse(ERROR.homing) : true
  }

  #begin(trajectory: Trajectory, seconds: number, arrive?: () => void): void {
    this.#rest = this.position(seconds)
    this.#trajectory = trajectory
    this.#startedAt = seconds
    this.#homing = false
    this.#arrive = arrive
  }

  #refuse(code: number): false {
    this.#error(code)
    return false
  }
}

type Leg = { readonly to: number; readonly approach: boolean }

/** Fast to the switch and past it, slowly back to its edge, and slowly on to an index if that is home. */
function searchPath(mode: Exclude<HomeMode, 0>): readonly Leg[] {
  const limit = mode === 3 || mode === 5 ? HARDWARE_LIMITS.maximum : mode === 4 || mode === 6 ? HARDWARE_LIMITS.minimum : undefined
  const inward = limit === HARDWARE_LIMITS.maximum ? -1 : 1
  const edge = limit === undefined ? HOME_SWITCH : limit + inward * BACK_OFF
  const legs: Leg[] = [
    { to: limit ?? HOME_SWITCH - BACK_OFF, approach: false },
    { to: edge, approach: true },
  ]
  if (mode === 1 || mode === 5 || mode === 6) legs.push({ to: nextIndex(edge, inward), approach: true })
  return legs
}

function nextIndex(from: number, direction: number): number {
  const turns = (from - INDEX.at) / INDEX.every
  return INDEX.at + INDEX.every * (direction > 0 ? Math.ceil(turns) : Math.floor(turns))
}
