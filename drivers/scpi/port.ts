import { EmergencyStopped, HardwareFault, Problem } from '../../core/errors.ts'
import type { DriverPort } from '../driver.ts'
import { Conversation, type Exchange } from './conversation.ts'
import type { Description } from './description.ts'
import type { MessageTransport } from './message-transport.ts'

/** An error that the instrument tells: its own code and words. */
type InstrumentError = { readonly code: string; readonly text: string }

const ANY = /^.*$/s

/** One instrument on its connection, shared by its channels. */
export class ScpiPort implements DriverPort {
  readonly address: string
  readonly conversation: Conversation
  readonly lost: AbortSignal
  readonly #description: Description

  constructor(address: string, transport: MessageTransport, description: Description) {
    const { timeoutMs, delays, identity } = description
    this.address = address
    this.conversation = new Conversation(transport, { timeoutMs, delays, marker: { command: identity.query, reply: identity.pattern } })
    this.lost = transport.lost
    this.#description = description
  }

  /**
   * What it says it is. A wrong identity is refused by name. `again`: asked once more if there is no answer, because the first question ends whatever
   * somebody before us left half said on the line.
   */
  async identify(signal: AbortSignal, again: boolean): Promise<string> {
    const { identity, vendor, model } = this.#description
    const ask = (): Promise<string> => this.conversation.exchange('command', (line) => line.ask(identity.query, ANY), signal)
    const answer = await ask().catch((error: unknown) => {
      if (!again || !(error instanceof Problem) || error.code !== 'DEADLINE_EXCEEDED') throw error
      return ask()
    })
    if (!identity.pattern.test(answer))
      throw new HardwareFault(`${this.address} answers ${JSON.stringify(answer.slice(0, 80))}, which is not a ${vendor} ${model}`, 'NONE')
    return answer
  }

  /**
   * Sends what sets something, waits until the instrument has done it, and throws the first error that it then tells.
   */
  async obey(line: Exchange, commands: readonly string[], withinMs?: number): Promise<void> {
    const { synchronise } = this.#description
    const shown = commands.join('; ')
    for (const command of commands) await line.send(command)
    if (synchronise !== undefined) {
      const deadlineMs = performance.now() + (withinMs ?? synchronise.withinMs)
      for (;;) {
        const leftMs = deadlineMs - performance.now()
        if (leftMs <= 0) throw new HardwareFault(`${shown} was not done within ${withinMs ?? synchronise.withinMs} ms (${synchronise.query})`, 'POSSIBLE')
        if (synchronise.until.test(await line.ask(synchronise.query, ANY, leftMs))) break
        await line.pause(synchronise.everyMs)
      }
    }
    await this.refuseErrors(line, shown)
  }

  async refuseErrors(line: Exchange, after: string): Promise<void> {
    const [error] = await this.errors(line)
    if (error === undefined) return
    const effect = refused(error.code) ? 'NONE' : 'POSSIBLE'
    throw new HardwareFault(`after ${after} the ${this.#description.model} reports ${error.code}: ${error.text}`, effect, { instrumentCode: error.code })
  }

  /** Empties the error queue. */
  async errors(line: Exchange): Promise<readonly InstrumentError[]> {
    const source = this.#description.errors
    if (source === undefined) return []
    if (source.kind === 'register') {
      const value = Number(await line.ask(source.query, /^[+-]?\d+$/))
      return [...source.bits].filter(([bit]) => (value & bit) !== 0).map(([bit, text]) => ({ code: String(bit), text }))
    }
    const errors: InstrumentError[] = []
    for (let count = 0; count < source.maximumReads; count += 1) {
      const entry = await line.ask(source.query, /\S/)
      if (source.none.test(entry)) break
      errors.push(errorOf(entry))
    }
    return errors
  }

  /**
   * After a question that was not answered: comes into step again and hears whether the instrument says why. The reason is added to the problem; an
   * instrument that stays silent adds nothing.
   */
  async explain(line: Exchange, problem: Problem): Promise<Problem> {
    if (problem.code !== 'DEADLINE_EXCEEDED' || this.lost.aborted) return problem
    try {
      await line.comeIntoStep()
      const [error] = await this.errors(line)
      if (error === undefined) return problem
      return new HardwareFault(`${problem.message}; the ${this.#description.model} reports ${error.code}: ${error.text}`, problem.effect, {
        instrumentCode: error.code,
      })
    } catch (error) {
      if (error instanceof Problem) return problem
      throw error
    }
  }

  async preempt(commands: readonly string[]): Promise<void> {
    await this.conversation.preempt(commands, new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.conversation[Symbol.asyncDispose]()
  }
}

/** `-222,"Data out of range; value set to upper limit"`. */
function errorOf(entry: string): InstrumentError {
  const match = /^\s*([+-]?\d+)\s*,?\s*"?(.*?)"?\s*$/s.exec(entry)
  return match === null ? { code: entry.slice(0, 40), text: entry } : { code: String(Number(match[1])), text: match[2] || 'no text' }
}

/**
 * SCPI-99, volume 2, 21.8: command errors (-100 to -199) and execution errors (-200 to -299) mean that the command was not carried out. Of a register's
 * bits (*ESR?, IEEE 488.2, 11.5.1.1) the same: 32 is a command error, 16 an execution error.
 */
function refused(code: string): boolean {
  const number = Number(code)
  return (number <= -100 && number > -300) || number === 32 || number === 16
}
