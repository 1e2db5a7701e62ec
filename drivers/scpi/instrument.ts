import { Conflict, HardwareFault, InvalidValue, NotFound, Problem } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import { readEach } from '../readings.ts'
import type { Exchange } from './conversation.ts'
import type { Condition, Description, ParameterDescription } from './description.ts'
import type { ScpiPort } from './port.ts'
import { specOf } from './specs.ts'
import { fill, placeholders } from './template.ts'
import { asSent, formatValue, parseReply, replyShape } from './values.ts'

const ANY = /^.*$/s
const SAME_WITHIN = 1e-6 // of the value, for a number that is read back: instruments answer with six to nine digits

/** One described instrument, or one channel of it, that is open. */
export class Instrument {
  readonly identity: string
  readonly description: Description
  readonly parameters: readonly ParameterSpec[]
  readonly port: ScpiPort
  readonly #parameters: ReadonlyMap<string, ParameterDescription>
  readonly #channel: string
  readonly #fixed: Readonly<Record<string, string>>
  /** Counts stops: what was asked for before one must not go out after it. */
  #stops = 0
  /** A question was not answered and the instrument has not yet been asked for its errors: what it then says is not the next command's. */
  #errorsAreStale = false

  constructor(port: ScpiPort, description: Description, parameters: readonly ParameterDescription[], channel: string | undefined, identity: string) {
    this.port = port
    this.description = description
    this.identity = channel === undefined ? identity : `${identity}, ${description.channels?.setting} ${channel}`
    this.#channel = channel ?? ''
    this.#fixed = channel === undefined || description.channels === undefined ? {} : { [description.channels.setting]: channel }
    this.#parameters = new Map(parameters.map((parameter) => [parameter.name, parameter]))
    this.parameters = parameters.map(specOf)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    return await readEach(names, (name) => this.#readOne(this.#parameter(name), signal), { lost: this.port.lost, signal })
  }

  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    const parameter = this.#parameter(name)
    const { set } = parameter
    if (set === undefined) throw new InvalidValue(`${name} cannot be set`, [name])
    const sent = formatValue(parameter, value)
    return await this.command(
      async (line) => {
        const others: Record<string, string> = { value: sent }
        for (const other of placeholders(set)) if (!Object.hasOwn(this.#fixed, other) && other !== 'value') others[other] = await this.#present(line, other)
        return [this.filled(set, others)]
      },
      async (line) => await this.#readBack(line, parameter, value),
      signal,
      parameter.timeoutMs,
    )
  }

  /** What is sent, its errors, and what `confirm` asks, as one unit. Not sent if a stop came in between. */
  async command<T>(
    commands: (line: Exchange) => Promise<readonly string[]> | readonly string[],
    confirm: (line: Exchange) => Promise<T>,
    signal: AbortSignal,
    withinMs?: number,
  ): Promise<T> {
    const stops = this.#stops
    return await this.exchange(
      'command',
      async (line) => {
        if (this.#errorsAreStale) await this.port.errors(line)
        this.#errorsAreStale = false
        const texts = await commands(line)
        if (stops !== this.#stops) throw new Conflict(`${texts.join('; ')} was overtaken by a stop and not sent`)
        try {
          await this.port.obey(line, texts, withinMs)
          return await confirm(line)
        } catch (error) {
          if (error instanceof Problem && error.code === 'DEADLINE_EXCEEDED') this.#errorsAreStale = true
          throw error
        }
      },
      signal,
    )
  }

  /** A question that does something (a self-test), and its errors. */
  async question(text: string, reply: RegExp, signal: AbortSignal, withinMs?: number): Promise<string> {
    return await this.exchange(
      'command',
      async (line) => {
        const answer = await line.ask(text, reply, withinMs)
        await this.port.refuseErrors(line, text)
        return answer
      },
      signal,
    )
  }

  /** Sends now, beside whatever exchange is running. */
  async stop(commands: readonly string[], signal: AbortSignal): Promise<void> {
    this.#stops += 1
    for (const command of commands) await this.port.conversation.interject(this.filled(command))
    await this.exchange('urgent', (line) => this.port.refuseErrors(line, 'the stop'), signal)
  }

  async preempt(commands: readonly string[]): Promise<void> {
    this.#stops += 1
    this.#errorsAreStale = true
    await this.port.preempt(commands.map((command) => this.filled(command)))
  }

  async holds(condition: Condition, lane: 'command' | 'read' | 'urgent', signal: AbortSignal, withinMs?: number): Promise<boolean> {
    return condition.pattern.test(await this.exchange(lane, (line) => line.ask(this.filled(condition.query), ANY, withinMs), signal))
  }

  exchange<T>(lane: 'command' | 'read' | 'urgent', work: (line: Exchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.port.conversation.exchange(lane, work, signal, this.#channel)
  }

  filled(template: string, values: Readonly<Record<string, string>> = {}): string {
    return fill(template, { ...this.#fixed, ...values })
  }

  #parameter(name: string): ParameterDescription {
    const parameter = this.#parameters.get(name)
    if (parameter === undefined) throw new NotFound(`parameter ${name}`)
    return parameter
  }

  async #readOne(parameter: ParameterDescription, signal: AbortSignal): Promise<Measured> {
    if (parameter.query === undefined) return { bad: 'it can only be set' }
    return await this.exchange(
      'read',
      async (line) => {
        try {
          return await this.#measure(line, parameter)
        } catch (error) {
          if (!(error instanceof Problem)) throw error
          const explained = signal.aborted ? error : await this.port.explain(line, error)
          this.#errorsAreStale ||= explained === error && error.code === 'DEADLINE_EXCEEDED'
          throw explained
        }
      },
      signal,
    )
  }

  async #measure(line: Exchange, parameter: ParameterDescription): Promise<Measured> {
    const { goodWhile, query = '' } = parameter
    if (goodWhile !== undefined) {
      const answer = await line.ask(this.filled(goodWhile.query), ANY)
      if (!goodWhile.pattern.test(answer)) return { bad: `${goodWhile.otherwise ?? 'there is no value now'} (${goodWhile.query} is answered by ${answer})` }
    }
    return parseReply(parameter, await line.ask(this.filled(query), replyShape(parameter), parameter.timeoutMs))
  }

  /** What another parameter is now, as it stands on the wire. */
  async #present(line: Exchange, name: string): Promise<string> {
    const other = this.#parameter(name)
    const measured = await this.#measure(line, other)
    if ('bad' in measured) throw new HardwareFault(`${name} is needed beside it and is bad: ${measured.bad}`, 'NONE')
    const { minimum: _least, maximum: _most, ...format } = other
    return formatValue(format, measured.value)
  }

  async #readBack(line: Exchange, parameter: ParameterDescription, value: ParameterValue): Promise<ParameterValue> {
    if (parameter.query === undefined) return asSent(parameter, value)
    const measured = await this.#measure(line, parameter)
    if ('bad' in measured) throw new HardwareFault(`${parameter.name} was set to ${String(value)} and cannot be read back: ${measured.bad}`, 'DONE')
    if (!confirms(parameter, value, measured.value))
      throw new HardwareFault(`${parameter.name} was set to ${String(value)} and reads back ${String(measured.value)}`, 'DONE')
    return measured.value
  }
}

function confirms(parameter: ParameterDescription, given: ParameterValue, confirmed: ParameterValue): boolean {
  const { readBack } = parameter
  if (readBack.kind === 'accept') return true
  const sent = asSent(parameter, given)
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= (readBack.kind === 'tolerance' ? readBack.tolerance : SAME_WITHIN * Math.abs(a))
  if (typeof sent === 'number' && typeof confirmed === 'number') return near(sent, confirmed)
  if (Array.isArray(sent) && Array.isArray(confirmed)) return sent.length === confirmed.length && sent.every((item, at) => near(item, confirmed[at]))
  return sent === confirmed
}
