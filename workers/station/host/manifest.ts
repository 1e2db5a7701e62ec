import type { Manifest, ManifestEntry } from '../../../core/dataset.ts'
import type { Reading } from '../../../core/reading.ts'
import type { WallNs } from '../../../core/time.ts'
import { VERSION } from '../../../core/version.ts'
import type { StationDevice } from './station-device.ts'

/** Every parameter as it is known at this moment (what is only written: as it was asked for), with the software that knows it. */
export function takeManifest(devices: Iterable<StationDevice>, takenAt: WallNs, commit: string): Manifest {
  const parameters: ManifestEntry[] = []
  const drivers: Record<string, string> = {}
  for (const { record, driver, table } of devices) {
    if (driver !== undefined) drivers[driver.id] = driver.version
    for (const { spec, reading: measured, setpoint } of table.states()) {
      const reading: Reading = measured ?? setpoint ?? { time: takenAt, quality: 'BAD', reason: 'it was never read' }
      parameters.push({ deviceId: record.id, deviceName: record.name, parameter: spec.name, ...(spec.unit !== undefined && { unit: spec.unit }), reading })
    }
  }
  return { takenAt, parameters, software: { version: VERSION, commit, drivers, node: process.version } }
}
