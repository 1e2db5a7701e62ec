import { openSerial } from '../transport/byte-transport.ts'
import { type LineProtocol, SerialLine } from '../transport/serial-line.ts'
import { AFTER_SET_MS, ask, TERMINATOR, WAVELENGTH } from './protocol.ts'

export const BAUD_RATE = 9600

export async function openMeterLine(path: string, timeoutMs: number, signal: AbortSignal): Promise<SerialLine> {
  return new SerialLine(await openSerial({ path, baudRate: BAUD_RATE, flowControl: 'none' }, signal), lineProtocol(timeoutMs))
}

export function lineProtocol(timeoutMs: number): LineProtocol {
  return {
    sendTerminator: TERMINATOR,
    replyTerminator: TERMINATOR,
    timeoutMs,
    gapMs: AFTER_SET_MS,
    marker: { command: ask.wavelength, reply: WAVELENGTH },
  }
}
