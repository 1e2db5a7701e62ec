import { hostOf, serveRegisters } from '../serve-simulation.ts'
import type { Simulation } from '../simulation.ts'
import { gaussian, type RegisterInstrument, type SimulatorHost } from '../simulator.ts'
import {
  ALARMS,
  type Alarm,
  AUTOMATIC_AT,
  COMMAND,
  COMMAND_AT,
  COOLANT,
  COOLANT_AT,
  CUTTING_TARGET_AT,
  DESCENT_TARGET_AT,
  floatWords,
  MACHINE_AT,
  MACHINE_START,
  PIECES_AUTOMATIC_AT,
  QUANTITY_AT,
  STATES,
  type State,
} from './protocol.ts'

const SIZE = 3001
const MAX_STEP_SECONDS = 0.1 // of the integration; a saw that nobody asked for an hour catches up in such steps
const MAX_CATCH_UP_SECONDS = 600

const SPEED_LAG_SECONDS = 0.5
const END_HEIGHT_MM = 10
const TOP_HEIGHT_MM = 70
const RISE_MM_PER_MINUTE = 900
const LOWER_MM_PER_MINUTE = 300 // by hand, off the material
const HYDRAULICS_SECONDS = 2
const MOTOR_SECONDS = 3
const FINISHED_SECONDS = 1
const FEED_SECONDS = 3
const RESET_HELD_SECONDS = 1.5
const NEXT_PIECE_SECONDS = 20 // the operator's time between two pieces
const AFTER_CANCEL_SECONDS = 60 // and after a cut was cancelled
const BASE_TORQUE_PERCENT = 20
const TORQUE_FACTOR = 0.15 // percent for each mm/min of descent, mm of width and unit of hardness, by the m/min of the band
const INCLUSION_TORQUE = 1.6 // a hard spot raises the torque by 60 % …
const INCLUSION_MM = 2 // … within this depth
const MAINS_VOLTS = 400
const VICE_BAR = 60
const VICE_LAG_SECONDS = 0.3
const BURSTS_PER_SECOND = 0.05
const BURST_SECONDS = 0.4
const BURST_TIMES = 2.5
const OVERHEATED_CELSIUS = 85

/** Faults that raise no alarm, and the register that shows each: torque, deviation, temperature of the room. */
const SENSOR_FAULTS = { 'hard-inclusion': 1016, 'frozen-word': 1024, 'wrapped-word': 1025 } as const

export type SmartSawOptions = {
  /** An operator stands at the machine and starts the next piece. */
  readonly operator?: boolean
}

/** The saw's PLC and what it drives. */
export class SmartSawSimulator implements RegisterInstrument {
  readonly size = SIZE
  readonly errors = [...Object.keys(ALARMS), ...Object.keys(SENSOR_FAULTS)]
  readonly #host: SimulatorHost
  readonly #operator: boolean
  readonly #registers = new Uint16Array(SIZE)
  #state: State = 'idle'
  #stateSince = 0
  #now: number | undefined
  #startAt = 2
  #automatic = false
  #resetSince: number | undefined
  #height = TOP_HEIGHT_MM
  #cuttingSpeed = 0
  #descentSpeed = 0
  #torque = 0
  #wear = 0
  #vice = VICE_BAR
  #coolant = 21
  #oil = 28
  #energy = 1234.5
  #pieces = 17
  #burstUntil = 0
  #inclusionAt: number | undefined
  #alarms = 0
  #frozen: number | undefined
  #wrapped: number | undefined

  constructor(host: SimulatorHost, options: SmartSawOptions = {}) {
    this.#host = host
    this.#operator = options.operator ?? false
    const first: Readonly<Record<number, number>> = {
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
      1041: 1200,
      [MACHINE_AT]: MACHINE_START,
      [CUTTING_TARGET_AT]: 58,
      [DESCENT_TARGET_AT]: 20 * 100,
      [QUANTITY_AT]: 10,
      2064: 2500,
      2070: 5,
    }
    for (const [at, word] of Object.entries(first)) this.#registers[Number(at)] = word
  }

  get state(): State {
    return this.#state
  }

  /** An alarm, by its name, ends the cut, and stays until somebody holds the reset. The others are faults of the material or of a sensor. */
  provoke(fault: string, seconds: number): void {
    this.#advance(seconds)
    if (isAlarm(fault)) this.#alarm(fault)
    else if (fault === 'hard-inclusion') this.hideInclusion()
    else if (fault === 'frozen-word') this.freeze(SENSOR_FAULTS['frozen-word'])
    else if (fault === 'wrapped-word') this.wrap(SENSOR_FAULTS['wrapped-word'])
    this.#publish()
  }

