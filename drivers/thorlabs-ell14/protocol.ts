/**
 * Thorlabs Elliptec ELL14 rotation mount on a multi-drop bus: commands and replies as pure functions. Facts from "ELLx modules protocol manual" and
 * from recorded lines. A command is an address (one upper-case hex digit), two lower-case letters and upper-case hex data, without a terminator; a
 * reply is an address, two upper-case letters and data, ended by CR LF.
 */

export const ADDRESSES = [...'0123456789ABCDEF'] as const
export const REPLY_TERMINATOR = '\r\n'
/** Makes the receivers forget half a packet. */
export const RESET = '\r'

export const MODEL = 14
export const MOTORS = [1, 2] as const
export type Motor = (typeof MOTORS)[number]
export type Direction = 'forward' | 'backward'

const DEGREES_PER_TURN = 360
const CLOCK_HZ = 14_740_000 // a motor's frequency is this over its period
const RAW_PER_AMPERE = 1866
const PERIOD_IS_SET = 0x8000 // the top bit says that the period is meant
const FACTORY_PERIOD = '8FFF'
const NOT_DEFINED = 0xffff

export const CURVE_POINTS = 87
const CURVE_POINT_BYTES = 6
export const CURVE_BYTES = CURVE_POINTS * CURVE_POINT_BYTES

export const ask = {
  identity: (address: string) => `${address}in`,
  status: (address: string) => `${address}gs`,
  position: (address: string) => `${address}gp`,
  velocity: (address: string) => `${address}gv`,
  jogStep: (address: string) => `${address}gj`,
  homeOffset: (address: string) => `${address}go`,
  motor: (address: string, motor: Motor) => `${address}i${motor}`,
} as const

export const command = {
  moveTo: (address: string, pulses: number) => `${address}ma${long(pulses)}`,
  moveBy: (address: string, pulses: number) => `${address}mr${long(pulses)}`,
  home: (address: string, direction: HomeDirection) => `${address}ho${direction === 'clockwise' ? '0' : '1'}`,
  jog: (address: string, direction: Direction) => `${address}${direction === 'forward' ? 'fw' : 'bw'}`,
  stop: (address: string) => `${address}st`,
  velocity: (address: string, percent: number) => `${address}sv${hex(percent, 2)}`,
  jogStep: (address: string, pulses: number) => `${address}sj${long(pulses)}`,
  homeOffset: (address: string, pulses: number) => `${address}so${long(pulses)}`,
  period: (address: string, motor: Motor, direction: Direction, period: number) => `${address}${direction[0]}${motor}${hex(PERIOD_IS_SET | period, 4)}`,
  factoryPeriod: (address: string, motor: Motor, direction: Direction) => `${address}${direction[0]}${motor}${FACTORY_PERIOD}`,
  searchResonance: (address: string, motor: Motor) => `${address}s${motor}`,
  currentCurve: (address: string, motor: Motor) => `${address}c${motor}`,
  skipFrequencySearch: (address: string) => `${address}sk`,
  enableFrequencySearch: (address: string) => `${address}se`,
  isolate: (address: string, minutes: number) => `${address}is${hex(minutes, 2)}`,
  clean: (address: string) => `${address}cm`,
  optimise: (address: string) => `${address}om`,
  save: (address: string) => `${address}us`,
  changeAddress: (address: string, to: string) => `${address}ca${to}`,
  listenTo: (address: string, group: string) => `${address}ga${group}`,
} as const

export type HomeDirection = 'clockwise' | 'counter-clockwise'

/** Shapes of replies, matched from the start of the line: what another module says later on the same line is not ours. */
export const reply = {
  identity: (address: string) => new RegExp(`^${address}IN[0-9A-F]{30}$`),
  status: (address: string) => new RegExp(`^${address}GS[0-9A-F]{2}$`),
  error: (address: string) => new RegExp(`^${address}GS(?!00)[0-9A-F]{2}$`),
  /** What a move ends with: where it stands, or what went wrong. */
  moved: (address: string) => new RegExp(`^${address}(PO[0-9A-F]{8}|GS[0-9A-F]{2})$`),
  /** The answer `letters` with `digits` of data, or an error in its place; "ok" is no answer to a question. */
  data: (address: string, letters: string, digits: number) => new RegExp(`^${address}(${letters}[0-9A-F]{${digits}}|GS(?!00)[0-9A-F]{2})$`),
}

export const INFO_DIGITS = 22
export const curveHeader = (address: string, motor: Motor): string => `${address}C${motor}`

const STATUS: Readonly<Record<number, string>> = {
  0: 'ok',
  1: 'communication time-out',
  2: 'mechanical time-out',
  3: 'command error or not supported',
  4: 'value out of range',
  5: 'module isolated',
  6: 'module out of isolation',
  7: 'initialisation error',
  8: 'thermal error',
  9: 'busy',
  10: 'sensor error',
  11: 'motor error',
  12: 'out of range',
  13: 'over-current',
}

export const STATUS_TEXTS: readonly string[] = [...Object.values(STATUS), 'unknown']
/** Every error that a module can report, as it says it: plain numbers, not bits. */
export const ERROR_CODES: readonly string[] = Object.keys(STATUS)
  .map((code) => hex(Number(code), 2))
  .filter((code) => code !== '00')

/** Nothing was done: the module did not take the command. */
const REFUSALS: ReadonlySet<number> = new Set([0x01, 0x03, 0x04, 0x05, 0x09, 0x0c])

export type Status = { readonly code: string; readonly ok: boolean; readonly busy: boolean; readonly refused: boolean; readonly text: string }

