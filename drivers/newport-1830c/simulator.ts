import { hostOf, serveTerminal } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { type ByteInstrument, CommandSplitter, gaussian, type SimulatorHost } from '../simulation/simulator.ts'
import { BAUD_RATE } from './line.ts'
import { STATUS_BITS, TERMINATOR } from './protocol.ts'
import { METER_UNITS, type MeterUnit, UNIT_CODE_NAMES, UNIT_CODES, type UnitCodes, unitOf } from './units.ts'

const NOISE = 0.01 // of the power, one standard deviation of one reading
const READINGS_PER_SECOND = 10
const FILTER_READINGS: readonly number[] = [1, 16, 4, 1] // by F; there is no F0
const MAX_READINGS = 16 // that the slowest filter averages
const READINGS_LOST_BY_RANGE = 3 // while its amplifier settles; D? is answered when it has
const RANGE_TOP_WATTS = [Number.POSITIVE_INFINITY, 2e-9, 2e-8, 2e-7, 2e-6, 2e-5, 2e-4, 2e-3, 2e-2] // 0 is auto
const RANGE_EXPONENT = [0, -9, -9, -9, -6, -6, -6, -3, -3]
const RANGE_DECIMALS = [0, 2, 1, 0, 2, 1, 0, 2, 1]
const LOWEST_EXPONENT = -9
const SATURATION_WATTS = 0.1
const ATTENUATION = 1000 // the light that saturates is so much more with the attenuator on
const DARKEST_WATTS = 1e-15 // a logarithm needs something
const RESPONSIVITY_PEAK_NM = 960 // silicon; below it, about proportional to the wavelength
const MAX_HELD = 64 // commands that wait while the meter settles; more are lost

export type Newport1830cOptions = {
  /** What falls on the detector, in watts, at `seconds` on the lab's clock. */
  readonly light: (seconds: number) => number
  /** The wavelength of that light; absent: whatever the meter is set to. A meter that is set to another one reads a wrong power. */
  readonly lightNm?: (seconds: number) => number
  readonly wavelength?: number
  readonly unitCodes?: UnitCodes
}

/** The meter behind whatever light it is given. */
export class Newport1830cSimulator implements ByteInstrument {
  readonly errors = Object.keys(STATUS_BITS)
  readonly #host: SimulatorHost
  readonly #options: Newport1830cOptions
  readonly #unitCodes: UnitCodes
  readonly #splitter = new CommandSplitter(/\n/)
  readonly #held: string[] = []
  #wavelength: number
  #unit: MeterUnit = 'W'
  #range = 0
  #attenuator = 0
  #filter = 3
  #background: number | undefined
  #reference = 1e-3
  #holding: string | undefined
  #running = 1
  #echo = 0
  #status = 0
  /** The last readings of the detector, the newest last. */
  readonly #readings: number[] = []
  #readAt = Number.NEGATIVE_INFINITY
  #toldAt = Number.NEGATIVE_INFINITY
  #settledAt = Number.NEGATIVE_INFINITY

  constructor(host: SimulatorHost, options: Newport1830cOptions) {
    this.#host = host
    this.#options = options
    this.#unitCodes = options.unitCodes ?? 'W-dBm-dB-REL'
    this.#wavelength = options.wavelength ?? 800
  }

  /** Somebody turns the units knob (fault injection). */
  turnUnits(unit: MeterUnit): void {
    this.#unit = unit
  }

  foreign(): Uint8Array {
    return Buffer.from(`${this.#fourDigits()}${TERMINATOR}`, 'latin1')
  }

  provoke(code: string): void {
    const bit = Object.entries(STATUS_BITS).find(([name]) => name === code)?.[1]
    if (bit !== undefined) this.#status |= bit
  }

