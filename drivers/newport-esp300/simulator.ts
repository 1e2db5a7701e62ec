import { hostOf, serveTerminal } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { type ByteInstrument, CommandSplitter, gaussian, type SimulatorHost } from '../simulation/simulator.ts'
import { AXES, type Axis, ERROR_CODES, errorMessage, HOME_MODES, type HomeMode, REPLY_TERMINATOR } from './protocol.ts'
import { SimulatedAxis } from './simulated-axis.ts'

const ERROR_QUEUE_DEPTH = 10
const SERVO_NOISE = 0.00004 // mm: a standing servo hunts below its last digit
const SERVO_TICK_SECONDS = 0.0004 // what time stamps count
const IDENTITY = 'ESP300 Version 3.04 07/27/01'
const STORED_HOME_MODE = 2
const MAX_HELD = 64 // commands that its buffer holds while it waits; more are lost

/** How many decimals the controller prints, by unit. */
const DECIMALS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 4, 3: 1, 4: 6, 5: 3, 6: 0, 7: 4, 8: 4, 9: 6, 10: 3, 11: 0 }
const RATE_DECIMALS = 2 // more, for velocities and accelerations

export type Esp300Options = { readonly identity?: string; readonly motorsOn?: boolean; readonly rotary?: readonly Axis[] }

/** The controller with three stages of 25 mm (or degrees). Their places are the physics: others of the lab look at them through `position`. */
export class Esp300Simulator implements ByteInstrument {
  readonly errors = ERROR_CODES
  readonly #host: SimulatorHost
  readonly #identity: string
  readonly #splitter = new CommandSplitter(/[\r\n]/)
  readonly #queue: { readonly code: number; readonly seconds: number }[] = []
  readonly #axes: Readonly<Record<Axis, SimulatedAxis>>
  /** WS: whose standstill every command waits for, and how long after. */
  #waiting: { readonly axis: Axis; readonly delaySeconds: number } | undefined
  readonly #held: string[] = []
  #now = 0

  constructor(host: SimulatorHost, options: Esp300Options = {}) {
    this.#host = host
    this.#identity = options.identity ?? IDENTITY
    const axis = (number: Axis, serial: number): SimulatedAxis =>
      new SimulatedAxis({
        stage: `TS50DC.5, SN${serial}`,
        motorOn: options.motorsOn ?? true,
        rotary: options.rotary?.includes(number) ?? false,
        error: (code) => this.#error(number * 100 + code),
      })
    this.#axes = { 1: axis(1, 1263), 2: axis(2, 1264), 3: axis(3, 1265) }
  }

  /** Where the axis truly is, in mm or degrees, without the encoder's noise. */
  position(axis: Axis, seconds: number): number {
    return this.#axes[axis].position(seconds)
  }

  moving(axis: Axis, seconds: number): boolean {
    return this.#axes[axis].moving(seconds)
  }

  /** A following error: the axis stops where it is and its motor goes off (fault injection). */
  fail(axis: Axis, seconds: number): void {
    this.#now = seconds
    this.#axes[axis].fail(seconds)
  }

  foreign(): Uint8Array {
    return Buffer.from(this.#axes[1].stage + REPLY_TERMINATOR, 'latin1')
  }

  provoke(code: string, seconds: number): void {
    this.#now = seconds
    this.#error(Number(code))
  }

  dueAt(): number | undefined {
    return this.#held.length > 0 ? this.#heldUntil : undefined
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    this.#now = seconds
    for (const axis of AXES) this.#axes[axis].settle(seconds)
    const commands = this.#splitter.take(bytes).flatMap((line) => line.split(';'))
    this.#held.push(...commands.map((text) => text.replaceAll(' ', '').toUpperCase()).filter((text) => text !== ''))
    this.#held.splice(MAX_HELD)
    const replies: string[] = []
    while (this.#held.length > 0) {
      // An abort does not wait for its turn.
      const next = this.#heldUntil > seconds ? this.#held.indexOf('AB') : 0
      const [text] = next < 0 ? [] : this.#held.splice(next, 1)
      if (text === undefined) break
      const reply = this.#obey(text, seconds)
      if (reply !== undefined) replies.push(reply + REPLY_TERMINATOR)
    }
    return Buffer.from(replies.join(''), 'latin1')
  }

  get #heldUntil(): number {
    return this.#waiting === undefined ? Number.NEGATIVE_INFINITY : this.#axes[this.#waiting.axis].standsAt + this.#waiting.delaySeconds
  }

  #obey(text: string, seconds: number): string | undefined {
    this.#waiting = text === 'AB' ? this.#waiting : undefined
    if (text === '*IDN?') return this.#identity
    const match = /^(\d*)([A-Z]{2})(\?|[+-]?[\d.]+)?$/.exec(text)
    if (match === null) return this.#error(6)
    const [, digits = '', name = '', argument] = match
    if (CONTROLLER_COMMANDS.has(name) && digits === '') return this.#obeyController(name, seconds, text)
    if (!AXIS_COMMANDS.has(name)) return this.#error(6)
    if (digits === '') return this.#error(37)
    const axis = AXES.find((candidate) => candidate === Number(digits))
    if (axis === undefined) return this.#error(9)
    if (argument === '?' || QUESTIONS_ALONE.has(name)) return this.#answer(this.#axes[axis], name, seconds)
    if (this.#set(axis, name, argument, seconds)) this.#host.accepted(text)
    return undefined
  }

