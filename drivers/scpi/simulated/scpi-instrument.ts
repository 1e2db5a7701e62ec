import { type ByteInstrument, CommandSplitter, type SimulatorHost } from '../../simulation/simulator.ts'
import { EVENT, eventOf, ScpiError, STANDARD_ERRORS } from './errors.ts'
import { type HeaderPattern, headerPattern, matchHeader } from './header.ts'
import { Parameters } from './parameters.ts'
import { parseMessage, type Unit } from './program-message.ts'

const ERROR_QUEUE_DEPTH = 20 // of the 34461A and the E36300

/** What a command is given: its parameters, the numbers in its header, and the time. */
export type Call = { readonly parameters: Parameters; readonly suffixes: readonly number[]; readonly seconds: number }

/** One entry of the command tree, in the manual's notation. */
export type ScpiCommand = {
  readonly header: string
  readonly set?: (call: Call) => void
  readonly query?: (call: Call) => string
}

/** What is particular to a model. */
export interface ScpiModel {
  readonly identity: string
  readonly commands: readonly ScpiCommand[]
  /** *RST. */
  reset(): void
  /** How long the last message measured, in milliseconds; asked for once. Absent: it measures all the time and answers at once. */
  tookMs?(): number
  /** Errors of its own, beside the standard's. */
  readonly errors?: Readonly<Record<number, string>>
}

/** The part of a SCPI instrument that all have: messages, the command tree, common commands, status registers and the error queue. */
export class ScpiInstrument implements ByteInstrument {
  readonly errors: readonly string[]
  readonly #host: SimulatorHost
  readonly #model: ScpiModel
  readonly #texts: Readonly<Record<number, string>>
  readonly #commands: readonly { readonly pattern: HeaderPattern; readonly command: ScpiCommand }[]
  readonly #splitter = new CommandSplitter(/[\r\n]/)
  readonly #queue: number[] = []
  #events: number = EVENT.powerOn
  #eventMask = 0
  #requestMask = 0

  constructor(host: SimulatorHost, model: ScpiModel) {
    this.#host = host
    this.#model = model
    this.#texts = { ...STANDARD_ERRORS, ...model.errors }
    this.errors = Object.keys(this.#texts)
    this.#commands = [...COMMON, ...model.commands].map((command) => ({ pattern: headerPattern(command.header), command }))
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    const answers = this.#splitter.take(bytes).map((message) => this.#obey(message, seconds))
    return Buffer.from(answers.join(''), 'latin1')
  }

  /** The status byte (IEEE 488.2, 11.2), as a serial poll reads it. */
  get statusByte(): number {
    const summary = (this.#events & this.#eventMask) !== 0 ? 32 : 0
    const queue = this.#queue.length > 0 ? 4 : 0
    return summary | queue | ((summary | queue) & this.#requestMask ? 64 : 0)
  }

  /** How long its last answer took to make, in milliseconds. */
  tookMs(): number {
    return this.#model.tookMs?.() ?? 0
  }

  foreign(): Uint8Array {
    return Buffer.from('+1.00000000E+00,+2.00000000E+00\n', 'latin1')
  }

  provoke(code: string): void {
    this.#report(Number(code))
  }

  #obey(message: string, seconds: number): string {
    const answers: string[] = []
    for (const unit of parseMessage(message)) {
      try {
        if ('bad' in unit) throw new ScpiError(-102)
        const answer = this.#carryOut(unit, seconds)
        if (answer === undefined) this.#host.accepted(shown(unit))
        else answers.push(answer)
      } catch (error) {
        if (!(error instanceof ScpiError)) throw error
        this.#report(error.code)
        if (eventOf(error.code) === EVENT.commandError) break // the rest of the message is not understood either (IEEE 488.2, 6.1.6.1.1)
      }
    }
    return answers.length === 0 ? '' : `${answers.join(';')}\n`
  }

  #carryOut(unit: Unit, seconds: number): string | undefined {
    const own = this.#common(unit)
    if (own !== undefined) return own.answer
    for (const { pattern, command } of this.#commands) {
      const suffixes = matchHeader(pattern, unit.words)
      if (suffixes === undefined) continue
      const act = unit.query ? command.query : command.set
      if (act === undefined) break
      const call: Call = { parameters: new Parameters(unit.parameters), suffixes, seconds }
      const answer = act(call)
      call.parameters.end()
      return typeof answer === 'string' ? answer : undefined
    }
    throw new ScpiError(-113)
  }

  /** What concerns the status of the instrument itself. */
  #common({ words, query, parameters }: Unit): { readonly answer: string | undefined } | undefined {
    const given = new Parameters(parameters)
    const register = () => given.number({ minimum: 0, maximum: 255 })
    switch (`${words.join(':').toUpperCase()}${query ? '?' : ''}`) {
      case '*IDN?':
        return { answer: this.#model.identity }
      case '*RST':
        this.#model.reset()
        return { answer: undefined }
      case '*CLS':
        this.#queue.length = 0
        this.#events = 0
        return { answer: undefined }
      case '*ESR?': {
        const events = this.#events
        this.#events = 0
        return { answer: String(events) }
      }
      case '*ESE?':
        return { answer: String(this.#eventMask) }
      case '*ESE':
        this.#eventMask = register()
        return { answer: undefined }
      case '*SRE?':
        return { answer: String(this.#requestMask) }
      case '*SRE':
        this.#requestMask = register() & ~64
        return { answer: undefined }
      case '*STB?':
        return { answer: String(this.statusByte) }
      case '*OPC':
        this.#events |= EVENT.operationComplete
        return { answer: undefined }
      case 'SYST:ERR?':
      case 'SYSTEM:ERROR?':
      case 'SYST:ERR:NEXT?':
      case 'SYSTEM:ERROR:NEXT?':
        return { answer: this.#nextError() }
      default:
        return undefined
    }
  }

  #nextError(): string {
    const code = this.#queue.shift()
    return code === undefined ? '+0,"No error"' : `${code > 0 ? '+' : ''}${code},"${this.#texts[code] ?? 'Device-specific error'}"`
  }

  /** SCPI-99, volume 2, 21.8.1: the last entry of a full queue becomes -350. */
  #report(code: number): void {
    this.#events |= eventOf(code)
    if (this.#queue.length >= ERROR_QUEUE_DEPTH) this.#queue[ERROR_QUEUE_DEPTH - 1] = -350
    else this.#queue.push(code)
  }
}

const COMMON: readonly ScpiCommand[] = [
  { header: '*OPC', query: () => '1' }, // nothing here overlaps: each command is done when the next one is read
  { header: '*WAI', set: () => undefined },
  { header: '*TST', query: () => '+0' },
  { header: '*OPT', query: () => '"0"' },
  { header: 'SYSTem:VERSion', query: () => '1999.0' },
]

/** NR3 as Keysight's instruments write it: `+1.04530000E+00`. */
export function nr3(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(8).split('e')
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0')
  return `${value < 0 ? '' : '+'}${mantissa}E${exponent.startsWith('-') ? '-' : '+'}${digits}`
}

function shown({ words, parameters }: Unit): string {
  const header = words.join(':').toUpperCase()
  return parameters.length === 0 ? header : `${header} ${parameters.join(',')}`
}
