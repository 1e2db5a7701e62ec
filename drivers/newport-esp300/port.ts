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
    )
  }

  /** Empties the error queue; throws the first error that concerns this axis or the controller as a whole. */
  async refuseErrors(line: Exchange, axis: protocol.Axis, after: string): Promise<void> {
    let first: protocol.ControllerError | undefined
    for (let count = 0; count < MAX_ERRORS_READ; count += 1) {
      const error = protocol.parseError(await line.ask(protocol.ask.error, protocol.ERROR_CODE))
      if (error === 'none' || error === undefined) break
      if (error.axis === undefined || error.axis === axis) first ??= error
      else this.#found.set(error.axis, error)
    }
    first ??= this.#found.get(axis)
    this.#found.delete(axis)
    if (first !== undefined)
      throw new HardwareFault(`after ${after} the ESP300 reports error ${first.code}: ${first.message}`, 'NONE', { instrumentCode: String(first.code) })
  }

  /** Forgets errors of before this connection; they were nobody's. */
  async clearErrors(signal: AbortSignal): Promise<readonly number[]> {
    return await this.line.exchange(
      'command',
      async (line) => {
        const codes: number[] = []
        while (codes.length < MAX_ERRORS_READ) {
          const error = protocol.parseError(await line.ask(protocol.ask.error, protocol.ERROR_CODE))
          if (error === 'none' || error === undefined) break
          codes.push(error.code)
        }
        return codes
      },
      signal,
    )
  }

  async abort(): Promise<void> {
    await this.line.preempt(protocol.command.abort, new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]()
  }
}
