import type { DeviceSettings } from '../../core/device.ts'
import { EmergencyStopped } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import type { DriverContext, DriverPort } from '../driver.ts'
import { openSerial } from '../transport/byte-transport.ts'
import { SerialLine } from '../transport/serial-line.ts'
import { ask, command, IDENTITY, REPLY_TERMINATOR } from './protocol.ts'
import { type Link, locate } from './settings.ts'

const GAP_MS = 20 // after a command that is not answered

/** One laser on its line. */
export class LaserPort implements DriverPort {
  readonly address: string
  readonly link: Link
  readonly line: SerialLine
  readonly lost: AbortSignal

  constructor(address: string, link: Link, line: SerialLine) {
    this.address = address
    this.link = link
    this.line = line
    this.lost = line.lost
  }

  static async open(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<LaserPort> {
    const { address, link } = locate(settings)
    const { path } = requireKind(await context.resolve(address), 'serial', address)
    return new LaserPort(address, link, await openLaserLine(path, link, signal))
  }

  /** Shutter first, then emission, in one piece, before everything that waits. Both may be said again without harm. */
  async shutDown(): Promise<void> {
    const both = command.shutter(false) + this.link.terminator + command.emission(false)
    await this.line.preempt(both, new EmergencyStopped('overtaken by an emergency stop', { effect: 'POSSIBLE' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]()
  }
}

export async function openLaserLine(path: string, link: Link, signal: AbortSignal, timeoutMs = link.timeoutMs): Promise<SerialLine> {
  const transport = await openSerial({ path, baudRate: link.baudRate, flowControl: link.flowControl }, signal)
  return new SerialLine(transport, {
    sendTerminator: link.terminator,
    replyTerminator: REPLY_TERMINATOR,
    timeoutMs,
    gapMs: GAP_MS,
    // After an answer that did not come, half a command may lie in the laser: a bare end throws it away.
    marker: { command: link.terminator + ask.identity, reply: IDENTITY },
  })
}
