import { HardwareFault, InvalidValue, LimitViolation, NotFound } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../driver.ts'
import { readEach } from '../readings.ts'
import type { Exchange } from '../transport/serial-line.ts'
import type { AxisLine } from './axis-line.ts'
import { AxisCommands } from './commands.ts'
import { AxisMotion } from './motion.ts'
import { axisParameters } from './parameters.ts'
import { type Axis, ask, command, FLAG, type HomeMode, LARGEST, NUMBER, parseFlag, parseNumber, parseStatus, STATUS } from './protocol.ts'
import { UNIT, unitNamed } from './units.ts'

export class AxisDevice implements DeviceHandle {
  readonly identity: string
  readonly motion: AxisMotion
  readonly commands: AxisCommands
  readonly #line: AxisLine
  readonly #stage: string

  constructor(line: AxisLine, described: { readonly identity: string; readonly stage: string; readonly homeMode: HomeMode | undefined }) {
    this.#line = line
    this.#stage = described.stage
    this.identity = described.identity
    this.motion = new AxisMotion(line, described.homeMode)
    this.commands = new AxisCommands(line, this.motion)
  }

  get parameters(): readonly ParameterSpec[] {
    return axisParameters(this.#line.unit)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const readOne = (name: string): Promise<Measured> => this.#line.exchange('read', (line) => this.#readOne(line, name), signal)
    return await readEach(names, readOne, { lost: this.#line.port.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    if (name === 'motor_on' && typeof value === 'boolean') return await this.#switchMotor(value, signal)
    if (name === 'units') return await this.#countIn(value, signal)
    const { axis } = this.#line
    const quantity = QUANTITIES[name]
    const set = quantity?.set
    if (quantity === undefined || set === undefined || typeof value !== 'number') throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    if (!(Math.abs(value) <= LARGEST)) throw new LimitViolation(name, value, -LARGEST, LARGEST, undefined)
    return await this.#line.command(
      async (line) => {
        await this.#line.requireUnit(line)
        return set(axis, value)
      },
      async (line) => {
        const confirmed = await this.#line.readBack(line, quantity.ask(axis), name, value)
        this.#note(name, confirmed)
        return confirmed
      },
      signal,
    )
  }

  async underWay(signal: AbortSignal): Promise<boolean> {
    return await this.motion.isMoving(signal)
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    return await this.motion.emergencyStop(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it, and nothing else was opened.
  }

  async #switchMotor(on: boolean, signal: AbortSignal): Promise<boolean> {
    const { axis } = this.#line
    return await this.#line.command(
      async () => command.motor(axis, on),
      async (line) => {
        if (parseFlag(await line.ask(ask.motorOn(axis), FLAG)) !== on) throw new HardwareFault(`the motor of axis ${axis} stayed ${on ? 'off' : 'on'}`, 'DONE')
        return on
      },
      signal,
    )
  }

  /** Every number of the axis means something else afterwards; `parameters` says so. */
  async #countIn(name: ParameterValue, signal: AbortSignal): Promise<string> {
    const { axis } = this.#line
    const unit = unitNamed(name)
    if (unit === undefined) throw new InvalidValue(`an axis cannot count in ${String(name)}`, ['units'])
    return await this.#line.command(
      async (line) => {
        await this.motion.requireStanding(line, 'another unit')
        return command.unit(axis, unit.code)
      },
      async (line) => {
        const reply = await line.ask(ask.unit(axis), UNIT)
        const now = this.#line.noteUnit(reply)
        if (now !== unit) throw new HardwareFault(`axis ${axis} was to count in ${unit.name} and counts in ${now?.name ?? `unit ${reply}`}`, 'DONE')
        await this.#line.countIn(line, unit)
        return unit.name
      },
      signal,
    )
  }

  async #readOne(line: Exchange, name: string): Promise<Measured> {
    const { axis } = this.#line
    const homed = this.motion.homed()
    switch (name) {
      case 'stage':
        return { value: this.#stage }
      case 'homed':
        return homed === undefined ? { bad: 'not known until a search for home was made' } : { value: homed }
      case 'moving': {
        const done = parseFlag(await line.ask(ask.motionDone(axis), FLAG))
        return done === undefined ? { bad: 'MD? was not answered by 0 or 1' } : { value: !done }
      }
      case 'motor_on': {
        const on = parseFlag(await line.ask(ask.motorOn(axis), FLAG))
        return on === undefined ? { bad: 'MO? was not answered by 0 or 1' } : { value: on }
      }
      case 'units': {
        const reply = await line.ask(ask.unit(axis), UNIT)
        const unit = this.#line.noteUnit(reply)
        return unit === undefined ? { bad: `${reply} is not a unit that the manual lists` } : { value: unit.name }
      }
      case 'any_axis_moving':
      case 'any_motor_on': {
        const status = parseStatus(await line.ask(ask.status, STATUS))
        if (status === undefined) return { bad: 'TS was not answered by one character' }
        return { value: name === 'any_motor_on' ? status.motorOn : status.moving.length > 0 }
      }
      default:
        return await this.#readQuantity(line, name)
    }
  }

  async #readQuantity(line: Exchange, name: string): Promise<Measured> {
    const quantity = QUANTITIES[name]
    if (quantity === undefined) throw new NotFound(`parameter ${name}`)
    const { unit, turnedTo } = this.#line
    if (turnedTo !== undefined) return { bad: `the axis counts in ${turnedTo.name} by now, not in ${unit.name}` }
    const reply = await line.ask(quantity.ask(this.#line.axis), NUMBER)
    const value = parseNumber(reply)
    if (value === undefined) return { bad: `${JSON.stringify(reply)} is not a number` }
    this.#note(name, value)
    return { value }
  }

  #note(name: string, value: number): void {
    if (name === 'soft_limit_minimum') this.#line.limits = { ...this.#line.limits, minimum: value }
    if (name === 'soft_limit_maximum') this.#line.limits = { ...this.#line.limits, maximum: value }
    if (name === 'velocity' || name === 'acceleration' || name === 'deceleration') this.#line.pace = { ...this.#line.pace, [name]: value }
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
