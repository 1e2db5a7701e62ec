import { type ByteInstrument, CommandSplitter, gaussian, type SimulatorHost } from '../../simulation/simulator.ts'
import { EVENT } from './errors.ts'

/**
 * A Lake Shore Model 336: two control loops on a cryostat with a cold finger of 4 K. Model 336 User's Manual (119-048), chapter 6: IEEE 488.2 in manner, but
 * no SCPI: mnemonics without a tree, no error queue; what it does not understand sets a bit of *ESR? and is not answered.
 */

const IDENTITY = 'LSCI,MODEL336,LSA2CMQ/LSA2C8R,2.9' // recorded from an instrument
const TERMINATOR = '\r\n'
const INPUTS = ['A', 'B', 'C', 'D'] as const
const BASE_KELVIN = 4.2
const STEP_SECONDS = 0.1
const MAX_STEPS = 20_000 // half an hour that nobody looked; then it is where it would have settled anyway
const NOISE_KELVIN = 0.002
/** Watts of full output into 50 Ohm, of output 1 and 2 by their range (4.2, "Heater output"). */
const WATTS: readonly (readonly [number, number, number, number])[] = [
  [0, 0.5, 5, 50],
  [0, 0.5, 5, 50],
]
const LIMIT_KELVIN = 400

const LOOP_QUESTIONS: ReadonlySet<string> = new Set(['SETP', 'RAMP', 'RAMPST', 'RANGE', 'PID', 'HTR', 'HTRST', 'OUTMODE'])

type Loop = {
  setpoint: number
  /** What is controlled to now: it follows the setpoint at the ramp's rate. */
  target: number
  ramping: boolean
  kelvinPerMinute: number
  range: number
  p: number
  i: number
  d: number
  integral: number
  percent: number
  kelvin: number
  /** J/K, and W/K to the cold finger. */
  readonly heatCapacity: number
  readonly conductance: number
}

export type TemperatureControllerOptions = { readonly identity?: string; readonly kelvin?: number }

export class TemperatureController implements ByteInstrument {
  /** Bits of *ESR?: query, execution and command error. */
  readonly errors = ['4', '16', '32'] as const
  readonly #host: SimulatorHost
  readonly #identity: string
  readonly #splitter = new CommandSplitter(/[\r\n]/)
  readonly #loops: readonly [Loop, Loop]
  #events: number = EVENT.powerOn
  #eventMask = 0
  #requestMask = 0
  #at: number | undefined
  /** Input D is not connected. */
  readonly #status: Readonly<Record<(typeof INPUTS)[number], number>> = { A: 0, B: 0, C: 0, D: 128 }

  constructor(host: SimulatorHost, { identity = IDENTITY, kelvin = 77 }: TemperatureControllerOptions = {}) {
    this.#host = host
    this.#identity = identity
    const loop = (heatCapacity: number, conductance: number): Loop => ({
      setpoint: 77,
      target: 77,
      ramping: false,
      kelvinPerMinute: 10,
      range: 0,
      p: 50,
      i: 20,
      d: 0,
      integral: 0,
      percent: 0,
      kelvin,
      heatCapacity,
      conductance,
    })
    this.#loops = [loop(20, 0.05), loop(8, 0.02)]
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    this.#advance(seconds)
    const answers = this.#splitter.take(bytes).map((line) => this.#obey(line))
    return Buffer.from(
      answers
        .filter((answer) => answer !== undefined)
        .map((answer) => answer + TERMINATOR)
        .join(''),
      'latin1',
    )
  }

  foreign(): Uint8Array {
    return Buffer.from(`MODEL336 IN ANOTHER TONGUE${TERMINATOR}`, 'latin1')
  }

  provoke(code: string): void {
    this.#events |= Number(code)
  }

  /** Without noise. */
  kelvin(loop: 1 | 2): number {
    return this.#loops[loop - 1]?.kelvin ?? 0
  }

