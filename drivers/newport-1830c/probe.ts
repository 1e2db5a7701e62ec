import { Problem } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import type { DriverContext, Probed } from '../driver.ts'
import { openMeterLine } from './line.ts'
import { ask, DIGIT, POWER_REPLY, parsePower, parseStatus, parseWavelength, STATUS, WAVELENGTH } from './protocol.ts'
import { METER_UNITS, unitOf } from './units.ts'

const REPLY_MS = 220 // four questions within PROBE_WITHIN_MS; at 9600 baud an answer takes about 10 ms, a reading perhaps a tenth of a second

/** It has no identity: a wavelength in four digits, a unit, a status byte and a power that fits the unit make one. */
export async function probe(address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  const { path } = requireKind(await context.resolve(address), 'serial', address)
  await using line = await openMeterLine(path, REPLY_MS, signal)
  try {
    await line.interject('') // ends what another driver has asked before: its question may wait for a terminator of ours
    const wavelength = parseWavelength(await line.ask('read', ask.wavelength, WAVELENGTH, signal))
    const code = await line.ask('read', ask.units, DIGIT, signal)
    const status = parseStatus(await line.ask('read', ask.status, STATUS, signal))
    const power = await line.ask('read', ask.power, POWER_REPLY, signal)
    if (wavelength === undefined || status === undefined) return []
    // The two tables from 1 agree on watts, and to what is shown: where they differ, a person looks at the display.
    const table = code === '0' ? 'from-zero' : 'W-dBm-dB-REL'
    const unit = METER_UNITS.find((each) => each === unitOf(table, code))
    if (unit === undefined || ('bad' in parsePower(power, unit) && /\d/.test(power))) return []
    return [{ identity: `Newport 1830-C at ${wavelength} nm, showing ${unit}`, settings: { address, ...(code === '0' && { unitCodes: table }) } }]
  } catch (error) {
    if (error instanceof Problem) return [] // nothing of the kind was said
    throw error
  }
}
