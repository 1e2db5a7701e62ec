import type { DeviceSettings } from '../core/device.ts'
import { NotFound } from '../core/errors.ts'
import { DISCOVER_WITHIN_MS, type FoundPort } from '../link/protocol.ts'
import { need } from './actor.ts'
import type { Context } from './context.ts'
import { localId } from './global-id.ts'
import type { Device } from './loaders.ts'
import type { PortSource } from './refs.ts'

const LINK_MARGIN_MS = 2_000 // the station keeps the deadline; ours is for one that hangs

export type DiscoveredPort = {
  readonly port: PortSource
  readonly identity: string | undefined
  readonly address: string | undefined
  readonly driverId: string | undefined
  readonly settings: DeviceSettings
  readonly known: Device | undefined
}

/** Throws NotFound, StationOffline, DeadlineExceeded. */
export async function discoverDevices(stationGlobalId: string, context: Context): Promise<readonly DiscoveredPort[]> {
  need(context, 'ENGINEER')
  const stationId = localId('Station', stationGlobalId)
  if ((await context.load.station.load(stationId)) === undefined) throw new NotFound(`station with the id ${stationGlobalId}`)
  const { found } = await context.stations.get(stationId).call('discover', {}, DISCOVER_WITHIN_MS + LINK_MARGIN_MS)
  const rows = new Map((await context.load.portsOfStation.load(stationId)).map((row) => [row.address, row]))
  return await Promise.all(
    found.map(async (one) => {
      const known = one.deviceId === undefined ? undefined : await context.load.device.load(one.deviceId)
      const row = rows.get(one.address)
      return {
        port: row === undefined ? unregistered(stationId, one) : row,
        identity: one.identity,
        address: one.subAddress,
        driverId: one.driverId,
        settings: one.settings ?? {},
        known,
      }
    }),
  )
}

/** It has no row, and gets none before a device is registered on it. */
function unregistered(stationId: string, { address, path, portKind, serialNumber, vendor }: FoundPort): PortSource {
  return {
    id: `${stationId}/${address}`,
    stationId,
    address,
    kind: portKind,
    found: { path, ...(serialNumber !== undefined && { serialNumber }), ...(vendor !== undefined && { vendor }) },
  }
}
