import { gaussian, type SimulatorHost } from '../../simulation/simulator.ts'
import { ScpiError } from './errors.ts'
import type { NumberRange } from './parameters.ts'
import { type Call, nr3, type ScpiCommand, type ScpiModel } from './scpi-instrument.ts'

const MAINS_HZ = 50
const OVERLOAD = '+9.90000000E+37' // Truevolt guide, "Overload": what a reading above 120 % of its range is
const OVERRANGE = 1.2
const NPLC = [0.02, 0.2, 1, 10, 100] // of the 34461A
const SETTLING_MS = 3 // between the trigger and the first reading

type Quantity = {
  /** As FUNC? answers. */
  readonly name: string
  readonly header: string
  readonly ranges: readonly number[]
  /** The last range may be exceeded by nothing (1000 V, 3 A). */
  readonly unit: string
  readonly hasNplc: boolean
}

/** Truevolt Operating and Service Guide (34460-90901), "Range" of each function. */
const QUANTITIES: readonly Quantity[] = [
  { name: 'VOLT', header: 'VOLTage[:DC]', ranges: [0.1, 1, 10, 100, 1000], unit: 'V', hasNplc: true },
  { name: 'VOLT:AC', header: 'VOLTage:AC', ranges: [0.1, 1, 10, 100, 750], unit: 'V', hasNplc: false },
  { name: 'CURR', header: 'CURRent[:DC]', ranges: [1e-4, 1e-3, 1e-2, 0.1, 1, 3, 10], unit: 'A', hasNplc: true },
  { name: 'CURR:AC', header: 'CURRent:AC', ranges: [1e-4, 1e-3, 1e-2, 0.1, 1, 3, 10], unit: 'A', hasNplc: false },
  { name: 'RES', header: 'RESistance', ranges: [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8], unit: 'OHM', hasNplc: true },
  { name: 'FRES', header: 'FRESistance', ranges: [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8], unit: 'OHM', hasNplc: true },
  { name: 'FREQ', header: 'FREQuency', ranges: [300_000], unit: 'HZ', hasNplc: false },
  { name: 'CAP', header: 'CAPacitance', ranges: [1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4], unit: 'F', hasNplc: false },
]

type Setup = { range: number; auto: boolean; nplc: number; autozero: boolean }

export type MultimeterOptions = {
  readonly identity?: string
  /** What lies at the terminals: V, A, Ohm, Hz or F for the name of a function. */
  readonly input?: (name: string, seconds: number) => number
  /** How many times faster than the real one it measures. Default 1. */
  readonly pace?: number
}

/** A Keysight 34461A: 6½ digits, with a reference of 10 V and a divider at its terminals. */
export class Multimeter implements ScpiModel {
  readonly identity: string
  readonly commands: readonly ScpiCommand[]
  readonly errors = { [-230]: 'Data corrupt or stale', 501: 'Isolator framing error', 532: 'Cannot achieve requested resolution' }
  readonly #random: () => number
  readonly #pace: number
  readonly #input: (name: string, seconds: number) => number
  readonly #setups = new Map<string, Setup>()
  #function = 'VOLT'
  #reading: string | undefined
  #tookMs = 0
  #text = ''

