import type { Logger } from 'pino'
import type { Database } from '../prisma/client.ts'
import type { Device } from './loaders.ts'
import type { RowChanges } from './row-changes.ts'

/**
 * The rows of all devices, read once and again when one changes. A command then needs no statement, and goes through while the database is away: the
 * station knows its devices anyway.
 */
export interface KnownDevices extends AsyncDisposable {
  find(id: string): Device | undefined
  /** What this api has just written; the change is told to it only a moment later. */
  put(row: Device): void
}

export async function openKnownDevices({ prisma }: Pick<Database, 'prisma'>, changes: RowChanges, log: Logger): Promise<KnownDevices> {
  const known = new Map<string, Device>()
  let reading = Promise.resolve()

  /** One after the other, so that no older row overtakes a newer one. Without an id: all. */
  const readAgain = (id: string | undefined): void => {
    reading = reading
      .then(async () => {
        for (const row of await prisma.device.findMany({ where: id === undefined ? {} : { id } })) known.set(row.id, row)
      })
      .catch((error: unknown) => log.warn({ error: String(error) }, 'the rows of the devices cannot be read for the moment')) // read again when the database is back
  }
  const unwatch = changes.watch('device', undefined, readAgain)
  readAgain(undefined)
  await reading
  return {
    find: (id) => known.get(id),
    put: (row) => void known.set(row.id, row),
    async [Symbol.asyncDispose]() {
      unwatch()
      await reading
    },
  }
}