  /** From now on a hard spot lies before the band (fault injection). */
  hideInclusion(): void {
    this.#inclusionAt = this.#height
  }

  /** A register that no longer follows its sensor (fault injection). */
  freeze(at: number | undefined): void {
    this.#frozen = at
  }

  /** A signed register whose quantity is below zero, so that its word wraps: -1 is 65535 (fault injection). */
  wrap(at: number | undefined): void {
    this.#wrapped = at
  }

  read(at: number, count: number, seconds: number): readonly number[] {
    this.#advance(seconds)
    return [...this.#registers.subarray(at, at + count)]
  }

  write(at: number, value: number, seconds: number): void {
    this.#advance(seconds)
    const before = this.#registers[at] ?? 0
    this.#registers[at] = value
    if (at === COMMAND_AT) this.#command(value, value & ~before)
    if (at === MACHINE_AT && (value & MACHINE_START) === 0) this.#cancel()
    this.#host.accepted(`${at}=${value}`)
  }

  /** Starts count by their edge, so that a neighbour's change starts nothing; cancel and the movements by their level. */
  #command(word: number, risen: number): void {
    const held = (this.#registers[COMMAND_AT] ?? 0) & COMMAND.reset
    this.#resetSince = held === 0 ? undefined : (this.#resetSince ?? this.#now)
    if ((word & COMMAND.cutCancel) !== 0) return this.#cancel()
    if ((risen & COMMAND.automaticStart) !== 0 && this.#registers[AUTOMATIC_AT] === 1) {
      this.#automatic = true
      this.#registers[PIECES_AUTOMATIC_AT] = 0
      this.#start()
    }
    if ((risen & COMMAND.cutStart) !== 0) this.#start()
    if ((word & COMMAND.frontViceOpen) !== 0 && this.#state === 'cutting') this.#alarm('front-vice')
  }

  #start(): void {
    const open = this.#is(COMMAND.frontViceOpen) || this.#is(COMMAND.rearViceOpen)
    if (this.#state === 'idle' && this.#alarms === 0 && !open && ((this.#registers[MACHINE_AT] ?? 0) & MACHINE_START) !== 0) this.#enter('hydraulics active')
  }

  #is(bit: number): boolean {
    return ((this.#registers[COMMAND_AT] ?? 0) & bit) !== 0
  }

  #alarm(alarm: Alarm): void {
    this.#alarms |= ALARMS[alarm]
    this.#automatic = false
    if (alarm === 'servo-over-temperature') this.#oil = OVERHEATED_CELSIUS
    if (this.#state !== 'idle') this.#enter('idle')
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
    this.#cuttingSpeed += follow * ((running ? (this.#registers[CUTTING_TARGET_AT] ?? 0) : 0) - this.#cuttingSpeed)
    this.#descentSpeed += follow * (this.#descentWanted() - this.#descentSpeed)
    this.#height = Math.min(TOP_HEIGHT_MM, Math.max(END_HEIGHT_MM, this.#height - (this.#descentSpeed / 60) * seconds))

    const width = (this.#registers[1041] ?? 0) / 10
    const hardness = (this.#registers[1007] ?? 0) / 10
    const inclusion = this.#inclusionAt !== undefined && this.#inclusionAt - this.#height < INCLUSION_MM ? INCLUSION_TORQUE : 1
    const load = cutting ? (TORQUE_FACTOR * Math.max(0, this.#descentSpeed) * width * hardness) / Math.max(10, this.#cuttingSpeed) : 0
    const torque = running ? (BASE_TORQUE_PERCENT + load) * inclusion + 0.4 * gaussian(this.#host.random) : 0
    this.#torque += follow * (torque - this.#torque)
    if (cutting) this.#wear += seconds * 1e-6
    const open = this.#is(COMMAND.frontViceOpen) || this.#is(COMMAND.rearViceOpen)
    this.#vice += (1 - Math.exp(-seconds / VICE_LAG_SECONDS)) * ((open ? 0 : cutting ? VICE_BAR + 2 : VICE_BAR) - this.#vice)
    const cooled = ((this.#registers[COOLANT_AT] ?? 0) & COOLANT) !== 0
    this.#coolant += (seconds * ((running ? (cooled ? 26 : 32) : 21) - this.#coolant)) / 900
    this.#oil += (seconds * ((running ? 45 : 24) - this.#oil)) / 1200
    this.#energy += (MAINS_VOLTS * Math.sqrt(3) * this.#current() * seconds) / 3.6e6
    if (running && this.#host.random() < BURSTS_PER_SECOND * seconds) this.#burstUntil = (this.#now ?? 0) + BURST_SECONDS
    if (this.#resetSince !== undefined && (this.#now ?? 0) - this.#resetSince >= RESET_HELD_SECONDS) this.#alarms = 0
    this.#change()
  }

  #descentWanted(): number {
    if (this.#state === 'cutting') return (this.#registers[DESCENT_TARGET_AT] ?? 0) / 100
    if (this.#state === 'saw rising') return -RISE_MM_PER_MINUTE
    if (this.#state !== 'idle' || this.#is(COMMAND.sawUp) === this.#is(COMMAND.sawDown)) return 0
    return this.#is(COMMAND.sawUp) ? -RISE_MM_PER_MINUTE : LOWER_MM_PER_MINUTE
  }

  #change(): void {
    const now = this.#now ?? 0
    const inState = now - this.#stateSince
    const fed = this.#is(COMMAND.materialForward) || this.#is(COMMAND.materialBack)
    switch (this.#state) {
      case 'idle':
        if (this.#operator && this.#alarms === 0 && now >= this.#startAt) this.#start()
        else if (fed) this.#enter('material feed')
        return
      case 'hydraulics active':
        if (inState >= HYDRAULICS_SECONDS) this.#enter('band motor running')
        return
      case 'band motor running':
        if (inState >= MOTOR_SECONDS) this.#enter('cutting')
        return
      case 'cutting':
        if (this.#height <= END_HEIGHT_MM) this.#finish()
        return
      case 'cut finished':
        if (inState >= FINISHED_SECONDS) this.#enter('saw rising')
        return
      case 'saw rising':
        if (this.#height >= TOP_HEIGHT_MM) this.#risen(now)
        return
      case 'material feed':
        if (this.#automatic ? inState >= FEED_SECONDS : !fed) {
          this.#enter('idle')
          if (this.#automatic) this.#start()
        }
    }
  }

  #finish(): void {
    this.#pieces += 1
    if (this.#automatic) this.#registers[PIECES_AUTOMATIC_AT] = (this.#registers[PIECES_AUTOMATIC_AT] ?? 0) + 1
    this.#inclusionAt = undefined
    this.#enter('cut finished')
  }

  #risen(now: number): void {
    this.#automatic &&= (this.#registers[PIECES_AUTOMATIC_AT] ?? 0) < (this.#registers[QUANTITY_AT] ?? 0)
    this.#startAt = now + NEXT_PIECE_SECONDS
    this.#enter(this.#automatic ? 'material feed' : 'idle')
  }

  #cancel(): void {
    this.#automatic = false
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
    const burst = (this.#now ?? 0) < this.#burstUntil ? BURST_TIMES : 1
    const [energyLow, energyHigh] = floatWords(this.#energy)
    const words: Readonly<Record<number, number>> = {
      1013: this.#height * 10,
      1014: this.#pieces,
      1015: Math.max(0, this.#current() + (running ? noise(0.15) : 0)) * 10,
      1016: Math.max(0, this.#torque) * 10,
      1017: (this.#descentSpeed / 20) * 100, // signed: the drive turns the other way while the head rises
      1018: Math.abs(this.#descentSpeed) * 0.9,
      1019: Math.max(0, this.#vice + noise(0.03)) * 10,
      1020: (180 + noise(0.5)) * 10,
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
      1035: running ? (120 + noise(3)) * burst : 0,
      1036: running ? (118 + noise(3)) * burst : 0,
      1037: running ? (95 + noise(3)) * burst : 0,
      1038: running ? Math.abs(noise(150)) : 0,
      1039: running ? Math.abs(noise(150)) : 0,
      1040: running ? Math.abs(noise(150)) : 0,
      1042: energyLow,
      1043: energyHigh,
    }
    for (const [key, word] of Object.entries(words)) {
      const at = Number(key)
      if (at !== this.#frozen) this.#registers[at] = Math.round(at === this.#wrapped ? -Math.abs(word) - 1 : word) & 0xffff
    }
  }
}

function isAlarm(name: string): name is Alarm {
  return Object.hasOwn(ALARMS, name)
}

export const simulation: Simulation = {
  driverId: 'smart-saw',
  description: 'Band saw behind its PLC, with an operator who starts the next piece',
  start: (options) => serveRegisters({ instrument: new SmartSawSimulator(hostOf(options), { operator: true }), devices: [{}] }, options),
}
