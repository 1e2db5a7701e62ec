import { hostname } from 'node:os'
import type { DeviceRecord } from '../../core/device.ts'
import { messageOf } from '../../core/errors.ts'
import { CannotStart } from '../../link/child.ts'
import type { Database } from '../../prisma/client.ts'
import { loadRegistry, type RegistryCopy, readDevices, saveRegistry } from './host/registry.ts'

export type StationIdentity = { readonly stationId: string; readonly epoch: number; readonly devices: readonly DeviceRecord[] }

/** Who this station is and what it is to have: from PostgreSQL, or, while that is away, from the copy of the last time. A new epoch begins. */
export async function identify(database: Database, stationName: string, registryFile: string, log: (line: string) => void): Promise<StationIdentity> {
  const copy = await loadRegistry(registryFile)
  let identity: RegistryCopy
  try {
    identity = await fromDatabase(database, stationName, copy)
  } catch (error) {
    const reason = messageOf(error)
    if (copy === undefined) throw new CannotStart(`the database does not answer, and station ${stationName} has never started here: ${reason}`)
    log(`the database is away (${reason}); going on with the devices of the last start`)
    identity = { ...copy, epoch: copy.epoch + 1 }
  }
  await saveRegistry(registryFile, identity)
  return identity
}

/** Epochs only grow, also over starts that the database has not seen. */
async function fromDatabase(database: Database, name: string, copy: RegistryCopy | undefined): Promise<RegistryCopy> {
  const { rows } = await database.pool.query<{ id: string; epoch: number }>(
    `INSERT INTO station (id, name, host, epoch) VALUES (gen_random_uuid(), $1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET epoch = GREATEST(station.epoch + 1, $3), host = $2
     RETURNING id, epoch`,
    [name, hostname(), (copy?.epoch ?? 0) + 1],
  )
  const [row] = rows
  if (row === undefined) throw new Error('the station row was not given back')
  return { stationId: row.id, epoch: row.epoch, devices: await readDevices(database, row.id) }
}
