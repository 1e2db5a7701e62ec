import { uuidv7 } from '../../../../core/id.ts'
import type { Database } from '../../../../prisma/client.ts'

export type StationRows = { readonly stationId: string; readonly deviceId: string; readonly sessionId: string }

/** The rows that a station's entries refer to. */
export async function insertStation({ prisma }: Pick<Database, 'prisma'>): Promise<StationRows> {
  const station = await prisma.station.create({ data: { id: uuidv7(), name: `station-${uuidv7()}`, host: 'here' } })
  const port = await prisma.port.create({ data: { stationId: station.id, address: 'sim://port', kind: 'SERIAL' } })
  const device = await prisma.device.create({
    data: { name: `device-${uuidv7()}`, driverId: 'd', stationId: station.id, portId: port.id, settings: {}, simulated: true },
  })
  const session = await prisma.session.create({ data: { title: 'a day', operator: 'ana' } })
  return { stationId: station.id, deviceId: device.id, sessionId: session.id }
}

/** A run of that station, as the api leaves it. */
export async function insertRun(
  { prisma }: Pick<Database, 'prisma'>,
  { stationId, sessionId }: StationRows,
  plan: object = {},
  more: { readonly startBefore?: Date } = {},
): Promise<string> {
  const id = uuidv7()
  const job = await prisma.job.create({ data: { queue: `station-${stationId}`, name: 'acquisition', requestedBy: 'ana', payload: { runId: id } } })
  await prisma.run.create({ data: { id, sessionId, stationId, plan, planType: 'count', summary: 'a run', actor: 'ana', jobId: job.id, ...more } })
  return id
}
