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
  NotFound,
  NotSupported,
  type Problem,
} from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle, DriverContext, MotionFacet } from '../driver.ts'
import { readEach } from '../readings.ts'
import { CalibrationReport, SWEEP, sweep } from './calibration.ts'
import { rotatorCommands } from './commands.ts'
import type { DomeEncoder } from './encoder.ts'
import { goTo, isWithin, staysWithin, wayTo } from './feedback.ts'
import type { AzimuthMemory } from './memory.ts'
import { Motions } from './motions.ts'
import type { DomeMotor } from './motor.ts'
import { counterName, rotatorParameters } from './parameters.ts'
import { pointingOf } from './pointing.ts'
import type { RotatorSettings } from './settings.ts'
import type { StepCount } from './step-count.ts'
import type { SwitchWatch } from './switch-watch.ts'
import { stepsOf } from './turn.ts'
import { type AzimuthReading, FRAME_STATES } from './wheel-count.ts'

const SETTLE_MS = 150 // the median of five samples has then seen the dome at rest
const SHORT_MOVE_SECONDS = 60
const SHORT_MOVE = 30 // degrees; longer moves have the time of their steps twice, and
const LONG_MOVE_SPARE_SECONDS = 30
const CONFIRM_STOP_WITHIN_MS = 5000
const CONFIRM_STOP_EVERY_MS = 20
const STATUS_WITHIN_MS = 2000

export type RotatorParts = {
  readonly motor: DomeMotor
  readonly encoder: DomeEncoder | undefined
  readonly count: StepCount
  readonly settings: RotatorSettings
  readonly law: DomeLaw
  readonly memory: AzimuthMemory
  readonly context: DriverContext
}

/** The dome's rotation: what is told to the motor, what the encoder says of it, and what the difference means. */
export class DomeRotator implements DeviceHandle {
  readonly identity: string
  readonly parameters
  readonly motion: MotionFacet
  readonly commands: CommandFacet
  readonly #parts: RotatorParts
  readonly #motions: Motions
  readonly #report = new CalibrationReport()
  #switch: SwitchWatch | undefined
  #target: number | undefined
  #inBounds: boolean | undefined

  constructor(parts: RotatorParts, identity: string) {
    this.#parts = parts
    this.#motions = new Motions({ ...parts, drive: parts.settings.drive }, { begins: () => this.#remember(false), ended: () => this.#rememberWhereItStands() })
    this.identity = identity
    const { encoder, recalibration, sector } = parts.settings
    this.parameters = rotatorParameters({ encoder: encoder !== undefined, recalibration: recalibration !== undefined })
    const acrossNorth = sector !== undefined && sector.minimum > sector.maximum // no pair of numbers says it
    const longestMs = limitSeconds(360, parts.settings.drive) * 1000 + SETTLE_MS
    this.motion = {
      unit: 'deg',
      positionParameter: 'position',
      longestMs,
      limits: () => (acrossNorth ? { minimum: 0, maximum: 360 } : { minimum: sector?.minimum ?? 0, maximum: sector?.maximum ?? 360 }),
      moveTo: (position, signal) => this.#moveTo(position, signal),
      home: (signal) => this.#calibrate(signal),
      isMoving: (signal) => this.#isMoving(signal),
      homed: () => (parts.settings.encoder === undefined ? undefined : parts.encoder?.count.calibrated),
      stop: () => this.#stop(new Conflict('stopped', { effect: 'DONE', instrumentCode: 'STOPPED' })),
    }
    this.commands = { specs: rotatorCommands(longestMs), invoke: (name, given, signal) => this.#invoke(name, given, signal) }
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
    const { running } = this.#motions
    if (running && !motor.lost.aborted) await this.#stop(new Conflict('the device was closed', { effect: 'DONE' })).catch(() => undefined) // lost meanwhile
    await this.#motions.settled()
    if (!running) await this.#rememberWhereItStands()
    await this.#switch?.[Symbol.asyncDispose]()
    await encoder?.[Symbol.asyncDispose]()
  }

  #azimuth(): AzimuthReading {
    return this.#parts.encoder?.azimuth() ?? this.#parts.count.azimuth()
  }

