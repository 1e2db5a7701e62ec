import type { DeviceSettings } from '../../core/device.ts'
import { EmergencyStopped, HardwareFault } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import type { DriverContext, DriverPort } from '../driver.ts'
import { openSerial } from '../transport/byte-transport.ts'
import { type Exchange, type LineProtocol, SerialLine } from '../transport/serial-line.ts'
import * as protocol from './protocol.ts'
import { locate, type Settings } from './settings.ts'

export const GAP_MS = 10 // between commands, or the controller loses characters
const MAX_ERRORS_READ = 20 // twice the depth of its error queue

type Line = Pick<Settings, 'address' | 'baudRate' | 'flowControl' | 'replyTimeoutMs'>

/** One controller on its serial line, shared by its axes. */
export class ControllerPort implements DriverPort {
  readonly settings: Line
  readonly line: SerialLine
  readonly lost: AbortSignal
  /** Errors that were found while another axis was being served, or before an answer that did not come. */
  readonly #found = new Map<protocol.Axis, readonly protocol.ControllerError[]>()
  #unanswered = 0
  #stops = 0

  constructor(line: SerialLine, settings: Line) {
    this.line = line
    this.lost = line.lost
    this.settings = settings
  }

  static async open(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<ControllerPort> {
    const { address, baudRate, flowControl, replyTimeoutMs } = locate(settings)
    const { path } = requireKind(await context.resolve(address), 'serial', address)
    const transport = await openSerial({ path, baudRate, flowControl }, signal)
    return new ControllerPort(new SerialLine(transport, lineProtocol(replyTimeoutMs)), { address, baudRate, flowControl, replyTimeoutMs })
  }

  /**
   * Times that an answer of the error queue did not arrive. The controller tells an error once: whoever sees this grow cannot know from the queue alone
   * whether there was one.
   */
  get unanswered(): number {
    return this.#unanswered
  }

  /** Stops that concern every axis: a move that was asked for before one must not go out after it. */
  get stops(): number {
    return this.#stops
  }

  /** Throws the first error that concerns this axis, or the controller as a whole, since it was last asked. `expected`: codes that are no fault here. */
  async refuseErrors(line: Exchange, axis: protocol.Axis, after: string, motion: 'began' | 'ended' = 'began', expected: readonly number[] = []): Promise<void> {
    const error = (await this.#errorsOf(line, axis)).find(({ code }) => !expected.includes(code))
    if (error === undefined) return
    const effect = motion === 'ended' ? 'DONE' : error.refused ? 'NONE' : 'POSSIBLE'
    throw new HardwareFault(`after ${after} the ESP300 reports error ${error.code}: ${error.message}`, effect, { instrumentCode: String(error.code) })
  }

  /** Forgets the errors of before this connection; they were nobody's. */
  async clearErrors(axis: protocol.Axis, signal: AbortSignal): Promise<readonly number[]> {
    const errors = await this.line.exchange('command', (line) => this.#errorsOf(line, axis), signal, String(axis))
    return errors.map((error) => error.code)
  }

  /** What the controller says of this axis in its own words (TB?), the oldest first. */
  async describeErrors(line: Exchange, axis: protocol.Axis): Promise<readonly string[]> {
    const errors = await this.#drain(axis, async () => protocol.parseErrorText(await this.#asked(line, protocol.ask.errorText, protocol.ERROR_TEXT)))
    return errors.map((error) => `${error.code}: ${'text' in error ? error.text : error.message}`)
  }

  async abort(): Promise<void> {
    this.#stops += 1
    await this.line.preempt(protocol.command.abort, new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }))
  }

  /** Stops every axis with its own deceleration. */
  async stopAll(): Promise<void> {
    this.#stops += 1
    await this.line.interject(protocol.command.stopAll)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]()
  }

  async #errorsOf(line: Exchange, axis: protocol.Axis): Promise<readonly protocol.ControllerError[]> {
    return await this.#drain(axis, async () => protocol.parseError(await this.#asked(line, protocol.ask.error, protocol.ERROR_CODE)))
  }

  /** Empties the error queue; what concerns another axis is kept for it, and nothing that was read is lost when the next answer is. */
  async #drain<E extends protocol.ControllerError>(
    axis: protocol.Axis,
    next: () => Promise<E | 'none' | undefined>,
  ): Promise<readonly (protocol.ControllerError | E)[]> {
    for (let count = 0; count < MAX_ERRORS_READ; count += 1) {
      const error = await next()
      if (error === 'none' || error === undefined) break
      const whose = error.axis ?? axis
      this.#found.set(whose, [...(this.#found.get(whose) ?? []), error].slice(-MAX_ERRORS_READ))
    }
    const errors = this.#found.get(axis) ?? []
    this.#found.delete(axis)
    return errors
  }

  async #asked(line: Exchange, question: string, shape: RegExp): Promise<string> {
    try {
      return await line.ask(question, shape)
    } catch (error) {
      this.#unanswered += 1
      throw error
    }
  }
}

export function lineProtocol(timeoutMs: number): LineProtocol {
  return {
    sendTerminator: protocol.TERMINATOR,
    replyTerminator: protocol.REPLY_TERMINATOR,
    timeoutMs,
    gapMs: GAP_MS,
    marker: { command: protocol.ask.identity, reply: protocol.IDENTITY },
  }
}
