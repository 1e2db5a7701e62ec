import { type Manifest, type ManifestDevice, type ManifestEntry, UNKNOWN_VERSION } from '../../../core/dataset.ts'
import type { Reading } from '../../../core/reading.ts'
import type { WallNs } from '../../../core/time.ts'
import { VERSION } from '../../../core/version.ts'
import type { StationDevice } from './station-device.ts'

/** Every device and every parameter as it is known at this moment (what is only written: as it was asked for), with the software that knows it. */
export function takeManifest(devices: Iterable<StationDevice>, takenAt: WallNs, commit: string): Manifest {
  const known: ManifestDevice[] = []
  const parameters: ManifestEntry[] = []
  const drivers: Record<string, string> = {}
  for (const { record, driver, table, connection } of devices) {
    const { state, reason } = connection
    known.push({
      deviceId: record.id,
      deviceName: record.name,
      driverId: record.driverId,
      connection: state,
      ...(reason !== undefined && { connectionReason: reason }),
    })
    drivers[record.driverId] = driver?.version ?? UNKNOWN_VERSION
    for (const { spec, reading: measured, setpoint } of table.states()) {
      const reading: Reading = measured ?? setpoint ?? { time: takenAt, quality: 'BAD', reason: 'it was never read' }
      parameters.push({ deviceId: record.id, deviceName: record.name, parameter: spec.name, ...(spec.unit !== undefined && { unit: spec.unit }), reading })
    }
  }
  return { takenAt, devices: known, parameters, software: { version: VERSION, commit, drivers, node: process.version } }
}
