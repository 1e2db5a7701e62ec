import { setTimeout as pause } from 'node:timers/promises'
import { type DomeLaw, wrap360 } from '../../core/dome-geometry.ts'
import {
  asProblem,
  Conflict,
  DeviceBusy,
  EmergencyStopped,
  HardwareFault,
  InvalidValue,
  LimitViolation,
  messageOf,
  NotFound,
  NotSupported,
  type Problem,
} from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle, DriverContext, MotionFacet } from '../driver.ts'
import { readEach } from '../readings.ts'
import { CalibrationReport } from './calibration.ts'
import { COMMANDS } from './commands.ts'
import type { DomeEncoder } from './encoder.ts'
import { goTo, isWithin, wayTo } from './feedback.ts'
import type { DomeMotor } from './motor.ts'
import { counterName, rotatorParameters } from './parameters.ts'
import { pointingOf } from './pointing.ts'
import type { RotatorSettings } from './settings.ts'
import type { StepCount } from './step-count.ts'
import type { SwitchWatch } from './switch-watch.ts'
import { stepsOf, Turn } from './turn.ts'
import { type AzimuthReading, FRAME_STATES } from './wheel-count.ts'

const SETTLE_MS = 150 // the median of five samples has then seen the dome at rest
const SWEEP = [-7, 14] as const // degrees
const SWEEP_LIMIT_SECONDS = 180
const SHORT_MOVE_SECONDS = 60
const SHORT_MOVE = 30 // degrees; longer moves have the time of their steps twice, and
const LONG_MOVE_SPARE_SECONDS = 30
const CONFIRM_STOP_WITHIN_MS = 5000
const CONFIRM_STOP_EVERY_MS = 20

export type RotatorParts = {
  readonly motor: DomeMotor
  readonly encoder: DomeEncoder | undefined
  readonly count: StepCount
  readonly settings: RotatorSettings
  readonly law: DomeLaw
  readonly context: DriverContext
}

type Motion = { readonly abort: AbortController; readonly done: Promise<void> }

/** The dome's rotation: what is told to the motor, what the encoder says of it, and what the difference means. */
export class DomeRotator implements DeviceHandle {
  readonly identity: string
  readonly parameters
  readonly motion: MotionFacet
  readonly commands: CommandFacet
  readonly #parts: RotatorParts
  readonly #report = new CalibrationReport()
  #switch: SwitchWatch | undefined
  #motion: Motion | undefined
  /** How the last motion ended badly, until the next one. */
  #failure: Problem | undefined
  #target: number | undefined
  #inBounds: boolean | undefined