  dueAt(): number | undefined {
    return this.#held.length > 0 ? this.#settledAt : undefined
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    this.#held.push(...this.#splitter.take(bytes))
    this.#held.splice(MAX_HELD)
    const lines: string[] = []
    for (let [text] = this.#held; text !== undefined; [text] = this.#held) {
      if (text === 'D?' && this.#running === 1 && seconds < this.#settledAt) break
      this.#held.shift()
      if (this.#echo === 1) lines.push(text)
      const reply = this.#obey(text, seconds)
      if (reply !== undefined) lines.push(reply)
    }
    return Buffer.from(lines.map((line) => line + TERMINATOR).join(''), 'latin1')
  }

  #obey(text: string, seconds: number): string | undefined {
    const match = /^([A-Z]{1,2})(\?|\d{0,4})$/.exec(text)
    if (match === null) return this.#complain(STATUS_BITS.commandError)
    const [, name = '', argument = ''] = match
    return argument === '?' ? this.#answer(name, seconds) : this.#set(name, argument, seconds, text)
  }

  #answer(name: string, seconds: number): string | undefined {
    switch (name) {
      case 'D':
        this.#toldAt = seconds
        if (this.#running === 0 && this.#holding !== undefined) return this.#holding
        this.#holding = this.#display(seconds)
        return this.#holding
      case 'W':
        return this.#fourDigits()
      case 'R':
        return String(this.#range)
      case 'U':
        return Object.entries(UNIT_CODES[this.#unitCodes].codes).find(([unit]) => unit === this.#unit)?.[1] ?? '9'
      case 'A':
        return String(this.#attenuator)
      case 'F':
        return String(this.#filter)
      case 'Z':
        return this.#background === undefined ? '0' : '1'
      case 'G':
        return String(this.#running)
      case 'Q':
        return String(this.#status | this.#passing(seconds))
      default:
        return this.#complain(STATUS_BITS.commandError)
    }
  }

  /** What comes and goes by itself. */
  #passing(seconds: number): number {
    if (seconds < this.#settledAt) return STATUS_BITS.busy
    return tick(seconds) > tick(this.#toldAt) ? STATUS_BITS.newReading : 0
  }

  #set(name: string, argument: string, seconds: number, text: string): undefined {
    const value = Number(argument)
    const limits = Object.hasOwn(SETTABLE, name) ? SETTABLE[name] : undefined
    if (limits === undefined) return this.#complain(STATUS_BITS.commandError)
    if (limits !== 'plain' && (argument === '' || value < limits[0] || value > limits[1])) return this.#complain(STATUS_BITS.parameterError)
    switch (name) {
      case 'W':
        this.#wavelength = value
        break
      case 'R':
        if (value !== this.#range && value !== 0) this.#settledAt = seconds + READINGS_LOST_BY_RANGE / READINGS_PER_SECOND
        this.#range = value
        break
      case 'U': {
        const unit = UNIT_CODES[this.#unitCodes].settable ? unitOf(this.#unitCodes, argument) : undefined
        if (unit === undefined) return this.#complain(STATUS_BITS.parameterError)
        this.#unit = unit
        break
      }
      case 'A':
        this.#attenuator = value
        break
      case 'F':
        this.#filter = value
        break
      case 'Z':
        this.#background = value === 1 ? this.#measure(seconds) : undefined
        break
      case 'S':
        this.#reference = this.#measure(seconds) - (this.#background ?? 0)
        break
      case 'G':
        if (value === 0) this.#holding = this.#display(seconds)
        this.#running = value
        break
      case 'E':
        this.#echo = value
        break
      case 'CS':
        this.#status = 0
        break
      default: // B, K and L change nothing that can be seen from here
    }
    this.#host.accepted(text)
    return undefined
  }

  #complain(bit: number): undefined {
    this.#status |= bit
    return undefined
  }

  /** The mean of the last readings: 1, 4 or 16 of them, ten in a second. Without averaging it is what falls on the detector now. */
  #measure(seconds: number): number {
    const wanted = FILTER_READINGS[this.#filter] ?? 1
    const now = tick(seconds)
    const missed = Math.min(MAX_READINGS, now - tick(this.#readAt))
    for (let at = now - missed + 1; at < now; at += 1) this.#readings.push(this.#read((at + 1) / READINGS_PER_SECOND))
    if (missed > 0 || wanted === 1) this.#readings.push(this.#read(seconds))
    this.#readings.splice(0, this.#readings.length - MAX_READINGS)
    this.#readAt = seconds
    const averaged = this.#readings.slice(-wanted)
    return averaged.reduce((sum, reading) => sum + reading, 0) / averaged.length
  }

  #read(seconds: number): number {
    const { light, lightNm } = this.#options
    const correction = lightNm === undefined ? 1 : responsivity(lightNm(seconds)) / responsivity(this.#wavelength)
    return light(seconds) * correction * (1 + NOISE * gaussian(this.#host.random))
  }

  #display(seconds: number): string {
    const watts = this.#measure(seconds)
    this.#status &= ~(STATUS_BITS.saturated | STATUS_BITS.outOfRange)
    if (watts > SATURATION_WATTS * (this.#attenuator === 1 ? ATTENUATION : 1)) {
      this.#status |= STATUS_BITS.saturated
      return 'SAT'
    }
    if (watts > (RANGE_TOP_WATTS[this.#range] ?? 0)) {
      this.#status |= STATUS_BITS.outOfRange
      return 'OVER'
    }
    return this.#inUnit(watts - (this.#background ?? 0))
  }

  #inUnit(watts: number): string {
    const decibels = (reference: number): string => (10 * Math.log10(Math.max(watts, DARKEST_WATTS) / Math.max(reference, DARKEST_WATTS))).toFixed(2)
    switch (this.#unit) {
      case 'W':
        return inWatts(watts, this.#range)
      case 'dBm':
        return decibels(1e-3)
      case 'dB':
        return decibels(this.#reference)
      case 'REL':
        return (watts / Math.max(this.#reference, DARKEST_WATTS)).toFixed(4)
    }
  }

  #fourDigits(): string {
    return String(this.#wavelength).padStart(4, '0')
  }
}

const SETTABLE: Readonly<Record<string, readonly [number, number] | 'plain'>> = {
  W: [300, 1100],
  R: [0, 8],
  U: [0, METER_UNITS.length],
  A: [0, 1],
  F: [1, 3],
  Z: [0, 1],
  G: [0, 1],
  B: [0, 1],
  E: [0, 1],
  L: [0, 1],
  K: [0, 2],
  S: 'plain',
  CS: 'plain',
}

function tick(seconds: number): number {
  return Math.floor(seconds * READINGS_PER_SECOND)
}

function responsivity(nanometres: number): number {
  return Math.min(nanometres, RESPONSIVITY_PEAK_NM)
}

/**
 * As recorded: no zero before the point, an exponent that is a multiple of three, and on a range whose last digit is worth a whole of it neither point nor
 * sign: `+.11E-9`, `5E-9`. In auto, four digits.
 */
function inWatts(watts: number, range: number): string {
  const magnitude = Math.floor(Math.log10(Math.max(Math.abs(watts), DARKEST_WATTS)) / 3) * 3
  const exponent = range === 0 ? Math.max(LOWEST_EXPONENT, magnitude) : (RANGE_EXPONENT[range] ?? 0)
  const mantissa = Math.abs(watts) / 10 ** exponent
  const four = mantissa >= 100 ? 1 : mantissa >= 10 || exponent === LOWEST_EXPONENT ? 2 : 3
  const decimals = range === 0 ? four : (RANGE_DECIMALS[range] ?? 0)
  const digits = mantissa.toFixed(decimals).replace(/^0\./, '.')
  const sign = watts < 0 ? '-' : decimals > 0 ? '+' : ''
  return `${sign}${digits}E${exponent}`
}

/** By the table of their units: the sources contradict each other. */
const METERS: Readonly<Record<UnitCodes, string>> = {
  'W-dBm-dB-REL': 'U1 to U4 are W, dBm, dB and REL',
  'W-dB-dBm-REL': 'U1 to U4 are W, dB, dBm and REL',
  'from-zero': 'U? answers 0 for W, 1 for dBm, 2 for dB, and only the front panel sets them',
}

export const simulation: Simulation = {
  driverId: 'newport-1830c',
  description: '1830-C power meter before a steady beam of 1 mW, at 9600 baud',
  variants: METERS,
  start: (options) => {
    const unitCodes = UNIT_CODE_NAMES.find((name) => name === options.variant) ?? 'W-dBm-dB-REL'
    return serveTerminal(
      {
        instrument: new Newport1830cSimulator(hostOf(options), { light: () => 1e-3, unitCodes }),
        baudRate: BAUD_RATE,
        devices: [{ unitCodes, replyTimeoutSeconds: 2 }],
      },
      options,
    )
  },
}
