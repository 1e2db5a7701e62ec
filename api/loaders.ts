import DataLoader from 'dataloader'
import type { PrismaClient } from '../prisma/client.ts'
import type { Dataset, Device, Export, Job, Note, Parameter, Port, Preset, Run, Session, Station } from '../prisma/generated/client.ts'
import type { Services } from './context.ts'
import type { KnownDevices } from './known-devices.ts'

export type {
  ApiKey,
  Dataset,
  Device,
  Event,
  Export,
  Job,
  Note,
  Parameter,
  ParameterChange,
  Port,
  Preset,
  Run,
  Session,
  Station,
} from '../prisma/generated/client.ts'
export type RunDeviceRow = { readonly role: string; readonly device: Device }

/** Rows by key, gathered per tick into one statement; one set for each operation, so nothing stale outlives it. */
export type Loaders = {
  readonly station: DataLoader<string, Station | undefined>
  readonly port: DataLoader<string, Port | undefined>
  readonly device: DataLoader<string, Device | undefined>
  readonly session: DataLoader<string, Session | undefined>
  readonly run: DataLoader<string, Run | undefined>
  readonly dataset: DataLoader<string, Dataset | undefined>
  readonly job: DataLoader<string, Job | undefined>
  readonly note: DataLoader<string, Note | undefined>
  readonly preset: DataLoader<string, Preset | undefined>
  /** By its integer key, as text. */
  readonly parameter: DataLoader<string, (Parameter & { readonly device: Pick<Device, 'id' | 'stationId'> }) | undefined>
  readonly portsOfStation: DataLoader<string, Port[]>
  readonly devicesOfPort: DataLoader<string, Device[]>
  readonly parametersOfDevice: DataLoader<string, Parameter[]>
  readonly devicesOfRun: DataLoader<string, RunDeviceRow[]>
  readonly devicesOfSession: DataLoader<string, Device[]>
  readonly datasetsOfRun: DataLoader<string, Dataset[]>
  readonly notesOfSession: DataLoader<string, Note[]>
  readonly runOfJob: DataLoader<string, Run | undefined>
  readonly exportOfJob: DataLoader<string, Export | undefined>
}

export function createLoaders({ database: { prisma }, knownDevices }: Pick<Services, 'database' | 'knownDevices'>): Loaders {
  const among = (ids: readonly string[]): { id: { in: string[] } } => ({ id: { in: [...ids] } })
  return {
    station: one(
      (ids) => prisma.station.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    port: one(
      (ids) => prisma.port.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    device: knownOrRead(knownDevices, prisma),
    session: one(
      (ids) => prisma.session.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    run: one(
      (ids) => prisma.run.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    dataset: one(
      (ids) => prisma.dataset.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    job: one(
      (ids) => prisma.job.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    note: one(
      (ids) => prisma.note.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    preset: one(
      (ids) => prisma.preset.findMany({ where: among(ids) }),
      ({ id }) => id,
    ),
    parameter: one(
      (keys) => prisma.parameter.findMany({ where: { key: { in: keys.map(Number) } }, include: { device: { select: { id: true, stationId: true } } } }),
      ({ key }) => String(key),
    ),
    portsOfStation: many(
      (ids) => prisma.port.findMany({ where: { stationId: { in: [...ids] } }, orderBy: { address: 'asc' } }),
      ({ stationId }) => stationId,
    ),
    devicesOfPort: many(
      (ids) => prisma.device.findMany({ where: { portId: { in: [...ids] }, removedAt: null }, orderBy: { name: 'asc' } }),
      ({ portId }) => portId,
    ),
    parametersOfDevice: many(
      (ids) => prisma.parameter.findMany({ where: { deviceId: { in: [...ids] } }, orderBy: { key: 'asc' } }),
      ({ deviceId }) => deviceId,
    ),
    devicesOfRun: many(
      (ids) => prisma.runDevice.findMany({ where: { runId: { in: [...ids] } }, include: { device: true }, orderBy: { role: 'asc' } }),
      ({ runId }) => runId,
    ),
    devicesOfSession: devicesOfSession(prisma),
    datasetsOfRun: many(
      (ids) => prisma.dataset.findMany({ where: { runId: { in: [...ids] } }, orderBy: { createdAt: 'asc' } }),
      ({ runId }) => runId ?? '',
    ),
    notesOfSession: many(
      (ids) => prisma.note.findMany({ where: { sessionId: { in: [...ids] } }, orderBy: { time: 'asc' } }),
      ({ sessionId }) => sessionId ?? '',
    ),
    runOfJob: one(
      (ids) => prisma.run.findMany({ where: { jobId: { in: [...ids] } } }),
      ({ jobId }) => jobId ?? '',
    ),
    exportOfJob: one(
      (ids) => prisma.export.findMany({ where: { jobId: { in: [...ids] } } }),
      ({ jobId }) => jobId,
    ),
  }
}

function one<Row>(find: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string): DataLoader<string, Row | undefined> {
  return new DataLoader(async (keys) => {
    const byKey = new Map((await find(keys)).map((row) => [keyOf(row), row]))
    return keys.map((key) => byKey.get(key))
  })
}

function many<Row>(find: (keys: readonly string[]) => Promise<Row[]>, keyOf: (row: Row) => string): DataLoader<string, Row[]> {
  return new DataLoader(async (keys) => {
    const byKey = new Map<string, Row[]>(keys.map((key) => [key, []]))
    for (const row of await find(keys)) byKey.get(keyOf(row))?.push(row)
    return keys.map((key) => byKey.get(key) ?? [])
  })
}

function knownOrRead(known: KnownDevices, prisma: PrismaClient): DataLoader<string, Device | undefined> {
  return new DataLoader(async (ids) => {
    const missing = ids.filter((id) => known.find(id) === undefined)
    const read = missing.length === 0 ? [] : await prisma.device.findMany({ where: { id: { in: missing } } })
    return ids.map((id) => known.find(id) ?? read.find((row) => row.id === id))
  })
}

/** Every device that some run of the session used, once. */
function devicesOfSession(prisma: PrismaClient): DataLoader<string, Device[]> {
  return new DataLoader(async (ids) => {
    const used = await prisma.runDevice.findMany({
      where: { run: { sessionId: { in: [...ids] } } },
      include: { device: true, run: { select: { sessionId: true } } },
    })
    return ids.map((id) =>
      [...new Map(used.filter(({ run }) => run.sessionId === id).map(({ device }) => [device.id, device])).values()].sort((a, b) =>
        a.name.localeCompare(b.name),
      ),
    )
  })
}
