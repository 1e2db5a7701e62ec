import { hostOf, serveRegisters } from '../serve-simulation.ts'
import type { Simulation } from '../simulation.ts'
import { gaussian, type RegisterInstrument, type SimulatorHost } from '../simulator.ts'
import { COMMAND_AT, CUT_CANCEL, CUT_START, STATES, type State } from './profile.ts'
import { floatWords } from './protocol.ts'

const SIZE = 3001
const MAX_STEP_SECONDS = 0.1 // of the integration; a saw that nobody asked for an hour catches up in such steps
const MAX_CATCH_UP_SECONDS = 600

const SPEED_LAG_SECONDS = 0.5
const END_HEIGHT_MM = 10
const TOP_HEIGHT_MM = 70
const RISE_MM_PER_MINUTE = 900
const HYDRAULICS_SECONDS = 2
const MOTOR_SECONDS = 3
const FINISHED_SECONDS = 1
const NEXT_PIECE_SECONDS = 20 // the operator's time between two pieces
const AFTER_CANCEL_SECONDS = 60 // and after a cut was cancelled
const BASE_TORQUE_PERCENT = 20
const TORQUE_FACTOR = 0.15 // percent for each mm/min of descent, mm of width and unit of hardness, by the m/min of the band
const INCLUSION_TORQUE = 1.6 // a hard spot raises the torque by 60 % …
const INCLUSION_MM = 2 // … within this depth
const MAINS_VOLTS = 400
const WIDTH_MM = 120
const HARDNESS = 1.8

export type SmartSawOptions = {
  /** An operator stands at the machine and starts the next piece. */
  readonly operator?: boolean
}

/** The saw's PLC and what it drives. */
export class SmartSawSimulator implements RegisterInstrument {
  readonly size = SIZE
  readonly #host: SimulatorHost
  readonly #operator: boolean
  readonly #registers = new Uint16Array(SIZE)
  #state: State = 'idle'
  #stateSince = 0
  #now: number | undefined
  #startAt = 2
  #height = TOP_HEIGHT_MM
  #cuttingSpeed = 0
  #descentSpeed = 0
  #torque = 0
  #wear = 0
  #coolant = 21
  #oil = 28
  #energy = 1234.5
  #pieces = 17
  #inclusionAt: number | undefined
  #alarms = 0
  #frozen: number | undefined

  constructor(host: SimulatorHost, options: SmartSawOptions = {}) {
    this.#host = host
    this.#operator = options.operator ?? false
    const fixed: Readonly<Record<number, number>> = {
      1000: 42,
      1001: 7,
      1002: 3,
      1003: 1,
      1004: 2,
      1005: 1,
      1006: 4,
      1007: 18,
      1008: 1,
      1009: 1200,
      1010: 800,
      1011: 0,
      1012: 0,
      1041: WIDTH_MM * 10,
    }
    for (const [at, word] of Object.entries(fixed)) this.#registers[Number(at)] = word
    this.#registers[2066] = 58
    this.#registers[2041] = 20 * 100
  }

  get state(): State {
    return this.#state
  }