  async #remember(standing: boolean): Promise<void> {
    const { memory, encoder } = this.#parts
    const reading = this.#azimuth()
    if ('bad' in reading) return standing ? undefined : await memory.forget()
    const counts = encoder?.count.counts
    await memory.note({ azimuth: reading.azimuth, standing, ...(counts !== undefined && { counts }) })
  }

  /** Only if the motor says so, and the azimuth is known: what was noted when it began to turn stays true otherwise. */
  async #rememberWhereItStands(): Promise<void> {
    const status = await this.#parts.motor.status(AbortSignal.timeout(STATUS_WITHIN_MS)).catch(() => undefined) // lost, or silent
    if (status?.moving === false) await this.#remember(true)
  }

  async #moveTo(position: number, signal: AbortSignal): Promise<void> {
    const { sector, tolerance, corrections, drive } = this.#parts.settings
    const target = wrap360(position)
    const { minimum = 0, maximum = 360 } = this.motion.limits()
    if (!(position >= minimum && position <= maximum) || (sector !== undefined && !isWithin(target, sector)))
      throw new LimitViolation('position', position, sector?.minimum ?? minimum, sector?.maximum ?? maximum, 'deg')
    await this.#parts.encoder?.nextSample()
    const from = this.#azimuth()
    if ('bad' in from) throw new HardwareFault(`motion is held: ${from.bad}`, 'NONE', { instrumentCode: 'ENCODER' })
    const rules = { tolerance, corrections, limitSeconds: limitSeconds(wayTo(from.azimuth, target, sector), drive), ...(sector !== undefined && { sector }) }
    await this.#motions.begin(
      (turn, abort) =>
        goTo(
          target,
          { azimuth: () => this.#azimuth(), turn, settle: () => this.#settle(abort), seconds: () => performance.now() / 1000 },
          rules,
          this.#parts.context.log,
        ),
      signal,
    )
    this.#target = target
  }

  async #settle(abort: AbortSignal): Promise<void> {
    const { encoder } = this.#parts
    if (encoder !== undefined) await pause(SETTLE_MS, undefined, { signal: abort }).catch(() => undefined) // told next
    await encoder?.nextSample()
    if (abort.aborted) throw asProblem(abort.reason, 'DONE')
  }

  async #calibrate(signal: AbortSignal): Promise<void> {
    const { encoder } = this.#parts
    await encoder?.nextSample()
    if (this.#parts.settings.recalibration === undefined) throw new NotSupported('no recalibration switch is set; set_azimuth says where the dome is')
    const silent = encoder?.silence()
    if (silent !== undefined) throw new HardwareFault(`motion is held: ${silent}`, 'NONE', { instrumentCode: 'ENCODER' })
    this.#requireRoomToSweep()
    await this.#motions.begin((turn) => sweep(this.#report, turn), signal)
  }

  /** As far as it is known where the dome is, the sweep stays where the dome may be. */
  #requireRoomToSweep(): void {
    const { sector } = this.#parts.settings
    const from = this.#azimuth()
    if (sector === undefined || 'bad' in from) return
    const [back, forth] = SWEEP
    for (const degrees of [back, back + forth])
      if (!staysWithin(from.azimuth, degrees, sector))
        throw new LimitViolation('the end of the sweep', wrap360(from.azimuth + degrees), sector.minimum, sector.maximum, 'deg')
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
        if (this.#motions.running) throw new DeviceBusy('the dome is turning; say where it is once it stands', {})
        encoder?.count.set(azimuth, true)
        count.set(azimuth)
        this.#report.set()
        await this.#remember(true)
        return undefined
      }
    }
    throw new NotFound(`command ${name}`)
  }

  async #isMoving(signal: AbortSignal): Promise<boolean> {
    if (this.#motions.running) {
      if (this.#parts.motor.lost.aborted) throw asProblem(this.#parts.motor.lost.reason)
      return true
    }
    if (this.#motions.failure !== undefined) throw this.#motions.failure
    return (await this.#parts.motor.status(signal)).moving
  }

  async #stop(why: Problem): Promise<void> {
    this.#motions.giveUp(why)
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
        return { value: status.moving || this.#motions.running }
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

function known(value: ParameterValue | undefined, otherwise: string): Measured {
  return value === undefined ? { bad: otherwise } : { value }
}
