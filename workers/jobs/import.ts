import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Conflict } from '../../core/errors.ts'
import { type ImportPayload, importJob } from '../../core/job.ts'
import type { DatasetRecord } from '../../core/journal.ts'
import { wallNsFromMs } from '../../core/time.ts'
import { DRIVERS } from '../../drivers/catalog.ts'
import { syncFolder } from '../../storage/durable.ts'
import type { Imported, ImportedEvent, ImportedSession } from '../../storage/importers/importer.ts'
import { importerNamed } from '../../storage/importers/index.ts'
import { type CheckedDevice, checkDevice, describeDevice } from '../imports/devices.ts'
import { IMPORTS_FOLDER, PARTIAL_IMPORTS } from '../imports/folders.ts'
import { idOf } from '../imports/identity.ts'
import { addDataset, addDevice, addEvents, addSessions, type NewSession, newSessions, refuseTaken, stationOf } from '../imports/rows.ts'
import { contentHash, refuseFullDisk, sourceFile } from '../imports/source-file.ts'
import { writeTable } from '../imports/table.ts'
import { defineJob, type JobContext, type JobOutcome } from './job.ts'

type Written = { readonly record: DatasetRecord; readonly final: string; readonly events: readonly ImportedEvent[] }

/**
 * Takes over a file of another program. What it holds gets ids that follow from its content, so that the same file again adds nothing; nothing of it is
 * seen before all of it is whole.
 */
export const importFile = defineJob(importJob, async (payload, context) => {
  const { dataDir, jobId, attempt } = context
  const importer = importerNamed(payload.format)
  const source = await sourceFile(dataDir, payload.file)
  await refuseFullDisk(dataDir, source)
  const station = await stationOf(context.database, payload.options.station)
  const partial = path.join(dataDir, PARTIAL_IMPORTS, jobId)
  await rm(partial, { recursive: true, force: true }) // of an attempt whose worker died
  const scratch = path.join(partial, String(attempt))
  await mkdir(scratch, { recursive: true })
  try {
    context.progress(0, `reading ${payload.file}`)
    const content = await contentHash(source, context.signal)
    await using imported = await importer.read({ path: source, name: payload.file, scratch, timeZone: payload.options.timeZone })
    for (const note of imported.notes) context.log(note)
    const devices: CheckedDevice[] = []
    for (const proposed of imported.devices) devices.push(await refuseTaken(context.database.prisma, checkDevice(proposed, DRIVERS), station.id))
    for (const line of devices.flatMap(describeDevice)) context.log(line)
    const requestedBy = await requesterOf(context)
    const written = await writeTables(imported, payload, content, scratch, context)
    if ((await contentHash(source, context.signal)) !== content) {
      await removeAll(written)
      throw new Conflict(`${payload.file} was changed while it was read; import it when its program rests, or a copy of it`)
    }
    // A file's sessions have no place of their own in a session that a person named.
    const told = payload.sessionId === undefined ? imported.sessions.map((session) => withId(session, payload.format, content)) : []
    const sessions = await newSessions(context.database, told)
    return outcome({ imported, devices, written, sessions, payload, stationId: station.id, requestedBy }, context)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
})

async function requesterOf({ database, jobId }: JobContext): Promise<string> {
  const row = await database.prisma.job.findUnique({ where: { id: jobId }, select: { requestedBy: true } })
  return row?.requestedBy ?? 'import'
}

/** Those that are not there yet, in their final folders. */
async function writeTables(imported: Imported, payload: ImportPayload, content: string, scratch: string, context: JobContext): Promise<readonly Written[]> {
  const { jobId, dataDir, database, signal, progress, log } = context
  const now = wallNsFromMs(Date.now())
  const total = Math.max(
    1,
    imported.tables.reduce((sum, { expectedRows }) => sum + expectedRows, 0),
  )
  const written: Written[] = []
  let before = 0
  try {
    for (const table of imported.tables) {
      const id = datasetId(payload.format, content, table.name)
      const there = await database.prisma.dataset.findUnique({ where: { id }, select: { name: true } })
      if (there !== null) {
        log(`${table.name} is there already, as ${there.name}`)
        continue
      }
      const partial = path.join(scratch, id)
      const record = await writeTable(table, {
        id,
        name: imported.tables.length === 1 ? payload.name : `${payload.name}: ${table.name}`,
        sessionId: payload.sessionId ?? (table.sessionKey === undefined ? undefined : sessionId(payload.format, table.sessionKey)),
        partial,
        folder: path.join(IMPORTS_FOLDER, jobId, id),
        units: payload.units,
        now,
        signal,
        progress: (rows) => progress((before + rows) / total, `${table.name}: ${rows} rows`),
      })
      signal.throwIfAborted()
      const final = path.join(dataDir, record.folder)
      await rm(final, { recursive: true, force: true }) // of an attempt that ended before its rows were written
      await mkdir(path.dirname(final), { recursive: true })
      await rename(partial, final)
      await syncFolder(path.dirname(final))
      written.push({ record, final, events: table.events ?? [] })
      log(`${table.name}: ${record.rows} rows`)
      before += table.expectedRows
    }
    return written
  } catch (error) {
    await removeAll(written)
    throw error
  }
}

type Found = {
  readonly imported: Imported
  readonly devices: readonly CheckedDevice[]
  readonly written: readonly Written[]
  readonly sessions: readonly NewSession[]
  readonly payload: ImportPayload
  readonly stationId: string
  readonly requestedBy: string
}

function outcome({ imported, devices, written, sessions, payload, stationId, requestedBy }: Found, { jobId }: JobContext): JobOutcome {
  const right = devices.filter((device) => 'address' in device)
  const rows = written.reduce((sum, { record }) => sum + record.rows, 0)
  const parts = [
    imported.tables.length > 0 && (written.length > 0 ? `${count(written.length, 'table')} with ${rows} rows` : 'no table that was not there already'),
    imported.sessions.length > 0 && count(sessions.length, 'new session'),
    devices.length > 0 &&
      (payload.options.register ? `${count(right.length, 'device')} to register` : `${count(right.length, 'device')} proposed (register=true registers them)`),
    devices.length > right.length && `${count(devices.length - right.length, 'device')} that cannot be registered`,
  ].filter((part) => part !== false)
  return {
    summary: parts.join(', ') || 'nothing to add; see the log',
    async commit(tx) {
      await addSessions(tx, sessions, requestedBy)
      for (const { record, final, events } of written)
        if (await addDataset(tx, record, stationId)) await addEvents(tx, events, requestedBy, jobId)
        else await rm(final, { recursive: true, force: true }) // another job was faster
      if (payload.options.register) for (const device of right) await addDevice(tx, device, stationId)
    },
    undo: () => removeAll(written),
  }
}

function sessionId(format: string, key: string): string {
  return idOf('session', format, key)
}

function datasetId(format: string, content: string, table: string): string {
  return idOf('dataset', format, content, table)
}

/** What was recorded in it is named by dataset and rows: one dataset holds the rows of many such sessions. */
function withId(session: ImportedSession, format: string, content: string): NewSession {
  const recorded = session.recorded?.map(({ table, ...rows }) => ({ datasetId: datasetId(format, content, table), table, ...rows }))
  return { ...session, id: sessionId(format, session.key), metadata: { ...session.metadata, ...(recorded !== undefined && { recorded }) } }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

async function removeAll(written: readonly Written[]): Promise<void> {
  for (const { final } of written) await rm(final, { recursive: true, force: true })
}
