/**
 * Newport 1830-C optical power meter: commands and replies as pure functions. Facts from the "Model 1830-C Picowatt Digital Optical Power Meter"
 * manual, remote interface chapter. LF ends everything in both directions; sets are not answered; it is not SCPI and has no identity.
 */

export const TERMINATOR = '\n'
/** The meter needs this long after a set before it answers again. */
export const AFTER_SET_MS = 100

/** In watts the meter always prints an exponent: `+.11E-9`, `5E-9`. A plain decimal is dBm, dB or REL and is not a power. */
const POWER = /^[+-]?(\d+\.?\d*|\.\d+)E[+-]?\d{1,2}$/
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
  status: 'Q?',
} as const

export const command = {
  echoOff: 'E0',
  watts: 'U1',
  clearStatus: 'CS',
  wavelength: (nanometres: number) => `W${String(nanometres).padStart(4, '0')}`,
  range: (range: Range) => `R${RANGES.indexOf(range)}`,
  attenuator: (on: boolean) => `A${on ? 1 : 0}`,
  filter: (filter: Filter) => `F${FILTERS.indexOf(filter) + 1}`,
  /** On stores the present reading as zero. */
  background: (on: boolean) => `Z${on ? 1 : 0}`,
} as const

export const RANGES = ['auto', '1', '2', '3', '4', '5', '6', '7', '8'] as const
export type Range = (typeof RANGES)[number]

/** F1 averages 16 readings, F2 4, F3 none. */
export const FILTERS = ['slow', 'medium', 'fast'] as const
export type Filter = (typeof FILTERS)[number]

/** Watts, or why there are none. */
export function parsePower(reply: string): { readonly watts: number } | { readonly bad: string } {
  if (POWER.test(reply)) return { watts: Number(reply) }
  const word = POWER_WORDS[reply]
  if (word !== undefined) return { bad: word }
  if (POWER_REPLY.test(reply) && !POWER_WORD.test(reply)) return { bad: `${reply} is not in watts` }
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

/** Q?: the status byte. Bit 32 and above come and go by themselves. */
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

export function parseStatus(reply: string): ReadonlySet<StatusBit> | undefined {
  const byte = Number(reply)
  if (!STATUS.test(reply) || byte > 255) return undefined
  return new Set(allStatusBits.filter((bit) => (byte & STATUS_BITS[bit]) !== 0))
}

const allStatusBits = Object.keys(STATUS_BITS) as readonly StatusBit[]
