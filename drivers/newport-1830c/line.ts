import { openSerial } from '../byte-transport.ts'
import { SerialLine } from '../serial-line.ts'
import { ask, TERMINATOR, WAVELENGTH } from './protocol.ts'

export const BAUD_RATE = 9600
const GAP_MS = 2 // its input buffer takes a command while it works on one

export async function openMeterLine(path: string, timeoutMs: number, signal: AbortSignal): Promise<SerialLine> {
  const transport = await openSerial({ path, baudRate: BAUD_RATE, flowControl: 'none' }, signal)
  return new SerialLine(transport, {
    sendTerminator: TERMINATOR,
    replyTerminator: TERMINATOR,
    timeoutMs,
    gapMs: GAP_MS,
    marker: { command: ask.wavelength, reply: WAVELENGTH },
  })
}
