import { setTimeout as pause } from 'node:timers/promises'
import { Conflict, HardwareFault, InvalidValue, LimitViolation, NotFound } from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle, MotionFacet } from '../driver.ts'
import { readEach } from '../readings.ts'
import type { Exchange } from '../serial-line.ts'
import { axisParameters } from './parameters.ts'
import type { ControllerPort } from './port.ts'
import { type Axis, ask, command, FLAG, NUMBER, parseFlag, parseNumber } from './protocol.ts'

const CONFIRM_STOP_WITHIN_MS = 5000 // the longest emergency deceleration of a stage is a fraction of this
const CONFIRM_STOP_EVERY_MS = 20
const CONFIRM_REPLY_MS = 500 // a lost reply must not use up the time to confirm in
const READ_BACK_TOLERANCE = 1e-3 // of the value: the controller rounds to its servo's counts

type Limits = { readonly minimum?: number; readonly maximum?: number }
type Description = { readonly identity: string; readonly stage: string; readonly unit: string; readonly limits: Limits }

export class AxisDevice implements DeviceHandle {
  readonly identity: string
  readonly parameters
  readonly motion: MotionFacet
  readonly #port: ControllerPort
  readonly #axis: Axis
  readonly #stage: string
  #limits: Limits
  /** Counts stops: a move that was asked for before one must not go out after it. */
  #stops = 0
  #underWay: 'move' | 'home' | undefined
  #homed: boolean | undefined

  constructor(port: ControllerPort, axis: Axis, described: Description) {
    this.#port = port
    this.#axis = axis
    this.#stage = described.stage
    this.#limits = described.limits
    this.identity = described.identity
    this.parameters = axisParameters(described.unit)
    this.motion = {
      unit: described.unit,
      positionParameter: 'position',
      velocityParameter: 'velocity',
      limits: () => this.#limits,
      homed: () => this.#homed,
      moveTo: (position, signal) => this.#moveTo(position, described.unit, signal),
      home: (signal) => this.#home(signal),
      isMoving: (signal) => this.#isMoving(signal),
      stop: (signal) => this.#stop(signal),
    }
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    return await readEach(names, (name) => this.#readOne(name, signal), { lost: this.#port.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const axis = this.#axis
    if (name === 'motor_on' && typeof value === 'boolean') {
      const confirmed = await this.#command(command.motor(axis, value), async (line) => parseFlag(await line.ask(ask.motorOn(axis), FLAG)), signal)
      if (confirmed !== value) throw new HardwareFault(`the motor of axis ${axis} stayed ${value ? 'off' : 'on'}`, 'DONE')
      return confirmed
    }
    const quantity = QUANTITIES[name]
    if (quantity?.set === undefined || typeof value !== 'number') throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    const confirmed = await this.#command(quantity.set(axis, value), async (line) => parseNumber(await line.ask(quantity.ask(axis), NUMBER)), signal)
    if (confirmed === undefined || Math.abs(confirmed - value) > READ_BACK_TOLERANCE * Math.max(1, Math.abs(value)))
      throw new HardwareFault(`${name} was set to ${value} and reads back ${confirmed ?? 'nothing'}`, 'DONE')
    this.#note(name, confirmed)
    return confirmed
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    this.#stops += 1
    await this.#port.abort()
    return { confirmed: this.#stands(signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it, and nothing else was opened.
  }

  async #moveTo(position: number, unit: string, signal: AbortSignal): Promise<void> {
    const { minimum, maximum } = this.#limits
    if ((minimum !== undefined && position < minimum) || (maximum !== undefined && position > maximum))
      throw new LimitViolation('position', position, minimum, maximum, unit)
    await this.#command(command.moveTo(this.#axis, position), nothing, signal)
    this.#underWay = 'move'
  }

  async #home(signal: AbortSignal): Promise<void> {
    await this.#command(command.home(this.#axis), nothing, signal)
    this.#underWay = 'home'
    this.#homed = false
  }