  /** Bits of register 1032 (fault injection); a broken band or a stop ends the cut. */
  raiseAlarm(bits: number): void {
    this.#alarms |= bits
    if (this.#state === 'cutting') this.#enter('idle')
  }

  clearAlarms(): void {
    this.#alarms = 0
  }

  /** From now on a hard spot lies before the band (fault injection). */
  hideInclusion(): void {
    this.#inclusionAt = this.#height
  }

  /** A register that no longer follows its sensor (fault injection). */
  freeze(at: number | undefined): void {
    this.#frozen = at
  }

  read(at: number, count: number, seconds: number): readonly number[] {
    this.#advance(seconds)
    return [...this.#registers.subarray(at, at + count)]
  }

  write(at: number, value: number, seconds: number): void {
    this.#advance(seconds)
    this.#registers[at] = value
    if (at === COMMAND_AT) {
      if ((value & CUT_CANCEL) !== 0) this.#cancel()
      else if ((value & CUT_START) !== 0 && this.#state === 'idle' && this.#alarms === 0) this.#enter('hydraulics active')
    }
    this.#host.accepted(`${at}=${value}`)
  }

  #advance(seconds: number): void {
    const from = Math.max(this.#now ?? seconds, seconds - MAX_CATCH_UP_SECONDS)
    let left = seconds - from
    this.#now = from
    while (left > 0) {
      const step = Math.min(left, MAX_STEP_SECONDS)
      this.#now += step
      this.#step(step)
      left -= step
    }
    this.#publish()
  }

  #step(seconds: number): void {
    const running = this.#state === 'band motor running' || this.#state === 'cutting'
    const cutting = this.#state === 'cutting'
    const follow = 1 - Math.exp(-seconds / SPEED_LAG_SECONDS)
    this.#cuttingSpeed += follow * ((running ? (this.#registers[2066] ?? 0) : 0) - this.#cuttingSpeed)
    const descent = cutting ? (this.#registers[2041] ?? 0) / 100 : this.#state === 'saw rising' ? -RISE_MM_PER_MINUTE : 0
    this.#descentSpeed += follow * (descent - this.#descentSpeed)
    this.#height = Math.min(TOP_HEIGHT_MM, Math.max(END_HEIGHT_MM, this.#height - (this.#descentSpeed / 60) * seconds))

    const inclusion = this.#inclusionAt !== undefined && this.#inclusionAt - this.#height < INCLUSION_MM ? INCLUSION_TORQUE : 1
    const load = cutting ? (TORQUE_FACTOR * Math.max(0, this.#descentSpeed) * WIDTH_MM * HARDNESS) / Math.max(10, this.#cuttingSpeed) : 0
    const torque = running ? (BASE_TORQUE_PERCENT + load) * inclusion + 0.4 * gaussian(this.#host.random) : 0
    this.#torque += follow * (torque - this.#torque)
    if (cutting) this.#wear += seconds * 1e-6
    this.#coolant += (seconds * ((running ? 32 : 21) - this.#coolant)) / 900
    this.#oil += (seconds * ((running ? 45 : 24) - this.#oil)) / 1200
    this.#energy += (MAINS_VOLTS * Math.sqrt(3) * this.#current() * seconds) / 3.6e6
    this.#change()
  }

  #change(): void {
    const inState = (this.#now ?? 0) - this.#stateSince
    if (this.#state === 'idle' && this.#operator && this.#alarms === 0 && (this.#now ?? 0) >= this.#startAt) this.#enter('hydraulics active')
    else if (this.#state === 'hydraulics active' && inState >= HYDRAULICS_SECONDS) this.#enter('band motor running')
    else if (this.#state === 'band motor running' && inState >= MOTOR_SECONDS) this.#enter('cutting')
    else if (this.#state === 'cutting' && this.#height <= END_HEIGHT_MM) {
      this.#pieces += 1
      this.#inclusionAt = undefined
      this.#enter('cut finished')
    } else if (this.#state === 'cut finished' && inState >= FINISHED_SECONDS) this.#enter('saw rising')
    else if (this.#state === 'saw rising' && this.#height >= TOP_HEIGHT_MM) {
      this.#enter('idle')
      this.#startAt = (this.#now ?? 0) + NEXT_PIECE_SECONDS
    }
  }

  #cancel(): void {
    if (this.#state === 'idle') return
    this.#enter(this.#height < TOP_HEIGHT_MM ? 'saw rising' : 'idle')
    this.#startAt = (this.#now ?? 0) + AFTER_CANCEL_SECONDS
  }

  #enter(state: State): void {
    this.#state = state
    this.#stateSince = this.#now ?? 0
  }

  /** Band motor current over torque, a fit of the real machine's. */
  #current(): number {
    const x = this.#torque
    return this.#cuttingSpeed < 1 ? 0 : 0.015 * x * x - 0.278 * x + 15.656
  }

  #publish(): void {
    const noise = (sigma: number): number => sigma * gaussian(this.#host.random)
    const cutting = this.#state === 'cutting'
    const running = this.#cuttingSpeed > 1
    const [energyLow, energyHigh] = floatWords(this.#energy)
    const words: Readonly<Record<number, number>> = {
      1013: this.#height * 10,
      1014: this.#pieces,
      1015: Math.max(0, this.#current() + (running ? noise(0.15) : 0)) * 10,
      1016: Math.max(0, this.#torque) * 10,
      1017: (this.#descentSpeed / 20) * 100, // signed: the drive turns the other way while the head rises
      1018: Math.abs(this.#descentSpeed) * 0.9,
      1019: (cutting ? 62 : 60) + noise(0.3),
      1020: 180 + noise(0.5) * 10,
      1021: noise(running ? 12 : 1),
      1022: noise(running ? 12 : 1),
      1023: noise(running ? 12 : 1),
      1024: ((this.#torque - BASE_TORQUE_PERCENT) * 0.004 + this.#wear + noise(0.01)) * (cutting ? 1 : 0.1) * 100,
      1025: (21.5 + noise(0.03)) * 10,
      1026: (44 + noise(0.1)) * 10,
      1027: this.#coolant * 10,
      1028: this.#oil * 10,
      1029: this.#coolant * 10 + (running ? 150 : 0),
      1030: STATES.indexOf(this.#state),
      1031: this.#alarms === 0 ? 0 : 1,
      1032: this.#alarms,
      1033: this.#cuttingSpeed * 10,
      1034: this.#descentSpeed,
      1035: running ? 120 + noise(3) : 0,
      1036: running ? 118 + noise(3) : 0,
      1037: running ? 95 + noise(3) : 0,
      1042: energyLow,
      1043: energyHigh,
    }
    for (const [at, word] of Object.entries(words)) if (Number(at) !== this.#frozen) this.#registers[Number(at)] = Math.round(word) & 0xffff
  }
}

export const simulation: Simulation = {
  driverId: 'smart-saw',
  description: 'Band saw behind its PLC, with an operator who starts the next piece',
  start: (options) => serveRegisters({ instrument: new SmartSawSimulator(hostOf(options), { operator: true }), devices: [{}] }, options),
}
