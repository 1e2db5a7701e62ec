import { hostOf, serveTerminal } from '../serve-simulation.ts'
import type { Simulation } from '../simulation.ts'
import { type ByteInstrument, CommandSplitter, gaussian, type SimulatorHost } from '../simulator.ts'
import { AXES, type Axis, ERROR_CODES, REPLY_TERMINATOR } from './protocol.ts'
import { brake, moveBetween, type Trajectory } from './trajectory.ts'

const ERROR_QUEUE_DEPTH = 10
const EMERGENCY_DECELERATION = 400 // units/s²: what AB brakes with, ten times the axes' own
const SERVO_NOISE = 0.00004 // a standing servo hunts below its last digit
const IDENTITY = 'ESP300 Version 3.04 07/27/01'

type AxisState = {
  readonly stage: string
  unitCode: number
  velocity: number
  acceleration: number
  deceleration: number
  motorOn: boolean
  lowerLimit: number
  upperLimit: number
  /** Where the axis stands, or started from, when `trajectory` is undefined, or began. */
  rest: number
  setpoint: number
  trajectory: Trajectory | undefined
  startedAt: number
}

export type Esp300Options = { readonly identity?: string; readonly motorsOn?: boolean }

/** The controller with three 25 mm stages. Its positions are the physics: others of the lab look at them through `position`. */
export class Esp300Simulator implements ByteInstrument {
  readonly #host: SimulatorHost
  readonly #identity: string
  readonly #splitter = new CommandSplitter(/[\r\n]/)
  readonly #errors: number[] = []
  readonly #axes: Readonly<Record<Axis, AxisState>>

  constructor(host: SimulatorHost, options: Esp300Options = {}) {
    this.#host = host
    this.#identity = options.identity ?? IDENTITY
    const axis = (serial: number): AxisState => ({
      stage: `TS50DC.5, SN${serial}`,
      unitCode: 2,
      velocity: 10,
      acceleration: 40,
      deceleration: 40,
      motorOn: options.motorsOn ?? true,
      lowerLimit: 0,
      upperLimit: 25,
      rest: 0,
      setpoint: 0,
      trajectory: undefined,
      startedAt: 0,
    })
    this.#axes = { 1: axis(1263), 2: axis(1264), 3: axis(1265) }
  }

  /** Where the axis truly is, without the encoder's noise. */
  position(axis: Axis, seconds: number): number {
    const state = this.#axes[axis]
    return state.trajectory === undefined ? state.rest : state.trajectory.at(seconds - state.startedAt).position
  }

  moving(axis: Axis, seconds: number): boolean {
    const state = this.#axes[axis]
    return state.trajectory !== undefined && seconds - state.startedAt < state.trajectory.durationSeconds
  }

  /** A following error: the axis stops where it is and its motor goes off (fault injection). */
  fail(axis: Axis, seconds: number): void {
    const state = this.#axes[axis]
    state.rest = this.position(axis, seconds)
    state.trajectory = undefined
    state.motorOn = false
    this.#error(axis * 100 + 3)
  }

