import { hostOf, serveTerminal } from '../serve-simulation.ts'
import type { Simulation } from '../simulation.ts'
import { type ByteInstrument, CommandSplitter, gaussian, type SimulatorHost } from '../simulator.ts'
import { STATUS_BITS, TERMINATOR } from './protocol.ts'

const NOISE = 0.01 // of the power, one standard deviation
const READINGS_PER_SECOND = 10
const FILTER_READINGS = { 1: 16, 2: 4, 3: 1 } as const
const RANGE_TOP_WATTS = [Number.POSITIVE_INFINITY, 2e-9, 2e-8, 2e-7, 2e-6, 2e-5, 2e-4, 2e-3, 2e-2] // 0 is auto
const SATURATION_WATTS = 0.1

export type Newport1830cOptions = {
  /** What falls on the detector, in watts, at `seconds` on the lab's clock. */
  readonly light: (seconds: number) => number
  readonly wavelength?: number
}

export class Newport1830cSimulator implements ByteInstrument {
  readonly #host: SimulatorHost
  readonly #light: (seconds: number) => number
  readonly #splitter = new CommandSplitter(/\n/)
  #wavelength: number
  #units = 1
  #range = 0
  #attenuator = 0
  #filter: 1 | 2 | 3 = 3
  #background: number | undefined
  #running = 1
  #held: string | undefined
  #status = 0
  #shown: number | undefined
  #shownAt = 0

  constructor(host: SimulatorHost, options: Newport1830cOptions) {
    this.#host = host
    this.#light = options.light
    this.#wavelength = options.wavelength ?? 800
  }

  /** Somebody turns the units knob (fault injection). */
  turnUnits(code: number): void {
    this.#units = code
  }

  foreign(): Uint8Array {
    return Buffer.from(`${String(this.#wavelength).padStart(4, '0')}${TERMINATOR}`, 'latin1')
  }

  readonly errors = Object.keys(STATUS_BITS)

  provoke(code: string): void {
    const bit = Object.entries(STATUS_BITS).find(([name]) => name === code)?.[1]
    if (bit !== undefined) this.#status |= bit
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    const replies = this.#splitter.take(bytes).map((command) => this.#obey(command, seconds))
    return Buffer.from(
      replies
        .filter((reply) => reply !== undefined)
        .map((reply) => reply + TERMINATOR)
        .join(''),
      'latin1',
    )
  }

  #obey(text: string, seconds: number): string | undefined {
    const match = /^([A-Z]{1,2})(\?|\d{0,4})$/.exec(text)
    if (match === null) return this.#refuse(STATUS_BITS.commandError)
    const [, name = '', argument = ''] = match
    return argument === '?' ? this.#answer(name, seconds) : this.#set(name, argument, seconds, text)
  }

  #answer(name: string, seconds: number): string | undefined {
    switch (name) {
      case 'D':
        if (this.#running === 0 && this.#held !== undefined) return this.#held
        this.#held = this.#display(seconds)
        return this.#held
      case 'W':
        return String(this.#wavelength).padStart(4, '0')
      case 'R':
        return String(this.#range)
      case 'U':
        return String(this.#units)
      case 'A':
        return String(this.#attenuator)
      case 'F':
        return String(this.#filter)
      case 'Z':
        return this.#background === undefined ? '0' : '1'
      case 'G':
        return String(this.#running)
      case 'Q':
        return String(this.#status | STATUS_BITS.newReading)
      default:
        return this.#refuse(STATUS_BITS.commandError)
    }
  }

  #set(name: string, argument: string, seconds: number, text: string): undefined {
    const value = Number(argument)
    const within = (low: number, high: number): boolean => argument !== '' && value >= low && value <= high
    const limits = SETTABLE[name]
    if (limits === undefined) return this.#refuse(STATUS_BITS.commandError)
    if (limits !== 'plain' && !within(limits[0], limits[1])) return this.#refuse(STATUS_BITS.parameterError)
    if (name === 'W') this.#wavelength = value
    if (name === 'R') this.#range = value
    if (name === 'U') this.#units = value
    if (name === 'A') this.#attenuator = value
    if (name === 'F') this.#filter = value === 1 ? 1 : value === 2 ? 2 : 3
    if (name === 'Z') this.#background = value === 1 ? this.#measure(seconds) : undefined
    if (name === 'G') {
      this.#running = value
      this.#held = undefined
    }
    if (name === 'CS') this.#status = 0
    this.#host.accepted(text)
    return undefined
  }

  #refuse(bit: number): undefined {
    this.#status |= bit
    return undefined
  }

  /** The filter is a first-order lag over its number of readings. */
  #measure(seconds: number): number {
    const seen = this.#light(seconds) * (1 + NOISE * gaussian(this.#host.random))
    const readings = FILTER_READINGS[this.#filter]
    const kept = readings === 1 || this.#shown === undefined ? 0 : Math.exp((-(seconds - this.#shownAt) * READINGS_PER_SECOND) / readings)
    this.#shown = kept * (this.#shown ?? 0) + (1 - kept) * seen
    this.#shownAt = seconds
    return this.#shown
  }

  #display(seconds: number): string {
    const watts = this.#measure(seconds)
    const top = RANGE_TOP_WATTS[this.#range] ?? Number.POSITIVE_INFINITY
    this.#status &= ~(STATUS_BITS.saturated | STATUS_BITS.outOfRange)
    if (watts > SATURATION_WATTS) {
      this.#status |= STATUS_BITS.saturated
      return 'SAT'
    }
    if (watts > top) {
      this.#status |= STATUS_BITS.outOfRange
      return 'OVER'
    }
    const shown = watts - (this.#background ?? 0)
    return this.#units === 1 ? inWatts(shown) : (10 * Math.log10(Math.max(shown, 1e-15) / 1e-3)).toFixed(2)
  }
}

const SETTABLE: Readonly<Record<string, readonly [number, number] | 'plain'>> = {
  W: [300, 1100],
  R: [0, 8],
  U: [1, 4],
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

/** Four digits and an exponent that is a multiple of three, as the meter prints: `+1.234E-3`. */
function inWatts(watts: number): string {
  if (watts === 0) return '+.000E-9'
  const exponent = Math.max(-12, Math.floor(Math.log10(Math.abs(watts)) / 3) * 3)
  const mantissa = Math.abs(watts) / 10 ** exponent
  const digits = mantissa >= 100 ? 1 : mantissa >= 10 ? 2 : 3
  return `${watts < 0 ? '-' : '+'}${mantissa.toFixed(digits)}E${exponent}`
}

export const simulation: Simulation = {
  driverId: 'newport-1830c',
  description: '1830-C power meter before a steady beam of 1 mW, at 9600 baud',
  start: (options) => serveTerminal({ instrument: new Newport1830cSimulator(hostOf(options), { light: () => 1e-3 }), baudRate: 9600, devices: [{}] }, options),
}
