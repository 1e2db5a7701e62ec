import { DeviceOffline, Problem } from '../../../core/errors.ts'
import type { HostedDevice } from '../host/hosted-device.ts'

/** What a driver's call gives. A line that is lost knows its port only; a run that ends of it must say which device it was. */
export async function ofDevice<Result>({ record: { id, name } }: Pick<HostedDevice, 'record'>, call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'DEVICE_OFFLINE' || error.facts.deviceId !== undefined) throw error
    throw new DeviceOffline(`${name} was lost: ${error.message}`, { ...error.facts, deviceId: id })
  }
}
