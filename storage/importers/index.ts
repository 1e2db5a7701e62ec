import { InvalidValue } from '../../core/errors.ts'
import { driftAppCalibration } from './driftapp-calibration.ts'
import { driftAppSession } from './driftapp-session.ts'
import type { Importer } from './importer.ts'
import { rustDaqHardware } from './rust-daq-hardware.ts'
import { smartSawDatabase } from './smart-saw-database.ts'

/** Every format that can be imported; a test compares this list with the names of core/import.ts. */
export const IMPORTERS: readonly Importer[] = [rustDaqHardware, driftAppCalibration, driftAppSession, smartSawDatabase]

/** Throws InvalidValue with what there is. */
export function importerNamed(id: string): Importer {
  const importer = IMPORTERS.find((candidate) => candidate.id === id)
  if (importer === undefined)
    throw new InvalidValue(`format: ${JSON.stringify(id)} is not one of ${IMPORTERS.map((known) => known.id).join(', ')}`, ['input', 'format'])
  return importer
}
