import { hostOf, serveRegisters } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { type BitBank, gaussian, type RegisterInstrument, type SimulatorHost } from '../simulation/simulator.ts'
import { END_HEIGHT_MM, FIRST_WORDS, isRunning, measuredWords, move, restingMachine, TOP_HEIGHT_MM } from './machine.ts'
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
  MACHINE_AT,
  MACHINE_START,
  PIECES_AUTOMATIC_AT,
  QUANTITY_AT,
  type State,
} from './protocol.ts'

const SIZE = 3001
const BITS_IN_A_WORD = 16
const MAX_STEP_SECONDS = 0.1 // of the integration; a saw that nobody asked for an hour catches up in such steps
const MAX_CATCH_UP_SECONDS = 600

const RISE_MM_PER_MINUTE = 900
const LOWER_MM_PER_MINUTE = 300 // by hand, off the material
const HYDRAULICS_SECONDS = 2
const MOTOR_SECONDS = 3
const FINISHED_SECONDS = 1
const FEED_SECONDS = 3
const RESET_HELD_SECONDS = 1.5
const NEXT_PIECE_SECONDS = 20 // the operator's time between two pieces
const AFTER_CANCEL_SECONDS = 60 // and after a cut was cancelled
const INCLUSION_MM = 2 // a hard spot is as deep as this
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
  /** The bits of the registers once more: coil 650 is bit 10 of register 40. */
  readonly coils: BitBank = {
    size: SIZE * BITS_IN_A_WORD,
    read: (at, count, seconds) => Array.from({ length: count }, (_, index) => this.#bitAt(at + index, seconds)),
    write: (at, on, seconds) => this.#setBit(at, on, seconds),
  }
  readonly errors = [...Object.keys(ALARMS), ...Object.keys(SENSOR_FAULTS)]
  readonly #host: SimulatorHost
  readonly #operator: boolean
  readonly #noise: (sigma: number) => number
  readonly #registers = new Uint16Array(SIZE)
  readonly #machine = restingMachine()
  #stateSince = 0
  #now: number | undefined
  #startAt = 2
  #automatic = false
  #resetSince: number | undefined
  #burstUntil = 0
  #inclusionAt: number | undefined
  #frozen: number | undefined
  #wrapped: number | undefined

  constructor(host: SimulatorHost, options: SmartSawOptions = {}) {
    this.#host = host
    this.#noise = (sigma) => sigma * gaussian(host.random)
    this.#operator = options.operator ?? false
    for (const [at, word] of Object.entries(FIRST_WORDS)) this.#registers[Number(at)] = word
  }

  get state(): State {
    return this.#machine.state
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
    this.#inclusionAt = this.#machine.height
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

  #bitAt(coil: number, seconds: number): number {
    const [word = 0] = this.read(Math.floor(coil / BITS_IN_A_WORD), 1, seconds)
    return (word >> (coil % BITS_IN_A_WORD)) & 1
  }

  #setBit(coil: number, on: boolean, seconds: number): void {
    const at = Math.floor(coil / BITS_IN_A_WORD)
    const bit = 1 << (coil % BITS_IN_A_WORD)
    const word = this.#registers[at] ?? 0
    this.write(at, on ? word | bit : word & ~bit, seconds)
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
    if ((word & COMMAND.frontViceOpen) !== 0 && this.#machine.state === 'cutting') this.#alarm('front-vice')
  }

  #start(): void {
    const open = this.#is(COMMAND.frontViceOpen) || this.#is(COMMAND.rearViceOpen)
    if (this.#machine.state === 'idle' && this.#machine.alarms === 0 && !open && ((this.#registers[MACHINE_AT] ?? 0) & MACHINE_START) !== 0)
      this.#enter('hydraulics active')
  }

  #is(bit: number): boolean {
    return ((this.#registers[COMMAND_AT] ?? 0) & bit) !== 0
  }

  #alarm(alarm: Alarm): void {
    this.#machine.alarms |= ALARMS[alarm]
    this.#automatic = false
    if (alarm === 'servo-over-temperature') this.#machine.oil = OVERHEATED_CELSIUS
    if (this.#machine.state !== 'idle') this.#enter('idle')
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
    const running = isRunning(this.#machine)
    move(
      this.#machine,
      {
        cuttingTarget: this.#registers[CUTTING_TARGET_AT] ?? 0,
        descentWanted: this.#descentWanted(),
        width: (this.#registers[1041] ?? 0) / 10,
        hardness: (this.#registers[1007] ?? 0) / 10,
        hard: this.#inclusionAt !== undefined && this.#inclusionAt - this.#machine.height < INCLUSION_MM,
        viceOpen: this.#is(COMMAND.frontViceOpen) || this.#is(COMMAND.rearViceOpen),
        cooled: ((this.#registers[COOLANT_AT] ?? 0) & COOLANT) !== 0,
      },
      seconds,
      this.#noise,
    )
    if (running && this.#host.random() < BURSTS_PER_SECOND * seconds) this.#burstUntil = (this.#now ?? 0) + BURST_SECONDS
    if (this.#resetSince !== undefined && (this.#now ?? 0) - this.#resetSince >= RESET_HELD_SECONDS) this.#machine.alarms = 0
    this.#change()
  }

  #descentWanted(): number {
    if (this.#machine.state === 'cutting') return (this.#registers[DESCENT_TARGET_AT] ?? 0) / 100
    if (this.#machine.state === 'saw rising') return -RISE_MM_PER_MINUTE
    if (this.#machine.state !== 'idle' || this.#is(COMMAND.sawUp) === this.#is(COMMAND.sawDown)) return 0
    return this.#is(COMMAND.sawUp) ? -RISE_MM_PER_MINUTE : LOWER_MM_PER_MINUTE
  }

  #change(): void {
    const now = this.#now ?? 0
    const inState = now - this.#stateSince
    const fed = this.#is(COMMAND.materialForward) || this.#is(COMMAND.materialBack)
    switch (this.#machine.state) {
      case 'idle':
        if (this.#operator && this.#machine.alarms === 0 && now >= this.#startAt) this.#start()
        else if (fed) this.#enter('material feed')
        return
      case 'hydraulics active':
        if (inState >= HYDRAULICS_SECONDS) this.#enter('band motor running')
        return
      case 'band motor running':
        if (inState >= MOTOR_SECONDS) this.#enter('cutting')
        return
      case 'cutting':
        if (this.#machine.height <= END_HEIGHT_MM) this.#finish()
        return
      case 'cut finished':
        if (inState >= FINISHED_SECONDS) this.#enter('saw rising')
        return
      case 'saw rising':
        if (this.#machine.height >= TOP_HEIGHT_MM) this.#risen(now)
        return
      case 'material feed':
        if (this.#automatic ? inState >= FEED_SECONDS : !fed) {
          this.#enter('idle')
          if (this.#automatic) this.#start()
        }
    }
  }

  #finish(): void {
    this.#machine.pieces += 1
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
    if (this.#machine.state === 'idle') return
    this.#enter(this.#machine.height < TOP_HEIGHT_MM ? 'saw rising' : 'idle')
    this.#startAt = (this.#now ?? 0) + AFTER_CANCEL_SECONDS
  }

  #enter(state: State): void {
    this.#machine.state = state
    this.#stateSince = this.#now ?? 0
  }

  #publish(): void {
    this.#machine.vibration = (this.#now ?? 0) < this.#burstUntil ? BURST_TIMES : 1
    const words = measuredWords(this.#machine, this.#noise)
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
