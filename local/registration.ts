import { hostname } from 'node:os'
import type { Driver } from '../drivers/driver.ts'
import { CannotStart } from '../link/child.ts'
import { openDatabase } from '../prisma/client.ts'
import type { SimulatedDevice } from './lab/devices.ts'

/** On the very first start. A device that a person has removed later does not come back: its row is still there. Returns how many were registered. */
export async function registerSimulatedDevices(
  databaseUrl: string,
  stationName: string,
  devices: readonly SimulatedDevice[],
  driverOf: (id: string) => Pick<Driver, 'portKind' | 'locate'> | undefined,
): Promise<number> {
  await using database = openDatabase(databaseUrl, { onError: () => undefined, maxConnections: 1 }) // a broken connection fails the query that needs it
  const { prisma } = database
  const station = await prisma.station.upsert({ where: { name: stationName }, create: { name: stationName, host: hostname() }, update: {} })
  if ((await prisma.device.count()) > 0) return 0
  await prisma.$transaction(async (tx) => {
    for (const { name, label, driverId, settings } of devices) {
      const driver = driverOf(driverId)
      if (driver === undefined) throw new CannotStart(`the simulated device ${name} names the driver ${driverId}, which does not exist`)
      const { address, subAddress } = driver.locate(settings)
      const place = { stationId: station.id, address }
      const port = await tx.port.upsert({ where: { stationId_address: place }, create: { ...place, kind: driver.portKind }, update: {} })
      await tx.device.create({
        data: { name, label, driverId, stationId: station.id, portId: port.id, subAddress: subAddress ?? null, settings, simulated: true },
      })
    }
  })
  return devices.length
}