  /** Several commands may stand on one line, between semicolons; their answers are joined likewise. */
  #obey(line: string): string | undefined {
    const answers: string[] = []
    for (const command of line.split(';')) {
      const match = /^\s*(\*?[A-Za-z]+)(\?)?\s*(.*?)\s*$/.exec(command)
      const [, name = '', mark, rest = ''] = match ?? []
      const given = rest === '' ? [] : rest.split(',').map((each) => each.trim())
      const answer = mark === '?' ? this.#answer(name.toUpperCase(), given) : this.#set(name.toUpperCase(), given, command.trim())
      if (answer !== undefined) answers.push(answer)
    }
    return answers.length === 0 ? undefined : answers.join(';')
  }

  #answer(name: string, given: readonly string[]): string | undefined {
    switch (name) {
      case '*IDN':
        return this.#identity
      case '*ESR': {
        const events = this.#events
        this.#events = 0
        return String(events)
      }
      case '*ESE':
        return String(this.#eventMask)
      case '*SRE':
        return String(this.#requestMask)
      case '*STB':
        return String((this.#events & this.#eventMask) !== 0 ? 32 : 0)
      case '*OPC':
        return '1'
      case '*TST':
        return '0'
      default:
        break
    }
    if (name === 'KRDG' || name === 'CRDG' || name === 'SRDG' || name === 'RDGST' || name === 'INNAME') return this.#input(name, given)
    if (!LOOP_QUESTIONS.has(name)) return this.#refuse(EVENT.commandError)
    const loop = this.#loop(given)
    if (loop === undefined) return undefined
    switch (name) {
      case 'SETP':
        return signed(loop.setpoint, 3, 7)
      case 'RAMP':
        return `${loop.ramping ? 1 : 0},${signed(loop.kelvinPerMinute, 1, 5)}`
      case 'RAMPST':
        return loop.ramping && Math.abs(loop.target - loop.setpoint) > 1e-9 ? '1' : '0'
      case 'RANGE':
        return String(loop.range)
      case 'PID':
        return [loop.p, loop.i, loop.d].map((each) => signed(each, 1, 6)).join(',')
      case 'HTR':
        return signed(loop.percent, 1, 5)
      case 'HTRST':
        return '0'
      default: // OUTMODE: closed loop, its own input, off after power-up
        return `1,${given[0]},0`
    }
  }

  #input(name: string, given: readonly string[]): string | undefined {
    const input = INPUTS.find((candidate) => candidate === given[0]?.toUpperCase())
    if (input === undefined) return this.#refuse(EVENT.executionError)
    const noise = NOISE_KELVIN * gaussian(this.#host.random)
    const connected = this.#status[input] === 0
    const kelvin = connected ? (input === 'B' ? this.#loops[1].kelvin : input === 'C' ? BASE_KELVIN : this.#loops[0].kelvin) + noise : 0
    switch (name) {
      case 'KRDG':
        return signed(kelvin, 3, 7)
      case 'CRDG':
        return signed(connected ? kelvin - 273.15 : 0, 3, 7)
      case 'SRDG':
        return signed(connected ? 1.7 - 0.0045 * kelvin : 0, 5, 7) // a silicon diode, in volts
      case 'INNAME':
        return `Input ${input}`
      default:
        return String(this.#status[input]).padStart(3, '0')
    }
  }

  #set(name: string, given: readonly string[], text: string): undefined {
    const [, first = Number.NaN, second = Number.NaN, third = Number.NaN] = given.map(Number)
    const inside = (value: number, minimum: number, maximum: number): boolean => value >= minimum && value <= maximum
    switch (name) {
      case '*CLS':
        this.#events = 0
        this.#host.accepted(text)
        return undefined
      case '*RST':
        for (const loop of this.#loops) Object.assign(loop, { range: 0, ramping: false })
        this.#host.accepted(text)
        return undefined
      case '*ESE':
        this.#eventMask = Number(given[0]) & 255
        return undefined
      case '*SRE':
        this.#requestMask = Number(given[0]) & 255
        return undefined
      case '*OPC':
        this.#events |= EVENT.operationComplete
        return undefined
      default:
        break
    }
    if (!['SETP', 'RAMP', 'RANGE', 'PID'].includes(name)) return this.#refuse(EVENT.commandError)
    const loop = this.#loop(given)
    if (loop === undefined) return undefined
    switch (name) {
      case 'SETP':
        if (!inside(first, 0, LIMIT_KELVIN)) return this.#refuse(EVENT.executionError)
        if (!loop.ramping) loop.target = first
        loop.setpoint = first
        break
      case 'RAMP':
        if (!inside(first, 0, 1) || !inside(second, 0, 100)) return this.#refuse(EVENT.executionError)
        loop.ramping = first === 1
        loop.kelvinPerMinute = second
        loop.target = loop.ramping ? loop.kelvin : loop.setpoint
        break
      case 'RANGE':
        if (!inside(first, 0, 3) || !Number.isInteger(first)) return this.#refuse(EVENT.executionError)
        loop.range = first
        break
      default:
        if (!inside(first, 0.1, 1000) || !inside(second, 0.1, 1000) || !inside(third, 0, 200)) return this.#refuse(EVENT.executionError)
        Object.assign(loop, { p: first, i: second, d: third })
    }
    this.#host.accepted(text)
    return undefined
  }

  #loop(given: readonly string[]): Loop | undefined {
    const loop = given[0] === '1' ? this.#loops[0] : given[0] === '2' ? this.#loops[1] : undefined
    return loop ?? this.#refuse(EVENT.executionError)
  }

  #refuse(event: number): undefined {
    this.#events |= event
    return undefined
  }

  /** Heater power by the instrument's own control law (2.4: P, I and D terms), heat to the cold finger. */
  #advance(seconds: number): void {
    let at = this.#at ?? seconds
    const steps = Math.min(MAX_STEPS, Math.floor((seconds - at) / STEP_SECONDS))
    for (let step = 0; step < steps; step += 1) for (const [index, loop] of this.#loops.entries()) advance(loop, WATTS[index]?.[loop.range] ?? 0)
    at += steps * STEP_SECONDS
    this.#at = steps === MAX_STEPS ? seconds : at
  }
}

function advance(loop: Loop, fullWatts: number): void {
  if (loop.ramping) {
    const most = (loop.kelvinPerMinute / 60) * STEP_SECONDS
    loop.target += Math.max(-most, Math.min(most, loop.setpoint - loop.target))
  }
  const error = loop.target - loop.kelvin
  if (fullWatts > 0) loop.integral = Math.max(0, Math.min(100, loop.integral + (loop.p * (loop.i / 1000) * error * STEP_SECONDS) / 10))
  else loop.integral = 0
  loop.percent = fullWatts > 0 ? Math.max(0, Math.min(100, loop.p * error + loop.integral)) : 0
  const watts = (loop.percent / 100) * fullWatts - loop.conductance * (loop.kelvin - BASE_KELVIN)
  loop.kelvin += (watts * STEP_SECONDS) / loop.heatCapacity
}

/** `+077.350`: a sign, leading zeros, so many decimals. */
function signed(value: number, decimals: number, width: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(decimals).padStart(width, '0')}`
}
