import type { CommandSpec } from '../../core/command-spec.ts'
import { HardwareFault, InvalidValue, NotFound, NotSupported } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle } from '../driver.ts'
import { readEach } from '../readings.ts'
import type { Exchange, SerialLine } from '../transport/serial-line.ts'
import { meterParameters, STATUS_PARAMETERS } from './parameters.ts'
import {
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
} from './protocol.ts'
import type { Settings } from './settings.ts'
import { UNIT_CODES, unitOf } from './units.ts'

/** Status bits that come and go with every reading. */
const PASSING: ReadonlySet<StatusBit> = new Set(['messageAvailable', 'busy', 'serviceRequest', 'newReading'])

/** Status bits that stay until they are cleared, and say that a command was not carried out. */
const COMPLAINTS: readonly StatusBit[] = ['parameterError', 'commandError']

/** A question with the shape of its answer, and the command that changes what it answers. */
type Question = {
  readonly ask: string
  readonly reply: RegExp
  readonly parse: (reply: string) => ParameterValue | undefined
  readonly set: (value: ParameterValue) => string | undefined
}

const SWITCH = { reply: DIGIT, parse: parseSwitch } as const

const QUESTIONS: Readonly<Record<string, Question>> = {
  wavelength: {
    ask: ask.wavelength,
    reply: WAVELENGTH,
    parse: parseWavelength,
    set: (value) => (typeof value === 'number' ? command.wavelength(value) : undefined),
  },
  range: { ask: ask.range, reply: DIGIT, parse: parseRange, set: (value) => mapped(RANGES, value, command.range) },
  attenuator: { ask: ask.attenuator, ...SWITCH, set: switched(command.attenuator) },
  filter: { ask: ask.filter, reply: DIGIT, parse: parseFilter, set: (value) => mapped(FILTERS, value, command.filter) },
  background_subtraction: { ask: ask.background, ...SWITCH, set: switched(command.background) },
  running: { ask: ask.running, ...SWITCH, set: switched(command.running) },
}

/** What can be set and not asked for. */
const UNREAD: Readonly<Record<string, (value: ParameterValue) => string | undefined>> = {
  beep: switched(command.beep),
  echo: switched(command.echo),
  lock_out: switched(command.lockOut),
}

const COMMANDS: readonly CommandSpec[] = [
  { name: 'store_reference', description: 'Makes the present reading what dB and REL count from (S)', arguments: [] },
  { name: 'clear_status', description: 'Clears the status byte (CS)', arguments: [] },
  { name: 'restore_units', description: 'Sets the units of the settings again, after the front panel has changed them (U)', arguments: [] },
]

type Described = Pick<Settings, 'unit' | 'unitCodes' | 'code'>

export class MeterDevice implements DeviceHandle {
  readonly identity = 'Newport 1830-C'
  readonly parameters: readonly ParameterSpec[]
  readonly readout = { parameter: 'power' }
  readonly commands: CommandFacet = { specs: COMMANDS, invoke: (name, _, signal) => this.#invoke(name, signal) }
  readonly #line: SerialLine
  readonly #settings: Described

  constructor(line: SerialLine, settings: Described) {
    this.#line = line
    this.#settings = settings
    this.parameters = meterParameters(settings.unit)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    // The bits of one byte are one question.
    let status: Promise<ReadonlySet<StatusBit> | undefined> | undefined
    const askStatus = (line: Exchange): Promise<ReadonlySet<StatusBit> | undefined> => {
      status ??= line.ask(ask.status, STATUS).then(parseStatus)
      return status
    }
    const readOne = (name: string): Promise<Measured> => this.#line.exchange('read', (line) => this.#readOne(line, name, askStatus), signal)
    return await readEach(names, readOne, { lost: this.#line.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const question = Object.hasOwn(QUESTIONS, name) ? QUESTIONS[name] : undefined
    const unread = Object.hasOwn(UNREAD, name) ? UNREAD[name] : undefined
    const text = (question?.set ?? unread)?.(value)
    if (text === undefined) throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    return await this.#line.exchange(
      'command',
      async (line) => {
        await this.#obeyed(line, text)
        if (question === undefined) return value
        const confirmed = question.parse(await line.ask(question.ask, question.reply))
        if (confirmed !== value) throw new HardwareFault(`${name} was set to ${String(value)} and reads back ${String(confirmed ?? 'nothing')}`, 'DONE')
        return confirmed
      },
      signal,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The port belongs to who opened it, and nothing else was opened.
  }

  async #invoke(name: string, signal: AbortSignal): Promise<undefined> {
    const { unit, unitCodes, code } = this.#settings
    if (!COMMANDS.some((spec) => spec.name === name)) throw new NotFound(`command ${name}`)
    if (name === 'restore_units' && !UNIT_CODES[unitCodes].settable) throw new NotSupported('the units of this meter are set at its front panel only')
    await this.#line.exchange(
      'command',
      async (line) => {
        if (name === 'clear_status') await this.#obeyed(line, command.clearStatus)
        if (name === 'store_reference') await this.#obeyed(line, command.storeReference)
        if (name !== 'restore_units') return
        await this.#obeyed(line, command.units(code))
        const shown = await line.ask(ask.units, DIGIT)
        if (shown !== code) throw new HardwareFault(`the meter was set to ${unit} and answers U? with ${shown}`, 'DONE')
      },
      signal,
    )
  }

  /** Sets are not answered: the status byte tells whether one was refused. What it complained of before, noise on the line perhaps, is not this one's. */
  async #obeyed(line: Exchange, text: string): Promise<void> {
    if ((await complaints(line)).length > 0) await line.send(command.clearStatus)
    await line.send(text)
    const refused = await complaints(line)
    if (refused.length === 0) return
    await line.send(command.clearStatus)
    throw new HardwareFault(`the meter refused ${text} (status ${refused.join(', ')})`, 'NONE')
  }