  #obeyController(name: string, seconds: number, text: string): string | undefined {
    switch (name) {
      case 'VE':
        return this.#identity
      case 'TE':
        return String(this.#queue.shift()?.code ?? 0)
      case 'TB': {
        const error = this.#queue.shift() ?? { code: 0, seconds }
        return `${error.code}, ${Math.floor(error.seconds / SERVO_TICK_SECONDS)}, ${errorMessage(error.code)}`
      }
      case 'TS': {
        const moving = AXES.reduce((sum, axis) => sum + (this.moving(axis, seconds) ? 1 << (axis - 1) : 0), 0)
        const power = AXES.some((axis) => this.#axes[axis].motorOn) ? 16 : 0
        return String.fromCharCode(64 + power + moving) // bit 6 keeps it printable, as in the manual's example
      }
      case 'AB':
        for (const axis of AXES) this.#axes[axis].stop(seconds, true)
        break
      default: // ST
        for (const axis of AXES) this.#axes[axis].stop(seconds)
    }
    this.#host.accepted(text)
    return undefined
  }

  #answer(axis: SimulatedAxis, name: string, seconds: number): string | undefined {
    const decimals = DECIMALS[axis.unitCode] ?? 4
    const length = (value: number): string => (value * axis.scale).toFixed(decimals)
    const rate = (value: number): string => String(Number((value * axis.scale).toFixed(decimals + RATE_DECIMALS)))
    switch (name) {
      case 'TP':
        return length(axis.counted(seconds) + SERVO_NOISE * gaussian(this.#host.random))
      case 'DP':
        return length(axis.setpoint)
      case 'MD':
        return axis.moving(seconds) ? '0' : '1'
      case 'MO':
        return axis.motorOn ? '1' : '0'
      case 'ID':
        return axis.stage
      case 'SN':
        return String(axis.unitCode)
      case 'VA':
        return rate(axis.ramps.velocity)
      case 'AC':
        return rate(axis.ramps.acceleration)
      case 'AG':
        return rate(axis.ramps.deceleration)
      case 'OH':
        return rate(axis.homing.velocity)
      case 'OL':
        return rate(axis.homing.approach)
      case 'SL':
        return rate(axis.lowerLimit)
      case 'SR':
        return rate(axis.upperLimit)
      default:
        return this.#error(6)
    }
  }

  /** false: refused, and the error queue says why. */
  #set(number: Axis, name: string, argument: string | undefined, seconds: number): boolean {
    const axis = this.#axes[number]
    const given = argument === undefined ? undefined : Number(argument)
    if (Number.isNaN(given)) return this.#refuse(7)
    if (given === undefined && NEEDS_ARGUMENT.has(name)) return this.#refuse(38)
    const value = (given ?? 0) / axis.scale
    switch (name) {
      case 'PA':
        return axis.moveTo(value, seconds)
      case 'PR':
        return axis.moveTo(axis.setpoint + value, seconds)
      case 'OR': {
        const mode = homeMode(given ?? STORED_HOME_MODE)
        return mode === undefined ? this.#refuse(7) : axis.home(mode, seconds)
      }
      case 'DH':
        return axis.defineHome(value, seconds)
      case 'ST':
        axis.stop(seconds)
        return true
      case 'MO':
      case 'MF':
        axis.switchMotor(name === 'MO', seconds)
        return true
      case 'VA':
        return axis.setRamp('velocity', value)
      case 'AC':
        return axis.setRamp('acceleration', value)
      case 'AG':
        return axis.setRamp('deceleration', value)
      case 'OH':
        return axis.setHoming('velocity', value)
      case 'OL':
        return axis.setHoming('approach', value)
      case 'SL':
        axis.lowerLimit = value
        return true
      case 'SR':
        axis.upperLimit = value
        return true
      case 'SN':
        return (given ?? 0) in DECIMALS ? axis.countIn(given ?? 0) : this.#refuse(7)
      case 'WS':
        if ((given ?? 0) < 0) return this.#refuse(7)
        this.#waiting = { axis: number, delaySeconds: (given ?? 0) / 1000 + Math.max(0, seconds - axis.standsAt) }
        return true
      default: // a question without its question mark
        return this.#refuse(6)
    }
  }

  #error(code: number): undefined {
    if (this.#queue.length < ERROR_QUEUE_DEPTH) this.#queue.push({ code, seconds: this.#now })
    return undefined
  }

  #refuse(code: number): false {
    this.#error(code)
    return false
  }
}

const CONTROLLER_COMMANDS = new Set(['VE', 'TE', 'TB', 'TS', 'AB', 'ST'])
const AXIS_COMMANDS = new Set(['PA', 'PR', 'OR', 'DH', 'ST', 'MO', 'MF', 'VA', 'AC', 'AG', 'OH', 'OL', 'SL', 'SR', 'SN', 'WS', 'TP', 'DP', 'MD', 'ID'])
const QUESTIONS_ALONE = new Set(['TP', 'MD', 'ID'])
const NEEDS_ARGUMENT = new Set(['PA', 'PR', 'VA', 'AC', 'AG', 'OH', 'OL', 'SL', 'SR', 'SN'])

function homeMode(given: number): HomeMode | undefined {
  return HOME_MODES.find((mode) => mode === given)
}

export const simulation: Simulation = {
  driverId: 'newport-esp300',
  description: 'ESP300 controller with three 25 mm stages, at 19200 baud',
  start: (options) =>
    serveTerminal(
      {
        instrument: new Esp300Simulator(hostOf(options)),
        baudRate: 19_200,
        devices: AXES.map((axis) => ({ axis, flowControl: 'none', replyTimeoutSeconds: 3 })),
      },
      options,
    ),
}
