import { HardwareFault, InvalidValue, NotFound } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../driver.ts'
import { readEach } from '../readings.ts'
import type { Exchange, SerialLine } from '../serial-line.ts'
import {
  AFTER_SET_MS,
  ask,
  command,
  DIGIT,
  FILTERS,
  POWER_REPLY,
  parseFilter,
  parsePower,
  parseRange,
  parseStatus,
  parseSwitch,
  parseWavelength,
  RANGES,
  STATUS,
  type StatusBit,
  WAVELENGTH,
  WAVELENGTH_MAXIMUM_NM,
  WAVELENGTH_MINIMUM_NM,
} from './protocol.ts'

const POWER_POLL_MS = 200
const SETTING_POLL_MS = 5000 // what the front panel may change

const PARAMETERS: readonly ParameterSpec[] = [
  { name: 'power', description: 'Optical power at the set wavelength (D)', kind: 'FLOAT', access: 'READ_ONLY', unit: 'W', pollMs: POWER_POLL_MS },
  {
    name: 'wavelength',
    description: 'Wavelength that the detector is corrected for (W)',
    kind: 'INTEGER',
    access: 'READ_WRITE',
    unit: 'nm',
    minimum: WAVELENGTH_MINIMUM_NM,
    maximum: WAVELENGTH_MAXIMUM_NM,
    step: 1,
    pollMs: SETTING_POLL_MS,
  },
  { name: 'range', description: 'Signal range (R)', kind: 'ENUM', access: 'READ_WRITE', choices: RANGES, pollMs: SETTING_POLL_MS },
  { name: 'attenuator', description: 'Whether the attenuator is corrected for (A)', kind: 'BOOLEAN', access: 'READ_WRITE', pollMs: SETTING_POLL_MS },
  { name: 'filter', description: 'Averaging: slow 16, medium 4, fast 1 (F)', kind: 'ENUM', access: 'READ_WRITE', choices: FILTERS, pollMs: SETTING_POLL_MS },
  {
    name: 'background_subtraction',
    description: 'Setting it takes the present reading as zero (Z)',
    kind: 'BOOLEAN',
    access: 'READ_WRITE',
    pollMs: SETTING_POLL_MS,
  },
  {
    name: 'in_watts',
    description: 'Whether the meter shows watts (U); the power is bad while it does not',
    kind: 'BOOLEAN',
    access: 'READ_ONLY',
    pollMs: 1000,
  },
  { name: 'status', description: 'What the status byte (Q) complains of, or ok', kind: 'TEXT', access: 'READ_ONLY', pollMs: 1000 },
]

/** Status bits that come and go with every reading. */
const PASSING: ReadonlySet<StatusBit> = new Set(['messageAvailable', 'busy', 'serviceRequest', 'newReading'])

/** A question with the shape of its answer, and for a setting the command that changes it. */
type Question = {
  readonly ask: string
  readonly reply: RegExp
  readonly parse: (reply: string) => ParameterValue | undefined
  readonly set?: (value: ParameterValue) => string | undefined
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  wavelength: {
    ask: ask.wavelength,
    reply: WAVELENGTH,
    parse: parseWavelength,
    set: (value) => (typeof value === 'number' ? command.wavelength(value) : undefined),
  },
  range: { ask: ask.range, reply: DIGIT, parse: parseRange, set: (value) => mapped(RANGES, value, command.range) },
  attenuator: { ask: ask.attenuator, reply: DIGIT, parse: parseSwitch, set: (value) => (typeof value === 'boolean' ? command.attenuator(value) : undefined) },
  filter: { ask: ask.filter, reply: DIGIT, parse: parseFilter, set: (value) => mapped(FILTERS, value, command.filter) },
  background_subtraction: {
    ask: ask.background,
    reply: DIGIT,
    parse: parseSwitch,
    set: (value) => (typeof value === 'boolean' ? command.background(value) : undefined),
  },
}

export class MeterDevice implements DeviceHandle {
  readonly identity = 'Newport 1830-C'
  readonly parameters = PARAMETERS
  readonly readout = { parameter: 'power' }
  readonly #line: SerialLine
  readonly #wattsCode: string
  #inWatts = true

  constructor(line: SerialLine, wattsCode: string) {
    this.#line = line
    this.#wattsCode = wattsCode
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    return await readEach(names, (name) => this.#line.exchange('read', (line) => this.#readOne(line, name), signal), { lost: this.#line.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const question = QUESTIONS[name]
    const text = question?.set?.(value)
    if (question === undefined || text === undefined) throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    return await this.#line.exchange(
      'command',
      async (line) => {
        await line.send(text)
        await line.pause(AFTER_SET_MS)
        const status = parseStatus(await line.ask(ask.status, STATUS))
        const confirmed = question.parse(await line.ask(question.ask, question.reply))
        if (status?.has('parameterError') || status?.has('commandError')) {
          await line.send(command.clearStatus)
          throw new HardwareFault(`the meter refused ${text} (status ${[...status].join(', ')})`, 'NONE')
        }
        if (confirmed !== value) throw new HardwareFault(`${name} was set to ${String(value)} and reads back ${String(confirmed ?? 'nothing')}`, 'DONE')
        return confirmed
      },
      signal,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it, and nothing else was opened.
  }

  async #readOne(line: Exchange, name: string): Promise<Measured> {
    if (name === 'power') return await this.#power(line)
    if (name === 'in_watts') {
      this.#inWatts = (await line.ask(ask.units, DIGIT)) === this.#wattsCode
      return { value: this.#inWatts }
    }
    if (name === 'status') {
      const bits = parseStatus(await line.ask(ask.status, STATUS))
      if (bits === undefined) return { bad: 'Q? was not answered by a byte' }
      const lasting = [...bits].filter((bit) => !PASSING.has(bit))
      return { value: lasting.length === 0 ? 'ok' : lasting.join(', ') }
    }
    const question = QUESTIONS[name]
    if (question === undefined) throw new NotFound(`parameter ${name}`)
    const reply = await line.ask(question.ask, question.reply)
    const value = question.parse(reply)
    return value === undefined ? { bad: `${JSON.stringify(reply)} is not a value of ${name}` } : { value }
  }

  /** A number is only a power while the meter shows watts and its status byte says that the detector follows. */
  async #power(line: Exchange): Promise<Measured> {
    const power = parsePower(await line.ask(ask.power, POWER_REPLY))
    if ('bad' in power) return power
    if (!this.#inWatts) return { bad: 'the meter does not show watts; set them at its front panel' }
    const status = parseStatus(await line.ask(ask.status, STATUS))
    if (status?.has('saturated')) return { bad: 'the detector is saturated' }
    if (status?.has('outOfRange')) return { bad: 'out of the set range' }
    return { value: power.watts }
  }
}

function mapped<Choice extends string>(choices: readonly Choice[], value: ParameterValue, make: (choice: Choice) => string): string | undefined {
  const choice = choices.find((candidate) => candidate === value)
  return choice === undefined ? undefined : make(choice)
}