  constructor(host: SimulatorHost, { identity, input, pace = 1 }: MultimeterOptions = {}) {
    // Recorded from an instrument; the last five numbers are its firmware's parts.
    this.identity = identity ?? 'Keysight Technologies,34461A,MY53212931,A.02.08-02.37-02.08-00.49-01-01'
    this.#random = host.random
    this.#input = input ?? terminals
    this.#pace = pace
    this.reset()
    this.commands = [...QUANTITIES.flatMap((quantity) => this.#commandsOf(quantity)), ...this.#general()]
  }

  reset(): void {
    this.#function = 'VOLT'
    this.#reading = undefined
    this.#text = ''
    for (const { name, ranges } of QUANTITIES) this.#setups.set(name, { range: ranges[2] ?? ranges[0] ?? 1, auto: true, nplc: 10, autozero: true })
  }

  tookMs(): number {
    const took = this.#tookMs / this.#pace
    this.#tookMs = 0
    return took
  }

  #general(): readonly ScpiCommand[] {
    return [
      { header: '[SENSe:]FUNCtion[:ON]', set: ({ parameters }) => this.#select(parameters.string()), query: () => `"${this.#function}"` },
      {
        header: 'READ',
        query: (call) => {
          this.#measure(call)
          return this.#reading ?? OVERLOAD
        },
      },
      { header: 'INITiate[:IMMediate]', set: (call) => this.#measure(call) },
      {
        header: 'FETCh',
        query: () => {
          if (this.#reading === undefined) throw new ScpiError(-230)
          return this.#reading
        },
      },
      { header: 'ABORt', set: () => undefined },
      { header: 'CONFigure', query: () => this.#configuration() },
      { header: 'TRIGger:SOURce', set: ({ parameters }) => void parameters.word(), query: () => 'IMM' },
      { header: 'SAMPle:COUNt', set: ({ parameters }) => void parameters.number({ minimum: 1, maximum: 1 }), query: () => '+1' },
      { header: 'ROUTe:TERMinals', query: () => 'FRON' },
      { header: 'DISPlay:TEXT[:DATA]', set: ({ parameters }) => this.#show(parameters.string()), query: () => `"${this.#text.replaceAll('"', '""')}"` },
      { header: 'DISPlay:TEXT:CLEar', set: () => this.#show('') },
      { header: 'SYSTem:BEEPer[:IMMediate]', set: () => undefined },
    ]
  }

  #commandsOf(quantity: Quantity): readonly ScpiCommand[] {
    const { name, header, ranges, unit, hasNplc } = quantity
    const setup = (): Setup => this.#setups.get(name) ?? { range: 1, auto: true, nplc: 10, autozero: true }
    const limits: NumberRange = { minimum: ranges[0] ?? 0, maximum: ranges.at(-1) ?? 0, preset: ranges[2] ?? ranges[0] ?? 0, unit }
    const choose = (call: Call): void => {
      if (call.parameters.none) return
      setup().range = rangeFor(ranges, call.parameters.number({ ...limits, minimum: 0 }))
      setup().auto = false
    }
    const configure = (call: Call): void => {
      this.#select(name)
      setup().auto = true
      choose(call)
      if (!call.parameters.none) void call.parameters.word() // a resolution: it follows from the integration time here
    }
    const integrated: readonly ScpiCommand[] = hasNplc
      ? [
          {
            header: `[SENSe:]${header}:NPLC`,
            set: ({ parameters }) => {
              setup().nplc = nearest(NPLC, parameters.number({ minimum: 0.02, maximum: 100, preset: 10 }))
            },
            query: ({ parameters }) => nr3(parameters.extreme({ minimum: 0.02, maximum: 100, preset: 10 }) ?? setup().nplc),
          },
          {
            header: `[SENSe:]${header}:ZERO:AUTO`,
            set: ({ parameters }) => {
              setup().autozero = parameters.boolean()
            },
            query: () => (setup().autozero ? '1' : '0'),
          },
        ]
      : []
    return [
      ...integrated,
      {
        header: `[SENSe:]${header}:RANGe[:UPPer]`,
        set: choose,
        query: ({ parameters }) => nr3(parameters.extreme(limits) ?? setup().range),
      },
      {
        header: `[SENSe:]${header}:RANGe:AUTO`,
        set: ({ parameters }) => {
          setup().auto = parameters.boolean()
        },
        query: () => (setup().auto ? '1' : '0'),
      },
      { header: `CONFigure[:SCALar]:${header}`, set: configure },
      {
        header: `MEASure[:SCALar]:${header}`,
        query: (call) => {
          configure(call)
          this.#measure(call)
          return this.#reading ?? OVERLOAD
        },
      },
    ]
  }

  #select(given: string): void {
    const wanted = given.toUpperCase().replace(/^(VOLT|CURR)(AGE|ENT)?:DC$/, '$1')
    const found = QUANTITIES.find(({ name }) => name === wanted)
    if (found === undefined) throw new ScpiError(-224)
    this.#function = found.name
  }

  #show(text: string): void {
    this.#text = text.slice(0, 40)
  }

  /** Noise goes down with the root of the integration time; autozero doubles it. */
  #measure({ seconds }: Call): void {
    const setup = this.#setups.get(this.#function)
    const quantity = QUANTITIES.find(({ name }) => name === this.#function)
    if (setup === undefined || quantity === undefined) return
    const truth = this.#input(this.#function, seconds)
    if (setup.auto) setup.range = rangeFor(quantity.ranges, Math.abs(truth) / OVERRANGE)
    const cycles = quantity.hasNplc ? setup.nplc : 10
    this.#tookMs += SETTLING_MS + ((setup.autozero && quantity.hasNplc ? 2 : 1) * cycles * 1000) / MAINS_HZ
    const measured = truth + (setup.range * 1e-7 * gaussian(this.#random)) / Math.sqrt(cycles / 10)
    this.#reading = Math.abs(measured) > setup.range * OVERRANGE ? OVERLOAD : nr3(measured)
  }

  /** `"VOLT +1.00000000E+01,+3.00000000E-06"`. */
  #configuration(): string {
    const range = this.#setups.get(this.#function)?.range ?? 0
    return `"${this.#function} ${nr3(range)},${nr3(range * 3e-7)}"`
  }
}

/** A slow drift by a millivolt on 10 V; a resistor of 1 kOhm that warms. */
function terminals(name: string, seconds: number): number {
  const drift = Math.sin(seconds / 60)
  const values: Readonly<Record<string, number>> = {
    VOLT: 9.9987 + 0.001 * drift,
    'VOLT:AC': 0.0021,
    CURR: 0.0099987,
    'CURR:AC': 1.2e-6,
    RES: 1000.12 + 0.01 * drift,
    FRES: 1000.02 + 0.01 * drift,
    FREQ: 49.98 + 0.02 * drift,
    CAP: 1.02e-7,
  }
  return values[name] ?? 0
}

function rangeFor(ranges: readonly number[], value: number): number {
  return ranges.find((range) => range >= value * (1 - 1e-9)) ?? ranges.at(-1) ?? value
}

/** The instrument takes the next of its steps that is not shorter. */
function nearest(steps: readonly number[], value: number): number {
  return steps.find((step) => step >= value * (1 - 1e-9)) ?? steps.at(-1) ?? value
}
