import { Problem } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import { type DriverContext, PROBE_WITHIN_MS, type Probed } from '../driver.ts'
import { openSerial } from '../transport/byte-transport.ts'
import { SerialLine } from '../transport/serial-line.ts'
import { lineProtocol } from './port.ts'
import { AXES, ask, IDENTITY, STAGE } from './protocol.ts'

const BAUD_RATE = 19_200
const REPLY_MS = PROBE_WITHIN_MS / 4 // two ways to open the line, and then three axes in the time that is left; answers come within tens of milliseconds

/** Asks for the version and for the stages. A pseudo-terminal has no modem lines; a real line is tried with them first, as the manual wants. */
export async function probe(address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  const resolved = await context.resolve(address)
  const { path } = requireKind(resolved, 'serial', address)
  for (const flowControl of resolved.simulated ? (['none'] as const) : (['hardware', 'none'] as const)) {
    const transport = await openSerial({ path, baudRate: BAUD_RATE, flowControl }, signal)
    await using line = new SerialLine(transport, lineProtocol(REPLY_MS))
    const identity = await heard(line.ask('read', ask.identity, IDENTITY, signal))
    if (identity === undefined) continue
    const found: Probed[] = []
    for (const axis of AXES) {
      const stage = await heard(line.ask('read', ask.stage(axis), STAGE, signal))
      if (stage !== undefined) found.push({ identity: `${identity}, axis ${axis}: ${stage}`, settings: { address, axis, flowControl } })
    }
    return found
  }
  return []
}

/** undefined: nothing of the kind was said. */
async function heard(reply: Promise<string>): Promise<string | undefined> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
