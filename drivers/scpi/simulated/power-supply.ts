import { gaussian, type SimulatorHost } from '../../simulation/simulator.ts'
import { ScpiError } from './errors.ts'
import type { NumberRange } from './parameters.ts'
import { type Call, nr3, type ScpiCommand, type ScpiModel } from './scpi-instrument.ts'

const RISE_SECONDS = 0.02 // to within 1 % of the step it takes five of these
const NOISE_VOLTS = 2e-4
const NOISE_AMPERES = 5e-5

type Output = {
  readonly voltage: Required<Omit<NumberRange, 'preset'>>
  readonly current: Required<Omit<NumberRange, 'preset'>>
  readonly protection: Required<Omit<NumberRange, 'preset'>>
  /** What hangs on it. */
  readonly loadOhms: number
  volts: number
  amperes: number
  limitVolts: number
  on: boolean
  tripped: boolean
  /** The voltage at its terminals, since when, and where it goes. */
  fromVolts: number
  since: number
  toVolts: number
}

/** E36300 Series Programming Guide (E36311-90008), "Programming ranges": output 1 is 6 V, 5 A; outputs 2 and 3 are 25 V, 1 A. */
function outputs(loads: readonly [number, number, number]): readonly Output[] {
  return loads.map((loadOhms, index) => {
    const [volts, amperes, protection] = index === 0 ? [6.18, 5.15, 6.6] : [25.75, 1.03, 27.5]
    return {
      voltage: { minimum: 0, maximum: volts, unit: 'V' },
      current: { minimum: index === 0 ? 0.002 : 0.001, maximum: amperes, unit: 'A' },
      protection: { minimum: 1, maximum: protection, unit: 'V' },
      loadOhms,
      volts: 0,
      amperes: 0,
      limitVolts: protection,
      on: false,
      tripped: false,
      fromVolts: 0,
      since: 0,
      toVolts: 0,
    }
  })
}

/** A Keysight E36312A with a resistor on each of its three outputs. */
export class PowerSupply implements ScpiModel {
  readonly identity: string
  readonly commands: readonly ScpiCommand[]
  readonly errors = { 309: 'Cannot initiate; voltage and current in fixed mode', 333: 'Output is in protected state' }
  readonly #random: () => number
  readonly #outputs: readonly Output[]
  #selected = 1

  constructor(host: SimulatorHost, options: { readonly identity?: string; readonly loadOhms?: readonly [number, number, number] } = {}) {
    this.identity = options.identity ?? 'Keysight Technologies,E36312A,MY59002391,2.1.0-1.0.4-1.12' // recorded from an instrument
    this.#random = host.random
    this.#outputs = outputs(options.loadOhms ?? [10, 100, 47])
    this.reset()
    this.commands = this.#tree()
  }

  reset(): void {
    this.#selected = 1
    for (const output of this.#outputs) {
      Object.assign(output, { volts: 0, amperes: output.current.minimum, limitVolts: output.protection.maximum, on: false, tripped: false, toVolts: 0 })
    }
  }

  /** At the terminals, without the meter's noise. */
  volts(channel: number, seconds: number): number {
    const output = this.#outputs[channel - 1]
    return output === undefined ? 0 : voltsOf(output, seconds)
  }

  #tree(): readonly ScpiCommand[] {
    const level = (header: string, range: (output: Output) => NumberRange, key: 'volts' | 'amperes' | 'limitVolts'): ScpiCommand => ({
      header,
      set: ({ parameters, seconds }) => {
        const wanted = parameters.level()
        const chosen = this.#chosen(parameters.channels(3, [this.#selected])).map((output) => ({ output, value: wanted(range(output)) }))
        for (const { output, value } of chosen) {
          output[key] = value
          this.#settle(output, seconds)
        }
      },
      query: ({ parameters }) => {
        const ends: NumberRange = { minimum: -1, maximum: 1, preset: 0 }
        const extreme = parameters.extreme(ends)
        return this.#listed(parameters.channels(3, [this.#selected]), (output) => {
          const { minimum, maximum } = range(output)
          return nr3(extreme === undefined ? output[key] : extreme > 0 ? maximum : minimum)
        })
      },
    })
    return [
      level('[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]', ({ voltage }) => voltage, 'volts'),
      level('[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]', ({ current }) => current, 'amperes'),
      level('[SOURce:]VOLTage:PROTection[:LEVel][:AMPLitude]', ({ protection }) => protection, 'limitVolts'),
      { header: '[SOURce:]VOLTage:PROTection:TRIPped', query: (call) => this.#each(call, ({ tripped }) => flag(tripped)) },
      {
        header: 'OUTPut[:STATe]',
        set: ({ parameters, seconds }) => {
          const on = parameters.boolean()
          const chosen = this.#chosen(parameters.channels(3, [this.#selected]))
          if (on && chosen.some(({ tripped }) => tripped)) throw new ScpiError(333)
          for (const output of chosen) {
            output.on = on
            this.#settle(output, seconds)
          }
        },
        query: (call) => this.#each(call, ({ on }) => flag(on)),
      },
      {
        header: 'OUTPut:PROTection:CLEar',
        set: ({ parameters }) => {
          for (const output of this.#chosen(parameters.channels(3, [this.#selected]))) output.tripped = false
        },
      },
      {
        header: 'MEASure[:SCALar][:VOLTage][:DC]',
        query: (call) => this.#each(call, (output) => nr3(voltsOf(output, call.seconds) + NOISE_VOLTS * gaussian(this.#random))),
      },
      {
        header: 'MEASure[:SCALar]:CURRent[:DC]',
        query: (call) => this.#each(call, (output) => nr3(voltsOf(output, call.seconds) / output.loadOhms + NOISE_AMPERES * gaussian(this.#random))),
      },
      {
        header: 'INSTrument:NSELect',
        set: ({ parameters }) => {
          this.#selected = parameters.number({ minimum: 1, maximum: 3 })
        },
        query: () => String(this.#selected),
      },
      {
        header: 'INSTrument[:SELect]',
        set: ({ parameters }) => {
          const match = /^CH([123])$/.exec(parameters.word())
          if (match === null) throw new ScpiError(-224)
          this.#selected = Number(match[1])
        },
        query: () => `CH${this.#selected}`,
      },
      { header: 'SYSTem:REMote', set: () => undefined },
      { header: 'SYSTem:LOCal', set: () => undefined },
    ]
  }

  /** `OUTP? (@1,2)` is answered by `1,0`. */
  #each({ parameters }: Call, answer: (output: Output) => string): string {
    return this.#listed(parameters.channels(3, [this.#selected]), answer)
  }

  #listed(channels: readonly number[], answer: (output: Output) => string): string {
    return this.#chosen(channels).map(answer).join(',')
  }

  #chosen(channels: readonly number[]): readonly Output[] {
    return channels.map((channel) => this.#outputs[channel - 1]).filter((output) => output !== undefined)
  }

  /** What the change makes of the voltage, and the protection of that. */
  #settle(output: Output, seconds: number): void {
    const now = voltsOf(output, seconds)
    const target = output.on ? Math.min(output.volts, output.amperes * output.loadOhms) : 0
    if (target > output.limitVolts) {
      output.tripped = true
      output.on = false
    }
    output.fromVolts = now
    output.since = seconds
    output.toVolts = output.on ? target : 0
  }
}

function voltsOf(output: Output, seconds: number): number {
  return output.toVolts + (output.fromVolts - output.toVolts) * Math.exp(-Math.max(0, seconds - output.since) / RISE_SECONDS)
}

function flag(on: boolean): string {
  return on ? '1' : '0'
}
