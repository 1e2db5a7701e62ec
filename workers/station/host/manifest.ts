import type { Manifest, ManifestEntry } from '../../../core/dataset.ts'
import type { WallNs } from '../../../core/time.ts'
import { VERSION } from '../../../core/version.ts'
import type { StationDevice } from './station-device.ts'

/** Every parameter as it is known at this moment, with the software that knows it. */
export function takeManifest(devices: Iterable<StationDevice>, takenAt: WallNs, commit: string): Manifest {
  const parameters: ManifestEntry[] = []
  const drivers: Record<string, string> = {}
  for (const { record, driver, table } of devices) {
    if (driver !== undefined) drivers[driver.id] = driver.version
    for (const { spec, reading } of table.states()) {
      if (reading === undefined) continue
      parameters.push({ deviceId: record.id, deviceName: record.name, parameter: spec.name, ...(spec.unit !== undefined && { unit: spec.unit }), reading })
    }
  }
  return { takenAt, parameters, software: { version: VERSION, commit, drivers, node: process.version } }
}
