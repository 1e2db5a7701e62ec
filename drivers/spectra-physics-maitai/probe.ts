import { Problem } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import { type DriverContext, PROBE_WITHIN_MS, type Probed } from '../driver.ts'
import { openLaserLine } from './port.ts'
import { ask, IDENTITY } from './protocol.ts'
import { LINKS } from './settings.ts'

const REPLY_MS = (PROBE_WITHIN_MS * 2) / 5 // for each of the two links

/** Asks for the identity on both links. A laser that takes its 2 to 3 s on the slow one is not found: it is registered by hand. */
export async function probe(address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  const { path } = requireKind(await context.resolve(address), 'serial', address)
  for (const link of [LINKS.usb, LINKS.rs232]) {
    await using line = await openLaserLine(path, link, signal, REPLY_MS)
    try {
      const identity = await line.ask('read', ask.identity, IDENTITY, signal)
      return [{ identity, settings: { address, link: link.name } }]
    } catch (error) {
      if (!(error instanceof Problem) || signal.aborted || line.lost.aborted) throw error
    }
  }
  return []
}