  async #readOne(line: Exchange, name: string, askStatus: (line: Exchange) => Promise<ReadonlySet<StatusBit> | undefined>): Promise<Measured> {
    if (name === 'power') return await this.#power(line)
    if (name === 'shown_units') {
      const code = await line.ask(ask.units, DIGIT)
      const unit = unitOf(this.#settings.unitCodes, code)
      return unit === undefined ? { bad: `U? answers ${code}, which is none of ${this.#settings.unitCodes}` } : { value: unit }
    }
    const bit = STATUS_PARAMETERS[name]?.bit
    if (name === 'status' || bit !== undefined) {
      const bits = await askStatus(line)
      if (bits === undefined) return { bad: 'Q? was not answered by a byte' }
      if (bit !== undefined) return { value: bits.has(bit) }
      const lasting = [...bits].filter((each) => !PASSING.has(each))
      return { value: lasting.length === 0 ? 'ok' : lasting.join(', ') }
    }
    const question = QUESTIONS[name]
    if (question === undefined) throw new NotFound(`parameter ${name}`)
    const reply = await line.ask(question.ask, question.reply)
    const value = question.parse(reply)
    return value === undefined ? { bad: `${JSON.stringify(reply)} is not a value of ${name}` } : { value }
  }

  /**
   * A number is only a power in the unit that the meter says it shows, and while its status byte says that the detector follows. U? comes after D?: had the
   * front panel changed the unit before D?, U? tells; if between the two, a right reading is thrown away.
   */
  async #power(line: Exchange): Promise<Measured> {
    const { unit, unitCodes, code } = this.#settings
    const power = parsePower(await line.ask(ask.power, POWER_REPLY), unit)
    const shown = await line.ask(ask.units, DIGIT)
    if (shown !== code)
      return { bad: `the meter shows ${unitOf(unitCodes, shown) ?? `unit ${shown}`} instead of ${unit}; set it at its front panel, or by restore_units` }
    const status = parseStatus(await line.ask(ask.status, STATUS))
    if (status === undefined) return { bad: 'Q? was not answered by a byte' }
    if (status.has('saturated')) return { bad: 'the detector is saturated' }
    if ('bad' in power) return power
    return status.has('outOfRange') ? { bad: 'out of the set range' } : power
  }
}

async function complaints(line: Exchange): Promise<readonly StatusBit[]> {
  const status = parseStatus(await line.ask(ask.status, STATUS))
  return COMPLAINTS.filter((bit) => status?.has(bit))
}

function switched(make: (on: boolean) => string): (value: ParameterValue) => string | undefined {
  return (value) => (typeof value === 'boolean' ? make(value) : undefined)
}

function mapped<Choice extends string>(choices: readonly Choice[], value: ParameterValue, make: (choice: Choice) => string): string | undefined {
  const choice = choices.find((candidate) => candidate === value)
  return choice === undefined ? undefined : make(choice)
}
