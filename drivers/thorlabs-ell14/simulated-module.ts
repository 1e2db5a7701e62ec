import { gaussian, type SimulatorHost } from '../simulation/simulator.ts'
import { CURVE_POINTS, degreesOf, hertz, hex, INFO_DIGITS, long, periodOf } from './protocol.ts'

const FULL_SPEED_DEG_PER_S = 430 // at 100 %
const SHORTEST_MOVE_SECONDS = 0.02
const STALLS_BELOW_PERCENT = 25 // the motor's force does not overcome friction; the data sheet only says that low values stall
const MECHANICAL_TIMEOUT_SECONDS = 2
const SEARCH_SECONDS = 8 // documented: 5 to 15
const CURVE_SECONDS = 12
const CLEANING_SECONDS = 120 // documented: minutes
const HOME_SPREAD_PULSES = 4 // homing is accurate to 0.1°, 40 pulses
const RESET_SECONDS = 0.5 // after a brown-out
const CURVE_HZ = { from: 70_000, to: 120_000 }
const RESONANCE_WIDTH_HZ = 1500

/** A fresh module; a capture's own fields replay it. */
export type ModuleOptions = {
  readonly address: string
  /** What follows `IN`: 30 digits. */
  readonly identity: string
  readonly positionPulses?: number
  /** What follows `I1` and `I2`: 22 digits. */
  readonly motors?: readonly [string, string]
  /** Spread of where a move ends, one standard deviation. Default 2 pulses, a tenth of what the data sheet calls repeatability. */
  readonly spreadPulses?: number
}

type Activity = {
  readonly kind: 'motion' | 'other'
  readonly from: number
  readonly to: number
  readonly startedAt: number
  readonly endsAt: number
  /** What it says at the end, without the address. */
  readonly end: () => string
}

type MotorState = { info: string; readonly factory: string }

/** One ELL14: what it knows, where it stands, what it is doing. Time is given to it. */
export class SimulatedModule {
  readonly #host: SimulatorHost
  readonly #identity: string
  readonly #pulsesPerTurn: number
  readonly #spreadPulses: number
  readonly #motors: readonly [MotorState, MotorState]
  address: string
  /** Where it also listens until its next move. */
  group: string | undefined
  #rest: number
  #activity: Activity | undefined
  #velocityPercent = 100
  #jogPulses: number
  #homeOffsetPulses = 0
  #status = 0
  #isolatedUntil = 0
  #isolateAfterReply: number | undefined
  #deafUntil = 0
  /** The motor has lost its resonance: moves end in a mechanical time-out until it is searched or homed. */
  jammed = false