  /** Asks MD?, and once the axis stands, the error queue: a limit or a following error ends a motion too. */
  async #isMoving(signal: AbortSignal): Promise<boolean> {
    const axis = this.#axis
    return await this.#port.line.exchange(
      'command',
      async (line) => {
        if (parseFlag(await line.ask(ask.motionDone(axis), FLAG)) === false) return true
        const ended = this.#underWay
        if (ended === undefined) return false
        this.#underWay = undefined
        await this.#port.refuseErrors(line, axis, ended === 'home' ? 'the search for home' : 'the move', 'ended')
        if (ended === 'home') this.#homed = true
        return false
      },
      signal,
      String(axis),
    )
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#stops += 1
    if (this.#underWay === 'home') this.#underWay = 'move' // home was not reached
    await this.#port.line.interject(command.stop(this.#axis))
    await this.#port.line.exchange('urgent', (line) => this.#port.refuseErrors(line, this.#axis, 'the stop', 'ended'), signal)
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !this.#port.lost.aborted && performance.now() < deadline) {
      // Another axis' emergency stop may void this question: then it is asked again.
      const done = await this.#port.line.ask('urgent', ask.motionDone(this.#axis), FLAG, signal, CONFIRM_REPLY_MS).then(parseFlag, () => undefined)
      if (done === true) return true
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }

  async #command<T>(text: string, confirm: (line: Exchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    const stops = this.#stops
    const allowed = (): void => {
      if (stops !== this.#stops) throw new Conflict(`${text} was overtaken by a stop and not sent`)
    }
    return await this.#port.command(this.#axis, 'command', text, confirm, allowed, signal)
  }

  async #readOne(name: string, signal: AbortSignal): Promise<Measured> {
    const { line } = this.#port
    if (name === 'stage') return { value: this.#stage }
    if (name === 'homed') return this.#homed === undefined ? { bad: 'not known until a search for home was made' } : { value: this.#homed }
    if (name === 'moving') {
      const done = parseFlag(await line.ask('read', ask.motionDone(this.#axis), FLAG, signal, undefined, String(this.#axis)))
      return done === undefined ? { bad: 'MD? was not answered by 0 or 1' } : { value: !done }
    }
    if (name === 'motor_on') {
      const on = parseFlag(await line.ask('read', ask.motorOn(this.#axis), FLAG, signal, undefined, String(this.#axis)))
      return on === undefined ? { bad: 'MO? was not answered by 0 or 1' } : { value: on }
    }
    const quantity = QUANTITIES[name]
    if (quantity === undefined) throw new NotFound(`parameter ${name}`)
    const reply = await line.ask('read', quantity.ask(this.#axis), NUMBER, signal, undefined, String(this.#axis))
    const value = parseNumber(reply)
    if (value === undefined) return { bad: `${JSON.stringify(reply)} is not a number` }
    this.#note(name, value)
    return { value }
  }

  #note(name: string, value: number): void {
    if (name === 'soft_limit_minimum') this.#limits = { ...this.#limits, minimum: value }
    if (name === 'soft_limit_maximum') this.#limits = { ...this.#limits, maximum: value }
  }
}

type Quantity = { readonly ask: (axis: Axis) => string; readonly set?: (axis: Axis, value: number) => string }

const QUANTITIES: Readonly<Record<string, Quantity>> = {
  position: { ask: ask.position },
  setpoint: { ask: ask.setpoint },
  velocity: { ask: ask.velocity, set: command.velocity },
  acceleration: { ask: ask.acceleration, set: command.acceleration },
  deceleration: { ask: ask.deceleration, set: command.deceleration },
  soft_limit_minimum: { ask: ask.lowerLimit, set: command.lowerLimit },
  soft_limit_maximum: { ask: ask.upperLimit, set: command.upperLimit },
}

const nothing = (): Promise<void> => Promise.resolve()
