/**
 * Newport 1830-C optical power meter: commands and replies as pure functions. Facts from the "Model 1830-C Picowatt Digital Optical Power Meter"
 * manual, remote interface chapter. LF ends everything in both directions; sets are not answered; it is not SCPI and has no identity.
 */
import type { MeterUnit } from './units.ts'

export const TERMINATOR = '\n'
/** The meter needs this long after a set before it takes anything else. */
export const AFTER_SET_MS = 100

/** In watts the meter always prints an exponent: `+.11E-9`, `5E-9`. */
const WATTS = /^[+-]?(\d+\.?\d*|\.\d+)E[+-]?\d{1,2}$/
/** Outside watts, plain decimals: `-15.24`. Nothing in the digits tells dBm from dB or REL. */
const PLAIN = /^[+-]?\d*\.\d+$/
/** What D? says instead of a number. */
const POWER_WORD = /^[A-Z]{2,}$/
/** Whatever D? may say, in any unit; never the four digits of a wavelength or the single one of a setting. */
export const POWER_REPLY = /^([+-]?(\d+\.?\d*|\.\d+)E[+-]?\d{1,2}|[+-]?\d*\.\d+|[+-]\d+|[A-Z]{2,})$/
export const WAVELENGTH = /^\d{4}$/
export const DIGIT = /^\d$/
export const STATUS = /^\d{1,3}$/

export const WAVELENGTH_MINIMUM_NM = 300
export const WAVELENGTH_MAXIMUM_NM = 1100

export const ask = {
  power: 'D?',
  wavelength: 'W?',
  range: 'R?',
  units: 'U?',
  attenuator: 'A?',
  filter: 'F?',
  background: 'Z?',
  running: 'G?',
  status: 'Q?',
} as const

export const command = {
  clearStatus: 'CS',
  /** The present reading is what dB and REL count from. */
  storeReference: 'S',
  units: (code: string) => `U${code}`,
  wavelength: (nanometres: number) => `W${String(nanometres).padStart(4, '0')}`,
  range: (range: Range) => `R${RANGES.indexOf(range)}`,
  attenuator: (on: boolean) => `A${digit(on)}`,
  filter: (filter: Filter) => `F${FILTERS.indexOf(filter) + 1}`,
  /** On stores the present reading as zero. */
  background: (on: boolean) => `Z${digit(on)}`,
  /** Off holds the display. */
  running: (on: boolean) => `G${digit(on)}`,
  beep: (on: boolean) => `B${digit(on)}`,
  echo: (on: boolean) => `E${digit(on)}`,
  lockOut: (on: boolean) => `L${digit(on)}`,
} as const

function digit(on: boolean): 0 | 1 {
  return on ? 1 : 0
}

export const RANGES = ['auto', '1', '2', '3', '4', '5', '6', '7', '8'] as const
export type Range = (typeof RANGES)[number]

/** F1 averages 16 readings, F2 4, F3 none. */
export const FILTERS = ['slow', 'medium', 'fast'] as const
export type Filter = (typeof FILTERS)[number]

/** What D? says in `unit`, or why there is no value of it. The unit must be known: the digits do not tell it. */
export function parsePower(reply: string, unit: MeterUnit): { readonly value: number } | { readonly bad: string } {
  if ((unit === 'W' ? WATTS : PLAIN).test(reply)) return { value: Number(reply) }
  const word = Object.hasOwn(POWER_WORDS, reply) ? POWER_WORDS[reply] : undefined
  if (word !== undefined) return { bad: word }
  if (POWER_REPLY.test(reply) && !POWER_WORD.test(reply)) return { bad: `${reply} is not in ${unit}` }
  return { bad: `${JSON.stringify(reply)} is not a power` }
}

const POWER_WORDS: Readonly<Record<string, string>> = {
  OVER: 'over range',
  UNDER: 'under range',
  SAT: 'the detector is saturated',
  ERR: 'the meter reports an error',
}

/** Nanometres; undefined for what no detector of this meter has. */
export function parseWavelength(reply: string): number | undefined {
  const nanometres = Number(reply)
  return WAVELENGTH.test(reply) && nanometres >= WAVELENGTH_MINIMUM_NM && nanometres <= WAVELENGTH_MAXIMUM_NM ? nanometres : undefined
}

export function parseRange(reply: string): Range | undefined {
  return DIGIT.test(reply) ? RANGES[Number(reply)] : undefined
}

export function parseFilter(reply: string): Filter | undefined {
  return DIGIT.test(reply) ? FILTERS[Number(reply) - 1] : undefined
}

export function parseSwitch(reply: string): boolean | undefined {
  return reply === '0' || reply === '1' ? reply === '1' : undefined
}

/** Q?: the status byte. */
export const STATUS_BITS = {
  parameterError: 1,
  commandError: 2,
  saturated: 4,
  outOfRange: 8,
  messageAvailable: 16,
  busy: 32,
  serviceRequest: 64,
  newReading: 128,
} as const
export type StatusBit = keyof typeof STATUS_BITS
export const STATUS_BIT_NAMES = Object.keys(STATUS_BITS) as readonly StatusBit[]

export function parseStatus(reply: string): ReadonlySet<StatusBit> | undefined {
  const byte = Number(reply)
  if (!STATUS.test(reply) || byte > 255) return undefined
  return new Set(STATUS_BIT_NAMES.filter((bit) => (byte & STATUS_BITS[bit]) !== 0))
}
