import { CUTTING_TARGET_AT, DESCENT_TARGET_AT, floatWords, MACHINE_AT, MACHINE_START, QUANTITY_AT, STATES, type State } from './protocol.ts'

/** The simulated machine behind its PLC: how it moves, and what the PLC shows of it. Randomness is given to it. */

export const END_HEIGHT_MM = 10
export const TOP_HEIGHT_MM = 70
const VICE_BAR = 60
const SPEED_LAG_SECONDS = 0.5
const VICE_LAG_SECONDS = 0.3
const BASE_TORQUE_PERCENT = 20
const TORQUE_FACTOR = 0.15 // percent for each mm/min of descent, mm of width and unit of hardness, by the m/min of the band
const INCLUSION_TORQUE = 1.6 // a hard spot raises the torque by 60 %
const MAINS_VOLTS = 400

/** In the units of the profile: mm, percent, bar, degrees Celsius, kW.h, m/min, mm/min. */
export type Machine = {
  state: State
  height: number
  pieces: number
  torque: number
  wear: number
  vice: number
  coolant: number
  oil: number
  energy: number
  cuttingSpeed: number
  descentSpeed: number
  /** The word of the alarms. */
  alarms: number
  /** Times what it is in quiet running. */
  vibration: number
}

/** Ampere of the band motor over its torque, a fit of the real machine's. */
function bandCurrent(torque: number, cuttingSpeed: number): number {
  return cuttingSpeed < 1 ? 0 : 0.015 * torque * torque - 0.278 * torque + 15.656
}

/** Head up, nothing turning. */
export function restingMachine(): Machine {
  return {
    state: 'idle',
    height: TOP_HEIGHT_MM,
    cuttingSpeed: 0,
    descentSpeed: 0,
    torque: 0,
    wear: 0,
    vice: VICE_BAR,
    coolant: 21,
    oil: 28,
    energy: 1234.5,
    pieces: 17,
    alarms: 0,
    vibration: 1,
  }
}

/** What is written on the machine, what lies in it, and what was set last, by register. */
export const FIRST_WORDS: Readonly<Record<number, number>> = {
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

/** What the machine is made to do, and what it cuts. */
export type Inputs = {
  readonly cuttingTarget: number
  /** Negative: it is to rise. */
  readonly descentWanted: number
  readonly width: number
  readonly hardness: number
  /** A hard spot lies before the band. */
  readonly hard: boolean
  readonly viceOpen: boolean
  readonly cooled: boolean
}

export function isRunning({ state }: Readonly<Machine>): boolean {
  return state === 'band motor running' || state === 'cutting'
}

/** One step of the integration. */
export function move(machine: Machine, inputs: Inputs, seconds: number, noise: (sigma: number) => number): void {
  const running = isRunning(machine)
  const cutting = machine.state === 'cutting'
  const follow = lag(seconds, SPEED_LAG_SECONDS)
  machine.cuttingSpeed += follow * ((running ? inputs.cuttingTarget : 0) - machine.cuttingSpeed)
  machine.descentSpeed += follow * (inputs.descentWanted - machine.descentSpeed)
  machine.height = Math.min(TOP_HEIGHT_MM, Math.max(END_HEIGHT_MM, machine.height - (machine.descentSpeed / 60) * seconds))

  const cut = TORQUE_FACTOR * Math.max(0, machine.descentSpeed) * inputs.width * inputs.hardness
  const load = cutting ? cut / Math.max(10, machine.cuttingSpeed) : 0
  const torque = running ? (BASE_TORQUE_PERCENT + load) * (inputs.hard ? INCLUSION_TORQUE : 1) + noise(0.4) : 0
  machine.torque += follow * (torque - machine.torque)
  if (cutting) machine.wear += seconds * 1e-6
  machine.vice += lag(seconds, VICE_LAG_SECONDS) * ((inputs.viceOpen ? 0 : cutting ? VICE_BAR + 2 : VICE_BAR) - machine.vice)
  machine.coolant += (seconds * ((running ? (inputs.cooled ? 26 : 32) : 21) - machine.coolant)) / 900
  machine.oil += (seconds * ((running ? 45 : 24) - machine.oil)) / 1200
  machine.energy += (MAINS_VOLTS * Math.sqrt(3) * bandCurrent(machine.torque, machine.cuttingSpeed) * seconds) / 3.6e6
}

function lag(seconds: number, timeConstant: number): number {
  return 1 - Math.exp(-seconds / timeConstant)
}

/** Registers 1013 to 1043, before they are rounded to words. */
export function measuredWords(machine: Readonly<Machine>, noise: (sigma: number) => number): Readonly<Record<number, number>> {
  const { state, torque, coolant, cuttingSpeed, descentSpeed, alarms, vibration } = machine
  const running = cuttingSpeed > 1
  const [energyLow, energyHigh] = floatWords(machine.energy)
  return {
    1013: machine.height * 10,
    1014: machine.pieces,
    1015: Math.max(0, bandCurrent(torque, cuttingSpeed) + (running ? noise(0.15) : 0)) * 10,
    1016: Math.max(0, torque) * 10,
    1017: (descentSpeed / 20) * 100, // signed: the drive turns the other way while the head rises
    1018: Math.abs(descentSpeed) * 0.9,
    1019: Math.max(0, machine.vice + noise(0.03)) * 10,
    1020: (180 + noise(0.5)) * 10,
    1021: noise(running ? 12 : 1),
    1022: noise(running ? 12 : 1),
    1023: noise(running ? 12 : 1),
    1024: ((torque - BASE_TORQUE_PERCENT) * 0.004 + machine.wear + noise(0.01)) * (state === 'cutting' ? 1 : 0.1) * 100,
    1025: (21.5 + noise(0.03)) * 10,
    1026: (44 + noise(0.1)) * 10,
    1027: coolant * 10,
    1028: machine.oil * 10,
    1029: coolant * 10 + (running ? 150 : 0),
    1030: STATES.indexOf(state),
    1031: alarms === 0 ? 0 : 1,
    1032: alarms,
    1033: cuttingSpeed * 10,
    1034: descentSpeed,
    1035: running ? (120 + noise(3)) * vibration : 0,
    1036: running ? (118 + noise(3)) * vibration : 0,
    1037: running ? (95 + noise(3)) * vibration : 0,
    1038: running ? Math.abs(noise(150)) : 0,
    1039: running ? Math.abs(noise(150)) : 0,
    1040: running ? Math.abs(noise(150)) : 0,
    1042: energyLow,
    1043: energyHigh,
  }
}