  foreign(): Uint8Array {
    return Buffer.from(this.#axes[1].stage + REPLY_TERMINATOR, 'latin1')
  }

  readonly errors = ERROR_CODES

  provoke(code: string): void {
    this.#error(Number(code))
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    const replies = this.#splitter
      .take(bytes)
      .flatMap((line) => line.split(';'))
      .map((command) => this.#obey(command.trim().toUpperCase(), seconds))
    return Buffer.from(
      replies
        .filter((reply) => reply !== undefined)
        .map((reply) => reply + REPLY_TERMINATOR)
        .join(''),
      'latin1',
    )
  }

  #obey(text: string, seconds: number): string | undefined {
    if (text === '') return undefined
    if (text === '*IDN?') return this.#identity
    const match = /^(\d*)([A-Z]{2})(\?|[+-]?[\d.]+)?$/.exec(text)
    if (match === null) return this.#error(6)
    const [, digits = '', name = '', argument] = match
    if (name in WHOLE_CONTROLLER && digits === '') return this.#obeyController(name, seconds, text)
    if (!COMMANDS.has(name)) return this.#error(6)
    if (digits === '') return this.#error(37)
    const axis = AXES.find((candidate) => candidate === Number(digits))
    if (axis === undefined) return this.#error(9)
    this.#settle(axis, seconds)
    return argument === '?' || name === 'TP' || name === 'ID' ? this.#answer(axis, name, seconds) : this.#set(axis, name, argument, seconds, text)
  }

  #obeyController(name: string, seconds: number, text: string): string | undefined {
    switch (name) {
      case 'VE':
        return this.#identity
      case 'TE':
        return String(this.#errors.shift() ?? 0)
      case 'TS': {
        const bits = AXES.reduce(
          (sum, axis) => sum + (this.moving(axis, seconds) ? 1 << (axis - 1) : 0),
          AXES.some((axis) => this.#axes[axis].motorOn) ? 16 : 0,
        )
        return String.fromCharCode(64 + bits) // bit 6 keeps it printable
      }
      case 'AB':
        for (const axis of AXES) this.#brake(axis, seconds, EMERGENCY_DECELERATION)
        break
      default: // ST
        for (const axis of AXES) this.#brake(axis, seconds, this.#axes[axis].deceleration)
    }
    this.#host.accepted(text)
    return undefined
  }

  #answer(axis: Axis, name: string, seconds: number): string | undefined {
    const state = this.#axes[axis]
    switch (name) {
      case 'TP':
        return (this.position(axis, seconds) + SERVO_NOISE * gaussian(this.#host.random)).toFixed(4)
      case 'DP':
        return state.setpoint.toFixed(4)
      case 'MD':
        return this.moving(axis, seconds) ? '0' : '1'
      case 'MO':
        return state.motorOn ? '1' : '0'
      case 'ID':
        return state.stage
      case 'SN':
        return String(state.unitCode)
      case 'VA':
        return String(state.velocity)
      case 'AC':
        return String(state.acceleration)
      case 'AG':
        return String(state.deceleration)
      case 'SL':
        return String(state.lowerLimit)
      case 'SR':
        return String(state.upperLimit)
      default:
        return this.#error(6)
    }
  }

  #set(axis: Axis, name: string, argument: string | undefined, seconds: number, text: string): undefined {
    const state = this.#axes[axis]
    const value = argument === undefined ? undefined : Number(argument)
    switch (name) {
      case 'PA':
      case 'PR':
        if (value === undefined) return this.#error(38)
        if (!this.#start(axis, name === 'PA' ? value : state.setpoint + value, seconds)) return undefined
        break
      case 'OR':
        if (!this.#start(axis, 0, seconds)) return undefined
        break
      case 'DH':
        state.rest = value ?? 0
        state.setpoint = state.rest
        break
      case 'ST':
        this.#brake(axis, seconds, state.deceleration)
        break
      case 'MO':
        state.motorOn = true
        break
      case 'MF':
        this.#brake(axis, seconds, EMERGENCY_DECELERATION)
        state.motorOn = false
        break
      case 'VA':
      case 'AC':
      case 'AG':
        if (value === undefined) return this.#error(38)
        if (!(value > 0)) return this.#error(axis * 100 + 1)
        if (name === 'VA') state.velocity = value
        else if (name === 'AC') state.acceleration = value
        else state.deceleration = value
        break
      case 'SL':
      case 'SR':
        if (value === undefined) return this.#error(38)
        if (name === 'SL') state.lowerLimit = value
        else state.upperLimit = value
        break
      case 'SN':
        if (value === undefined) return this.#error(38)
        state.unitCode = value
        break
      case 'WS': // the real one holds its command queue until the axis stands; nobody here asks for it
        break
      default: // a question without its question mark
        return this.#error(6)
    }
    this.#host.accepted(text)
    return undefined
  }

  /** false: refused, and the error queue says why. */
  #start(axis: Axis, target: number, seconds: number): boolean {
    const state = this.#axes[axis]
    if (!state.motorOn) this.#error(axis * 100 + 13)
    else if (target > state.upperLimit) this.#error(axis * 100 + 6)
    else if (target < state.lowerLimit) this.#error(axis * 100 + 7)
    else {
      state.rest = this.position(axis, seconds)
      state.setpoint = target
      state.trajectory = moveBetween(state.rest, target, state)
      state.startedAt = seconds
      return true
    }
    return false
  }

  #brake(axis: Axis, seconds: number, deceleration: number): void {
    const state = this.#axes[axis]
    if (!this.moving(axis, seconds) || state.trajectory === undefined) return
    const { position, velocity } = state.trajectory.at(seconds - state.startedAt)
    state.trajectory = brake(position, velocity, deceleration)
    state.startedAt = seconds
    state.setpoint = state.trajectory.end
  }

  #settle(axis: Axis, seconds: number): void {
    const state = this.#axes[axis]
    if (state.trajectory === undefined || this.moving(axis, seconds)) return
    state.rest = state.trajectory.end
    state.trajectory = undefined
  }

  #error(code: number): undefined {
    if (this.#errors.length < ERROR_QUEUE_DEPTH) this.#errors.push(code)
    return undefined
  }
}

const WHOLE_CONTROLLER: Readonly<Record<string, true>> = { VE: true, TE: true, TS: true, AB: true, ST: true }
const COMMANDS = new Set(['PA', 'PR', 'OR', 'DH', 'ST', 'MO', 'MF', 'VA', 'AC', 'AG', 'SL', 'SR', 'SN', 'WS', 'TP', 'DP', 'MD', 'ID'])

export const simulation: Simulation = {
  driverId: 'newport-esp300',
  description: 'ESP300 controller with three 25 mm stages, at 19200 baud',
  start: (options) =>
    serveTerminal(
      { instrument: new Esp300Simulator(hostOf(options)), baudRate: 19_200, devices: AXES.map((axis) => ({ axis, flowControl: 'none' })) },
      options,
    ),
}
