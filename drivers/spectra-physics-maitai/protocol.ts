/**
 * Spectra-Physics Mai Tai, a tunable Ti:sapphire laser: commands and replies as pure functions. Facts from the "Mai Tai User's Manual", serial interface, and
 * from captures. Commands are short forms in lower case: case does not matter to the laser. Sets are not answered, and where the front panel is in LOCAL
 * they have no effect, without a word: only reading back tells.
 */

export const REPLY_TERMINATOR = '\n'

export const ask = {
  identity: '*idn?',
  /** What was commanded, and what is measured. */
  setpoint: 'wav?',
  minimum: 'wav:min?',
  maximum: 'wav:max?',
  wavelength: 'read:wav?',
  power: 'read:pow?',
  pumpPower: 'read:plas:pow?',
  warmUp: 'read:pctw?',
  humidity: 'read:hum?',
  shutter: 'shut?',
  status: '*stb?',
  mode: 'mode?',
  pumpError: 'plas:errc?',
  /** Not in every list of its commands, but several public drivers read the watchdog back by it. */
  watchdog: 'tim:watc?',
} as const

export const command = {
  wavelength: (nanometres: number) => `wav ${nanometres}`,
  /** The space is needed: the form with a colon has no effect. */
  shutter: (open: boolean) => `shut ${open ? 1 : 0}`,
  emission: (on: boolean) => (on ? 'on' : 'off'),
  /** Seconds without a command after which the laser switches itself off; 0: never. */
  watchdog: (seconds: number) => `tim:watc ${seconds}`,
  save: 'sav',
} as const

/** e.g. `Spectra Physics,MaiTai,3227/51054/40856,0245-2.00.34 / CD00000019 / 214-00.004.057` */
export const IDENTITY = /^Spectra[ -]Physics,\s*Mai ?Tai\b/i
/** Any identity; not the echo of the question. */
export const ANY_IDENTITY = /,/

/**
 * Shapes of replies. Those of quantities take a reply that has lost its front, as far as a unit (`W` was recorded): it is bad at once, and nobody waits for
 * another. An echoed command has none of these shapes.
 */
export const NANOMETRES = /^[\d.]*\s?nm$/
export const WATTS = /^[\d.]*\s?m?W$/
export const PERCENT = /^[\d.]*\s?%$/
export const SWITCH = /^[01]$/
export const STATUS = /^\d{1,3}$/
export const CODE = /^\d{1,5}$/
export const MODE = /^P[A-Z]{2,9}$/

/** `820nm`. Three digits at least: fewer have lost some, no such laser goes there. */
export function parseNanometres(reply: string): number | undefined {
  return number(/^(\d{3,4}(?:\.\d+)?)\s?nm$/, reply)
}

/** In watts, from `3.000W` or `850mW`. A reply in watts has a digit before its point: `.00W` has lost its front. */
export function parseWatts(reply: string): number | undefined {
  const milliwatts = number(/^(\d+(?:\.\d+)?)\s?mW$/, reply)
  return milliwatts === undefined ? number(/^(\d+\.\d+)\s?W$/, reply) : milliwatts / 1000
}

/** `100.00%`, `7.26%` */
export function parsePercent(reply: string): number | undefined {
  const percent = number(/^(\d{1,3}(?:\.\d+)?)\s?%$/, reply)
  return percent !== undefined && percent <= 100 ? percent : undefined
}

export function parseSwitch(reply: string): boolean | undefined {
  return SWITCH.test(reply) ? reply === '1' : undefined
}

/** The status byte. Its lowest bit is emission; 8 was seen beside it, and nothing else is confirmed. */
export function parseStatus(reply: string): { readonly byte: number; readonly emission: boolean } | undefined {
  const byte = Number(reply)
  return STATUS.test(reply) && byte <= 255 ? { byte, emission: (byte & 1) === 1 } : undefined
}

export function parseCode(reply: string): number | undefined {
  return CODE.test(reply) ? Number(reply) : undefined
}

/** What the pump is held at, as the laser says it, e.g. `POW`. */
export function parseMode(reply: string): string | undefined {
  return MODE.test(reply) ? reply : undefined
}

function number(shape: RegExp, reply: string): number | undefined {
  const digits = shape.exec(reply)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
