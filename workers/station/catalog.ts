import type { DeviceSettings } from '../../core/device.ts'
import { NotFound } from '../../core/errors.ts'
import type { DriverCatalog } from '../../drivers/catalog/driver-catalog.ts'
import type { Driver } from '../../drivers/driver.ts'
import type { DeviceLocation, DriverDescription } from '../../link/protocol.ts'

/** Every driver is one for the real instrument; a simulator is only another address of it. */
export function describeDriver({ id, vendor, model, version, settings, capabilities, documentation }: Driver): DriverDescription {
  return { id, vendor, model, version, settings, capabilities, simulated: false, ...(documentation !== undefined && { documentation }) }
}

/** Checks the settings by the driver's own rules and says which port they name. Throws NotFound or InvalidValue. */
export function locateDevice(catalog: DriverCatalog, driverId: string, settings: DeviceSettings): DeviceLocation {
  const driver = catalog.find(driverId)
  if (driver === undefined) throw new NotFound(`driver ${driverId}; this station has ${catalog.drivers.map(({ id }) => id).join(', ')}`)
  const { address, subAddress } = driver.locate(settings)
  return { address, ...(subAddress !== undefined && { subAddress }), portKind: driver.portKind, simulated: address.startsWith('sim://') }
}
