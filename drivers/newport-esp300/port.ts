import type { DeviceSettings } from '../../core/device.ts'
import { EmergencyStopped, HardwareFault } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import { openSerial } from '../byte-transport.ts'
import type { DriverContext, DriverPort } from '../driver.ts'
import type { Lane } from '../exchange-queue.ts'
import { type Exchange, SerialLine } from '../serial-line.ts'
import * as protocol from './protocol.ts'
import { locate } from './settings.ts'

const REPLY_TIMEOUT_MS = 5000 // the controller may be busy with a stage's tables; measured replies come within tens of milliseconds
const GAP_MS = 10 // between commands, or the controller loses characters
const MAX_ERRORS_READ = 20 // twice the depth of its error queue

/** One controller on its serial line, shared by its axes. */
export class ControllerPort implements DriverPort {
  readonly address: string
  readonly baudRate: number
  readonly flowControl: string
  readonly line: SerialLine
  readonly lost: AbortSignal
  /** Errors of an axis that were found while another axis was being served. */
  readonly #found = new Map<protocol.Axis, protocol.ControllerError>()

  constructor(line: SerialLine, settings: { readonly address: string; readonly baudRate: number; readonly flowControl: string }) {
    this.line = line
    this.lost = line.lost
    this.address = settings.address
    this.baudRate = settings.baudRate
    this.flowControl = settings.flowControl
  }

  static async open(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<ControllerPort> {
    const { address, baudRate, flowControl } = locate(settings)
    const { path } = requireKind(await context.resolve(address), 'serial', address)
    const transport = await openSerial({ path, baudRate, flowControl }, signal)
    const line = new SerialLine(transport, {
      sendTerminator: protocol.TERMINATOR,
      replyTerminator: protocol.REPLY_TERMINATOR,
      timeoutMs: REPLY_TIMEOUT_MS,
      gapMs: GAP_MS,
      marker: { command: protocol.ask.identity, reply: protocol.IDENTITY },
    })
    return new ControllerPort(line, { address, baudRate, flowControl })
  }

  /** A command, the error queue, and what `confirm` asks, as one unit that no other axis can break into. */
  command<T>(axis: protocol.Axis, lane: Lane, text: string, confirm: (line: Exchange) => Promise<T>, allowed: () => void, signal: AbortSignal): Promise<T> {
    return this.line.exchange(
      lane,
      async (line) => {
        allowed()
        await line.send(text)
        await this.refuseErrors(line, axis, text)
        return await confirm(line)
      },
      signal,
      String(axis),
    )
  }

  /** Throws the first error that concerns this axis, or the controller as a whole, since it was last asked. */
  async refuseErrors(line: Exchange, axis: protocol.Axis, after: string, motion: 'began' | 'ended' = 'began'): Promise<void> {
    const [error] = await this.#errorsOf(line, axis)
    if (error === undefined) return
    const effect = motion === 'ended' ? 'DONE' : error.refused ? 'NONE' : 'POSSIBLE'
    throw new HardwareFault(`after ${after} the ESP300 reports error ${error.code}: ${error.message}`, effect, { instrumentCode: String(error.code) })
  }

  /** Forgets the errors of before this connection; they were nobody's. */
  async clearErrors(axis: protocol.Axis, signal: AbortSignal): Promise<readonly number[]> {
    const errors = await this.line.exchange('command', (line) => this.#errorsOf(line, axis), signal, String(axis))
    return errors.map((error) => error.code)
  }

  /** Empties the error queue; what concerns another axis is kept for it. */
  async #errorsOf(line: Exchange, axis: protocol.Axis): Promise<readonly protocol.ControllerError[]> {
    const errors: protocol.ControllerError[] = []
    const earlier = this.#found.get(axis)
    if (earlier !== undefined) errors.push(earlier)
    this.#found.delete(axis)
    for (let count = 0; count < MAX_ERRORS_READ; count += 1) {
      const error = protocol.parseError(await line.ask(protocol.ask.error, protocol.ERROR_CODE))
      if (error === 'none' || error === undefined) break
      if (error.axis === undefined || error.axis === axis) errors.push(error)
      else this.#found.set(error.axis, error)
    }
    return errors
  }

  async abort(): Promise<void> {
    await this.line.preempt(protocol.command.abort, new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]()
  }
}
