/** What the meter can show. */
export const METER_UNITS = ['W', 'dBm', 'dB', 'REL'] as const
export type MeterUnit = (typeof METER_UNITS)[number]

/** UCUM has no decibel to a milliwatt, and our units no logarithms: an annotation keeps both from being converted to anything else. */
export const UCUM: Readonly<Record<MeterUnit, string>> = { W: 'W', dBm: '{dBm}', dB: '{dB}', REL: '1' }

type Codes = {
  /** Of each unit, as U? answers; a unit that is missing cannot be told from another one. */
  readonly codes: Readonly<Partial<Record<MeterUnit, string>>>
  /** Whether U<code> sets it. */
  readonly settable: boolean
}

/**
 * The sources contradict each other. Two drivers take 2 for dBm and 3 for dB, one that cites the manual takes them the other way round, and a bench note
 * saw a meter that counts from zero and is set at its front panel only.
 */
export const UNIT_CODES = {
  'W-dBm-dB-REL': { codes: { W: '1', dBm: '2', dB: '3', REL: '4' }, settable: true },
  'W-dB-dBm-REL': { codes: { W: '1', dB: '2', dBm: '3', REL: '4' }, settable: true },
  'from-zero': { codes: { W: '0', dBm: '1', dB: '2' }, settable: false },
} as const satisfies Readonly<Record<string, Codes>>
export type UnitCodes = keyof typeof UNIT_CODES
export const UNIT_CODE_NAMES = ['W-dBm-dB-REL', 'W-dB-dBm-REL', 'from-zero'] as const satisfies readonly UnitCodes[]

/** undefined where that table has no such unit. */
export function codeOf(table: UnitCodes, unit: MeterUnit): string | undefined {
  const codes: Codes['codes'] = UNIT_CODES[table].codes
  return codes[unit]
}

/** undefined for what the table does not list. */
export function unitOf(table: UnitCodes, code: string): MeterUnit | undefined {
  return METER_UNITS.find((unit) => codeOf(table, unit) === code)
}