  constructor(host: SimulatorHost, options: ModuleOptions) {
    this.#host = host
    this.address = options.address
    this.#identity = options.identity
    this.#pulsesPerTurn = Number.parseInt(options.identity.slice(22, 30), 16)
    this.#spreadPulses = options.spreadPulses ?? 2
    this.#rest = options.positionPulses ?? 0
    this.#jogPulses = Math.round(this.#pulsesPerTurn / 8)
    const [first, second] = options.motors ?? ['100B85FFFFFFFF00B7008D', '100B10FFFFFFFF00B8008C']
    this.#motors = [
      { info: first, factory: first },
      { info: second, factory: second },
    ]
  }

  /** Where it truly is. */
  position(seconds: number): number {
    const activity = this.#activity
    if (activity === undefined) return this.#rest
    const part = Math.min(1, Math.max(0, (seconds - activity.startedAt) / (activity.endsAt - activity.startedAt)))
    return Math.round(activity.from + (activity.to - activity.from) * part)
  }

  moving(seconds: number): boolean {
    return this.#activity?.kind === 'motion' && seconds < this.#activity.endsAt
  }

  /** When it will say how its work ended. */
  dueAt(): number | undefined {
    return this.#activity?.endsAt
  }

  /** How its work ended, if it has. */
  speak(seconds: number): string {
    const activity = this.#activity
    if (activity === undefined || seconds < activity.endsAt) return ''
    this.#rest = activity.to
    this.#activity = undefined
    return this.#said(activity.end(), seconds)
  }

  /** An error by its own trouble: what it does ends where it is, and it says so. */
  fail(code: number, seconds: number): void {
    this.#status = code
    const activity = this.#activity
    if (activity === undefined) return
    const here = this.position(seconds)
    this.#activity = { kind: 'other', from: here, to: here, startedAt: seconds, endsAt: seconds, end: () => this.#takeStatus() }
  }

  /** Its supply broke down: it starts anew, in silence. */
  brownOut(seconds: number): void {
    this.#rest = this.position(seconds)
    this.#activity = undefined
    this.group = undefined
    this.#status = 7
    this.#deafUntil = seconds + RESET_SECONDS
  }

  /** A command without its address; the reply without its terminator. undefined: it says nothing, or not yet. */
  obey(letters: string, data: string, seconds: number): string | undefined {
    if (seconds < this.#deafUntil) return undefined
    if (seconds < this.#isolatedUntil && letters !== 'is') return undefined
    const reply = this.#answer(letters, data, seconds)
    if (letters === 'is') this.#isolatedUntil = 0 // it says that it is isolated, and then nothing
    const said = reply === undefined ? undefined : this.#said(reply, seconds)
    this.#isolatedUntil = this.#isolateAfterReply ?? this.#isolatedUntil
    this.#isolateAfterReply = undefined
    return said
  }

  #said(text: string, seconds: number): string {
    return text === '' || seconds < this.#isolatedUntil ? '' : `${this.address}${text}\r\n`
  }

  #answer(letters: string, data: string, seconds: number): string | undefined {
    if (letters !== 'gs' && this.#status !== 0) return this.#takeStatus() // its own trouble comes first
    const busy = this.#activity !== undefined
    switch (letters) {
      case 'in':
        return `IN${this.#identity}`
      case 'gs':
        return busy ? 'GS09' : this.#takeStatus()
      case 'gp':
        return `PO${long(this.position(seconds))}`
      case 'gv':
        return `GV${hex(this.#velocityPercent, 2)}`
      case 'gj':
        return `GJ${long(this.#jogPulses)}`
      case 'go':
        return `HO${long(this.#homeOffsetPulses)}`
      case 'i1':
      case 'i2':
        return `I${letters[1]}${this.#motor(letters).info}`
      case 'st':
        this.#stop(seconds)
        return this.#accept(letters, data)
    }
    return busy ? 'GS09' : (this.#move(letters, data, seconds) ?? this.#set(letters, data, seconds))
  }

  /** '' when it has begun; undefined when it is no motion. */
  #move(letters: string, data: string, seconds: number): string | undefined {
    const here = this.#rest
    const given = Number.parseInt(data, 16) | 0
    switch (letters) {
      case 'ma':
        if (Math.abs(given) > this.#pulsesPerTurn) return 'GS0C'
        return this.#begin(given, letters + data, seconds)
      case 'mr':
        if (Math.abs(given) > this.#pulsesPerTurn) return 'GS04'
        return this.#begin(here + given, letters + data, seconds)
      case 'fw':
        return this.#begin(here + this.#jogPulses, letters, seconds)
      case 'bw':
        return this.#begin(here - this.#jogPulses, letters, seconds)
      case 'ho':
        if (data !== '0' && data !== '1') return 'GS04'
        this.jammed = false
        return this.#begin(Math.round(HOME_SPREAD_PULSES * gaussian(this.#host.random)), letters + data, seconds)
      default:
        return undefined
    }
  }

  #begin(target: number, text: string, seconds: number): string {
    this.#host.accepted(this.address + text)
    this.group = undefined
    const from = this.#rest
    if (this.jammed || this.#velocityPercent < STALLS_BELOW_PERCENT) {
      this.#activity = { kind: 'motion', from, to: from, startedAt: seconds, endsAt: seconds + MECHANICAL_TIMEOUT_SECONDS, end: () => 'GS02' }
      return ''
    }
    const to = target + Math.round(this.#spreadPulses * gaussian(this.#host.random))
    const travelSeconds = Math.abs(degreesOf(to - from, this.#pulsesPerTurn)) / ((FULL_SPEED_DEG_PER_S * this.#velocityPercent) / 100)
    const endsAt = seconds + Math.max(SHORTEST_MOVE_SECONDS, travelSeconds)
    this.#activity = { kind: 'motion', from, to, startedAt: seconds, endsAt, end: () => `PO${long(this.#rest)}` }
    return ''
  }

  #stop(seconds: number): void {
    this.#rest = this.position(seconds)
    this.#activity = undefined
  }

  #set(letters: string, data: string, seconds: number): string {
    const given = Number.parseInt(data, 16)
    switch (letters) {
      case 'sv':
        if (given > 100) return 'GS04'
        this.#velocityPercent = given
        return this.#accept(letters, data)
      case 'sj':
        this.#jogPulses = given | 0
        return this.#accept(letters, data)
      case 'so':
        this.#homeOffsetPulses = given | 0
        return this.#accept(letters, data)
      case 'f1':
      case 'f2':
      case 'b1':
      case 'b2':
        return this.#setPeriod(letters, data)
      case 's1':
      case 's2':
        this.jammed = false
        return this.#work(letters, SEARCH_SECONDS, seconds, () => 'GS00')
      case 'c1':
      case 'c2':
        return this.#work(letters, CURVE_SECONDS, seconds, () => `C${letters[1]}${this.#curve(letters)}`)
      case 'cm':
      case 'om':
        return this.#work(letters, CLEANING_SECONDS, seconds, () => 'GS00', 'GS09')
      case 'is':
        this.#host.accepted(`${this.address}is${data}`)
        this.#isolateAfterReply = given === 0 ? 0 : seconds + given * 60
        return given === 0 ? 'GS06' : 'GS00'
      case 'ca':
        this.#host.accepted(`${this.address}ca${data}`)
        this.address = data
        return 'GS00'
      case 'ga':
        this.group = data === this.address ? undefined : data
        return this.#accept(letters, data)
      case 'us':
      case 'sk':
      case 'se':
        return this.#accept(letters, data)
      default:
        return 'GS03'
    }
  }

  #accept(letters: string, data: string): string {
    this.#host.accepted(this.address + letters + data)
    return 'GS00'
  }

  #work(letters: string, takesSeconds: number, seconds: number, end: () => string, first = ''): string {
    this.#host.accepted(this.address + letters)
    this.#activity = { kind: 'other', from: this.#rest, to: this.#rest, startedAt: seconds, endsAt: seconds + takesSeconds, end }
    return first
  }

  #setPeriod(letters: string, data: string): string {
    const motor = this.#motor(letters)
    const at = letters[0] === 'f' ? INFO_DIGITS - 8 : INFO_DIGITS - 4
    const given = Number.parseInt(data, 16)
    if ((given & 0x8000) === 0) return 'GS04'
    const digits = data === '8FFF' ? motor.factory.slice(at, at + 4) : hex(given & 0x7fff, 4)
    motor.info = motor.info.slice(0, at) + digits + motor.info.slice(at + 4)
    return this.#accept(letters, data)
  }

  #motor(letters: string): MotorState {
    return this.#motors[letters[1] === '2' ? 1 : 0]
  }

  /** A peak of current at the motor's resonance, from 70 to 120 kHz. */
  #curve(letters: string): string {
    const resonanceHz = hertz(Number.parseInt(this.#motor(letters).info.slice(INFO_DIGITS - 8, INFO_DIGITS - 4), 16))
    const bytes = Buffer.alloc(CURVE_POINTS * 6)
    for (let point = 0; point < CURVE_POINTS; point += 1) {
      const frequencyHz = CURVE_HZ.from + ((CURVE_HZ.to - CURVE_HZ.from) * point) / (CURVE_POINTS - 1)
      const amperes = 0.1 + 1.4 / (1 + ((frequencyHz - resonanceHz) / RESONANCE_WIDTH_HZ) ** 2)
      bytes.writeUInt16BE(periodOf(frequencyHz), point * 6)
      bytes.writeUInt32BE(Math.round(amperes * 1866), point * 6 + 2)
    }
    return bytes.toString('latin1')
  }

  #takeStatus(): string {
    const status = this.#status
    this.#status = 0
    return `GS${hex(status, 2)}`
  }
}