/** undefined for a line that is not a status. */
export function parseStatus(line: string): Status | undefined {
  const match = /^[0-9A-F]GS([0-9A-F]{2})$/.exec(line)
  if (match?.[1] === undefined) return undefined
  const number = Number.parseInt(match[1], 16)
  return { code: match[1], ok: number === 0, busy: number === 9, refused: REFUSALS.has(number), text: STATUS[number] ?? 'unknown' }
}

/** Signed, of the letters (`PO`, `GJ`, `HO`) that the line must carry; undefined for any other. */
export function parsePulses(line: string, letters: string): number | undefined {
  const digits = data(line, letters, 8)
  return digits === undefined ? undefined : Number.parseInt(digits, 16) | 0
}

export function parseVelocity(line: string): number | undefined {
  const digits = data(line, 'GV', 2)
  return digits === undefined ? undefined : Number.parseInt(digits, 16)
}

export type Identity = {
  readonly type: number
  readonly serial: string
  readonly year: number
  readonly firmware: string
  readonly hardware: number
  readonly thread: 'imperial' | 'metric'
  readonly travelDegrees: number
  /** Per measurement unit, which is a turn for this rotary type. */
  readonly pulsesPerTurn: number
}

/** The vendor's layout: type 2, serial 8, year 4, firmware 2, thread bit and hardware release 2, travel 4, pulses 8. undefined for any other line. */
export function parseIdentity(line: string): Identity | undefined {
  const digits = data(line, 'IN', 30)
  if (digits === undefined || !/^[0-9A-F]{2}[0-9A-F]{8}\d{4}/.test(digits)) return undefined
  const release = number(digits, 16, 18)
  const pulsesPerTurn = number(digits, 22, 30)
  if (pulsesPerTurn === 0) return undefined
  return {
    type: number(digits, 0, 2),
    serial: digits.slice(2, 10),
    year: Number(digits.slice(10, 14)),
    firmware: digits.slice(14, 16),
    hardware: release & 0x7f,
    thread: (release & 0x80) === 0 ? 'metric' : 'imperial',
    travelDegrees: number(digits, 18, 22),
    pulsesPerTurn,
  }
}

/** A truncated one: another module spoke at the same time. */
export function isTruncatedIdentity(line: string, address: string): boolean {
  return line.startsWith(`${address}IN`) && parseIdentity(line) === undefined
}

export function identityText(identity: Identity, address: string): string {
  return `ELL${identity.type}, serial number ${identity.serial} of ${identity.year}, firmware ${identity.firmware}, address ${address}`
}

export type MotorInfo = {
  /** Whether the current loop is on, and the motor. */
  readonly loop: boolean
  readonly on: boolean
  readonly currentAmperes: number
  /** In the module's own steps; undefined: not defined. */
  readonly rampUp: number | undefined
  readonly rampDown: number | undefined
  readonly forwardHz: number
  readonly backwardHz: number
}

/** undefined for any other line, and for periods of zero. */
export function parseMotor(line: string, motor: Motor): MotorInfo | undefined {
  const digits = data(line, `I${motor}`, INFO_DIGITS)
  if (digits === undefined || !/^[01][01]/.test(digits)) return undefined
  const forward = number(digits, 14, 18)
  const backward = number(digits, 18, 22)
  if (forward === 0 || backward === 0) return undefined
  const ramp = (raw: number): number | undefined => (raw === NOT_DEFINED ? undefined : raw)
  return {
    loop: digits[0] === '1',
    on: digits[1] === '1',
    currentAmperes: number(digits, 2, 6) / RAW_PER_AMPERE,
    rampUp: ramp(number(digits, 6, 10)),
    rampDown: ramp(number(digits, 10, 14)),
    forwardHz: hertz(forward),
    backwardHz: hertz(backward),
  }
}

/** Of each point, one after the other, the frequency in Hz and the current in A. Throws nothing: a point without a period has frequency 0. */
export function parseCurve(bytes: Uint8Array): readonly number[] {
  const view = Buffer.from(bytes)
  return Array.from({ length: Math.floor(bytes.length / CURVE_POINT_BYTES) }, (_, point) => {
    const at = point * CURVE_POINT_BYTES
    const period = view.readUInt16BE(at)
    return [period === 0 ? 0 : hertz(period), view.readUInt32BE(at + 2) / RAW_PER_AMPERE]
  }).flat()
}

export function hertz(period: number): number {
  return CLOCK_HZ / period
}

/** The nearest period; frequencies come in steps of about 0.6 %. */
export function periodOf(frequencyHz: number): number {
  return Math.round(CLOCK_HZ / frequencyHz)
}

export function pulsesOf(degrees: number, pulsesPerTurn: number): number {
  return Math.round((degrees / DEGREES_PER_TURN) * pulsesPerTurn)
}

export function degreesOf(pulses: number, pulsesPerTurn: number): number {
  return (pulses / pulsesPerTurn) * DEGREES_PER_TURN
}

function data(line: string, letters: string, digits: number): string | undefined {
  return line.length === 3 + digits && line.slice(1, 3) === letters && /^[0-9A-F]$/.test(line[0] ?? '') && /^[0-9A-F]+$/.test(line.slice(3))
    ? line.slice(3)
    : undefined
}

function number(digits: string, from: number, to: number): number {
  return Number.parseInt(digits.slice(from, to), 16)
}

export function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}

/** 32 bits, two's complement. */
export function long(value: number): string {
  return hex(value >>> 0, 8)
}
