import { Conflict, NotFound } from '../../core/errors.ts'
import type { DatasetRecord } from '../../core/journal.ts'
import { dateFromWallNs } from '../../core/time.ts'
import type { Database, Prisma, Transaction } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import type { ImportedEvent, ImportedSession } from '../../storage/importers/importer.ts'
import type { CheckedDevice } from './devices.ts'

/** What an import adds to the catalogue. */

const ROWS_OF_A_STATEMENT = 1_000

/** The one named, or the only one. */
export async function stationOf({ prisma }: Database, name: string | undefined): Promise<{ readonly id: string; readonly name: string }> {
  const stations = await prisma.station.findMany({ select: { id: true, name: true }, ...(name !== undefined && { where: { name } }), take: 2 })
  const [station] = stations
  if (station === undefined) throw new NotFound(name === undefined ? 'station yet that an import could belong to' : `station ${name}`)
  if (stations.length > 1) throw new Conflict('there are several stations; say which one with ?station=<name> after the path')
  return station
}

export type NewSession = ImportedSession & { readonly id: string }

/** Those that are not there yet. */
export async function newSessions({ prisma }: Database, sessions: readonly NewSession[]): Promise<readonly NewSession[]> {
  const there = new Set<string>()
  for (let from = 0; from < sessions.length; from += ROWS_OF_A_STATEMENT) {
    const ids = sessions.slice(from, from + ROWS_OF_A_STATEMENT).map(({ id }) => id)
    for (const { id } of await prisma.session.findMany({ where: { id: { in: ids } }, select: { id: true } })) there.add(id)
  }
  return sessions.filter(({ id }) => !there.has(id))
}

export async function addSessions(tx: Transaction, sessions: readonly NewSession[], operator: string): Promise<void> {
  for (let from = 0; from < sessions.length; from += ROWS_OF_A_STATEMENT) {
    await tx.session.createMany({
      skipDuplicates: true,
      data: sessions.slice(from, from + ROWS_OF_A_STATEMENT).map(({ id, title, startedAt, endedAt, tags, metadata }) => ({
        id,
        title,
        operator,
        startedAt: dateFromWallNs(startedAt),
        endedAt: dateFromWallNs(endedAt ?? startedAt), // nobody will end it here
        state: 'CLOSED',
        tags: [...tags],
        metadata: metadata as Prisma.InputJsonObject,
      })),
    })
  }
}

/** false: it is there already. */
export async function addDataset(tx: Transaction, record: DatasetRecord, stationId: string): Promise<boolean> {
  const { count } = await tx.dataset.createMany({
    skipDuplicates: true,
    data: [
      {
        ...record,
        stationId,
        axes: [...record.axes],
        signals: [...record.signals],
        shape: [...record.shape],
        createdAt: dateFromWallNs(record.createdAt),
        completedAt: dateFromWallNs(record.completedAt ?? record.createdAt),
        rows: BigInt(record.rows),
        bytes: BigInt(record.bytes),
        dropped: 0n,
        columns: record.columns as unknown as Prisma.InputJsonArray,
        files: record.files as unknown as Prisma.InputJsonArray,
      },
    ],
  })
  return count > 0
}

export async function addEvents(tx: Transaction, events: readonly ImportedEvent[], actor: string, jobId: string): Promise<void> {
  const cause = { kind: 'PERSON' as const, actor, jobId }
  for (let from = 0; from < events.length; from += ROWS_OF_A_STATEMENT)
    await appendEvents(
      tx,
      events.slice(from, from + ROWS_OF_A_STATEMENT).map(({ time, summary, data }) => ({ time, kind: 'ALARM' as const, summary, data, cause })),
    )
}

/** A device whose name or place is another one's already cannot be registered. */
export async function refuseTaken(db: Pick<Transaction, 'device'>, device: CheckedDevice, stationId: string): Promise<CheckedDevice> {
  if ('problem' in device) return device
  const { proposed, address, subAddress } = device
  const namesake = await db.device.findFirst({ where: { name: proposed.name, removedAt: null } })
  if (namesake !== null) return { proposed, problem: `there is already a device named ${proposed.name}` }
  const place = await db.device.findFirst({ where: { port: { stationId, address }, subAddress: subAddress ?? null, removedAt: null } })
  if (place === null) return device
  return { proposed, problem: `${place.name} is already registered at ${address}${subAddress === undefined ? '' : ` ${subAddress}`}` }
}

/** Registers it, unless somebody else has taken its name or its place meanwhile. */
export async function addDevice(tx: Transaction, device: CheckedDevice, stationId: string): Promise<void> {
  const checked = await refuseTaken(tx, device, stationId)
  if ('problem' in checked) return
  const { address, portKind, simulated, subAddress, proposed } = checked
  const port = await tx.port.upsert({
    where: { stationId_address: { stationId, address } },
    create: { stationId, address, kind: portKind },
    update: {},
  })
  await tx.device.create({
    data: {
      name: proposed.name,
      driverId: proposed.driverId,
      stationId,
      portId: port.id,
      settings: proposed.settings as Prisma.InputJsonObject,
      simulated,
      ...(proposed.label !== undefined && { label: proposed.label }),
      ...(subAddress !== undefined && { subAddress }),
    },
  })
}