  constructor(parts: RotatorParts, identity: string) {
    this.#parts = parts
    this.identity = identity
    const { encoder, recalibration, sector } = parts.settings
    this.parameters = rotatorParameters({ encoder: encoder !== undefined, recalibration: recalibration !== undefined })
    const wholeCircle = sector !== undefined && sector.minimum > sector.maximum // across north: no pair of numbers says it
    this.motion = {
      unit: 'deg',
      positionParameter: 'position',
      limits: () => (wholeCircle ? { minimum: 0, maximum: 360 } : { minimum: sector?.minimum ?? 0, maximum: sector?.maximum ?? 360 }),
      moveTo: (position, signal) => this.#moveTo(position, signal),
      home: (signal) => this.#calibrate(signal),
      isMoving: (signal) => this.#isMoving(signal),
      homed: () => (parts.settings.encoder === undefined ? undefined : parts.encoder?.count.calibrated),
      stop: () => this.#stop(new Conflict('stopped', { effect: 'DONE', instrumentCode: 'STOPPED' })),
    }
    this.commands = { specs: COMMANDS, invoke: (name, given, signal) => this.#invoke(name, given, signal) }
  }

  /** Looks at the recalibration switch from now on, and closes it with the device. */
  watch(opened: SwitchWatch): void {
    this.#switch = opened
  }

  /** The dome has come onto the switch. */
  atSwitch(): void {
    const { encoder, count, settings, context } = this.#parts
    const off = encoder?.count.atSwitch()
    const { switchTotal, factor, sign } = settings.wheel
    count.set((switchTotal / 1024) * 360 * factor * sign)
    this.#report.passed(context.clock.wallNs())
    context.log(off === undefined ? 'azimuth found at the recalibration switch' : `azimuth corrected by ${(-off).toFixed(2)} deg at the recalibration switch`)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const { motor, encoder } = this.#parts
    if (motor.lost.aborted) throw asProblem(motor.lost.reason).with({ effect: 'NONE' })
    if (names.some((name) => name === 'position' || name.startsWith('encoder_'))) await encoder?.nextSample()
    return await readEach(names, (name) => this.#readOne(name, signal), { lost: motor.lost, signal })
  }

  /** A calibration or a motion by command. */
  underWay(signal: AbortSignal): Promise<boolean> {
    return this.#isMoving(signal)
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    await this.#stop(new EmergencyStopped('stopped by an emergency stop', { effect: 'DONE' }))
    return { confirmed: this.#stands(signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { motor, encoder } = this.#parts
    const { done } = this.#motion ?? {}
    if (done !== undefined && !motor.lost.aborted) await this.#stop(new Conflict('the device was closed', { effect: 'DONE' })).catch(() => undefined) // lost meanwhile
    await done
    await this.#switch?.[Symbol.asyncDispose]()
    await encoder?.[Symbol.asyncDispose]()
  }

  #azimuth(): AzimuthReading {
    return this.#parts.encoder?.azimuth() ?? this.#parts.count.azimuth()
  }

  async #moveTo(position: number, signal: AbortSignal): Promise<void> {
    const { sector, tolerance, corrections, drive } = this.#parts.settings
    const target = wrap360(position)
    const { minimum = 0, maximum = 360 } = this.motion.limits()
    if (!(position >= minimum && position <= maximum) || (sector !== undefined && !isWithin(target, sector)))
      throw new LimitViolation('position', position, sector?.minimum ?? minimum, sector?.maximum ?? maximum, 'deg')
    const from = this.#azimuth()
    if ('bad' in from) throw new HardwareFault(`motion is held: ${from.bad}`, 'NONE', { instrumentCode: 'ENCODER' })
    const rules = { tolerance, corrections, limitSeconds: limitSeconds(wayTo(from.azimuth, target, sector), drive), ...(sector !== undefined && { sector }) }
    await this.#begin(signal, (turn, abort) =>
      goTo(
        target,
        { azimuth: () => this.#azimuth(), turn, settle: () => this.#settle(abort), seconds: () => performance.now() / 1000 },
        rules,
        this.#parts.context.log,
      ),
    )
    this.#target = target
  }

  async #settle(abort: AbortSignal): Promise<void> {
    if (this.#parts.encoder !== undefined) await pause(SETTLE_MS, undefined, { signal: abort }).catch(() => undefined) // told next
    if (abort.aborted) throw asProblem(abort.reason, 'DONE')
  }

  /** Starts a motion, and returns when its first move was accepted or none was needed. What it throws later, isMoving tells. */
  async #begin(
    signal: AbortSignal,
    work: (turn: (degrees: number, enough?: () => boolean) => Promise<void>, abort: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (this.#motion !== undefined) throw new DeviceBusy('the dome is turning already; stop it first', {})
    const abort = new AbortController()
    let accepted = false
    await new Promise<void>((resolve, reject) => {
      const turn = async (degrees: number, enough?: () => boolean): Promise<void> => {
        if (abort.signal.aborted) throw asProblem(abort.signal.reason, accepted ? 'DONE' : 'NONE')
        const { motor, encoder, count, settings } = this.#parts
        const move = new Turn({ motor, encoder, count, drive: settings.drive }, degrees)
        await move.begin(accepted ? NEVER : signal) // a stop goes past it on the wire, and it returns
        accepted = true
        resolve()
        await move.finish(abort.signal, enough)
      }
      const done = work(turn, abort.signal).then(
        () => resolve(),
        (error: unknown) => {
          if (!accepted) reject(error)
          else if (error !== abort.signal.reason) this.#failure = asProblem(error, 'DONE') // a stop that was asked for is none
        },
      )
      this.#failure = undefined
      this.#motion = {
        abort,
        done: done.then(() => {
          this.#motion = undefined
        }),
      }
    })
  }

  async #calibrate(signal: AbortSignal): Promise<void> {
    const { encoder } = this.#parts
    if (this.#parts.settings.recalibration === undefined) throw new NotSupported('no recalibration switch is set; set_azimuth says where the dome is')
    const silent = encoder?.silence()
    if (silent !== undefined) throw new HardwareFault(`motion is held: ${silent}`, 'NONE', { instrumentCode: 'ENCODER' })
    const startMs = performance.now()
    const before = this.#report.passes
    const found = (): boolean => this.#report.passes > before
    const seconds = (): number => (performance.now() - startMs) / 1000
    await this.#begin(signal, async (turn) => {
      this.#report.begin()
      try {
        for (const degrees of SWEEP) if (!found()) await turn(degrees, () => found() || seconds() > SWEEP_LIMIT_SECONDS)
        if (!found()) throw new HardwareFault('the recalibration switch was not found within 7 deg', 'DONE', { instrumentCode: 'NO_SWITCH' })
        this.#report.end(seconds())
      } catch (error) {
        this.#report.end(seconds(), { reason: messageOf(error), method: found() ? 'exception' : 'sweep' })
        throw error
      }
    })
  }

  async #invoke(name: string, given: Readonly<Record<string, ParameterValue>>, signal: AbortSignal): Promise<ParameterValue | undefined> {
    const { law, settings, encoder, count } = this.#parts
    switch (name) {
      case 'calibrate':
        await this.#calibrate(signal)
        return undefined
      case 'point': {
        const pointing = pointingOf(law, given, settings.outOfBounds)
        await this.#moveTo(pointing.azimuth, signal)
        this.#inBounds = pointing.inBounds
        return pointing.azimuth
      }
      case 'set_azimuth': {
        const { azimuth } = given
        if (typeof azimuth !== 'number') throw new InvalidValue('set_azimuth needs the azimuth', ['azimuth'])
        if (this.#motion !== undefined) throw new DeviceBusy('the dome is turning; say where it is once it stands', {})
        encoder?.count.set(azimuth, true)
        count.set(azimuth)
        this.#report.set()
        return undefined
      }
    }
    throw new NotFound(`command ${name}`)
  }

  async #isMoving(signal: AbortSignal): Promise<boolean> {
    if (this.#motion !== undefined) {
      if (this.#parts.motor.lost.aborted) throw asProblem(this.#parts.motor.lost.reason)
      return true
    }
    if (this.#failure !== undefined) throw this.#failure
    return (await this.#parts.motor.status(signal)).moving
  }

  async #stop(why: Problem): Promise<void> {
    this.#motion?.abort.abort(why)
    this.#failure = undefined
    await this.#parts.motor.stop()
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const deadlineMs = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !this.#parts.motor.lost.aborted && performance.now() < deadlineMs) {
      const status = await this.#parts.motor.status(signal).catch(() => undefined) // asked again
      if (status?.moving === false) return true
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }

  async #readOne(name: string, signal: AbortSignal): Promise<Measured> {
    const { encoder, count, motor } = this.#parts
    switch (name) {
      case 'position': {
        const reading = this.#azimuth()
        if ('bad' in reading) return reading
        return reading.doubtful === undefined ? { value: reading.azimuth } : { value: reading.azimuth, quality: 'UNCERTAIN' }
      }
      case 'moving': {
        const status = await motor.status(signal)
        return { value: status.moving || this.#motion !== undefined }
      }
      case 'target':
        return known(this.#target, 'no move was made since the connection')
      case 'motor_steps':
        return { value: count.made }
      case 'calibrated':
        return encoder === undefined ? { bad: 'there is no encoder to be calibrated' } : { value: encoder.count.calibrated }
      case 'point_in_bounds':
        return known(this.#inBounds, 'the command point was not given yet')
      case 'switch_pressed': {
        const pressed = this.#switch?.pressed ?? { bad: 'the switch is not open' }
        return typeof pressed === 'boolean' ? { value: pressed } : pressed
      }
    }
    if (name.startsWith('calibration_') || name === 'last_calibration_at') return known(this.#report.read(name), 'there was no calibration yet')
    if (encoder === undefined) throw new NotFound(`parameter ${name}`)
    if (name === 'encoder_status') return { value: encoder.count.state }
    if (name === 'encoder_raw') {
      const silent = encoder.silence()
      return silent === undefined ? known(encoder.count.raw, 'the encoder has given no position yet') : { bad: silent }
    }
    const state = FRAME_STATES.find((candidate) => counterName(candidate) === name)
    if (state === undefined) throw new NotFound(`parameter ${name}`)
    return { value: encoder.count.counters[state] }
  }
}

/** As DriftApp has it: a minute, or for long ways twice the time of their steps, and half a minute. */
function limitSeconds(way: number, { stepsPerRevolution, delayUs }: RotatorSettings['drive']): number {
  return Math.abs(way) <= SHORT_MOVE ? SHORT_MOVE_SECONDS : (stepsOf(way, stepsPerRevolution) * delayUs * 2) / 1e6 + LONG_MOVE_SPARE_SECONDS
}

const NEVER: AbortSignal = new AbortController().signal

function known(value: ParameterValue | undefined, otherwise: string): Measured {
  return value === undefined ? { bad: otherwise } : { value }
}
