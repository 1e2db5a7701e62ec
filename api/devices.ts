import type { ConnectionState } from '../core/device.ts'
import { NotFound } from '../core/errors.ts'
import type { Context } from './context.ts'
import { localId } from './global-id.ts'
import type { Device } from './loaders.ts'
import type { Stations } from './stations/stations.ts'

/** As its station sees it; a device whose station is away is disconnected, whatever it was before. */
export function connectionOf(device: Pick<Device, 'id' | 'stationId'>, stations: Stations): ConnectionState {
  const mirror = stations.find(device.stationId)
  return mirror?.online === true ? (mirror.devices.get(device.id)?.connection ?? 'DISCONNECTED') : 'DISCONNECTED'
}

/** Why it is not connected, in the station's words; undefined where there is nothing to say. */
export function connectionReasonOf(device: Pick<Device, 'id' | 'stationId'>, stations: Stations): string | undefined {
  const mirror = stations.find(device.stationId)
  return mirror?.online === true ? mirror.devices.get(device.id)?.connectionReason : 'its station is away'
}

/** The registered device with that global id. Throws NotFound, also for one that is removed. */
export async function deviceByGlobalId(id: string, context: Pick<Context, 'load'>): Promise<Device> {
  const device = await context.load.device.load(localId('Device', id))
  if (device === undefined || device.removedAt !== null) throw new NotFound(`device with the id ${id}`)
  return device
}
