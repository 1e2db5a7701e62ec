import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Manifest } from '../../../../core/dataset.ts'
import { isCategory, keyOf, unpackState } from '../../../../core/hardware-state.ts'
import type { JournalEntry } from '../../../../core/journal.ts'
import type { Reading } from '../../../../core/reading.ts'
import { type Database, openDatabase } from '../../../../prisma/client.ts'
import { openJournal } from '../../../../workers/station/journal/journal.ts'
import { startShipper } from '../../../../workers/station/journal/shipper.ts'
import { startTestDatabase, type TestDatabase } from '../../../harness/database.ts'
import { insertRun, insertStation, type StationRows } from './station-rows.ts'

const TIME = 1_763_632_800_123_456_789n
const good = (value: number | string): Reading => ({ time: TIME - 5n, quality: 'GOOD', value })

let server: TestDatabase
let database: Database
let rows: StationRows
beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
  rows = await insertStation(database)
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server.stop()
})

async function ship(...entries: readonly JournalEntry[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kymograph-states-'))
  const { journalSequence } = await database.prisma.station.findUniqueOrThrow({ where: { id: rows.stationId } })
  try {
    await using journal = await openJournal(folder, { log: () => undefined, firstSequence: Number(journalSequence) + 1 })
    for (const entry of entries) journal.append(entry) // all at once: what an outage leaves to be shipped
    await using shipper = startShipper({ journal, database, stationId: rows.stationId, log: () => undefined })
    await shipper.caughtUp(AbortSignal.timeout(30_000))
  } finally {
    await rm(folder, { recursive: true })
  }
}

function manifest(values: Readonly<Record<string, Reading>>): Manifest {
  return {
    takenAt: TIME,
    software: { version: '0', commit: 'c', drivers: {}, node: 'v20' },
    parameters: Object.entries(values).map(([parameter, reading]) => ({ deviceId: rows.deviceId, deviceName: 'd', parameter, reading })),
  }
}
const specs: JournalEntry = {
  type: 'parameters',
  time: TIME,
  get deviceId() {
    return rows.deviceId
  },
  specs: [
    { name: 'wavelength', description: '', kind: 'FLOAT', access: 'READ_WRITE', unit: 'nm', minimum: 400, maximum: 1100 },
    { name: 'range', description: '', kind: 'ENUM', access: 'READ_WRITE' },
    { name: 'dead', description: '', kind: 'FLOAT', access: 'READ_ONLY' },
    { name: 'late', description: '', kind: 'FLOAT', access: 'READ_ONLY', deadband: 0.5 },
  ],
}
const started = (runId: string, lab: Manifest): JournalEntry => ({ type: 'run', time: TIME, runId, fence: 1, state: 'RUNNING', points: 0, manifest: lab })
const progress = (runId: string, points: number): JournalEntry => ({ type: 'run', time: TIME + 60_000_000_000n, runId, fence: 1, state: 'RUNNING', points })

async function claimedRun(): Promise<string> {
  const runId = await insertRun(database, rows)
  await database.prisma.run.update({ where: { id: runId }, data: { fence: 1, state: 'PREPARING' } })
  return runId
}

it("the lab's state at the start of a run is stored with its vector, also when much of the run is shipped at once", async () => {
  const runId = await claimedRun()
  const lab = manifest({ wavelength: good(800), range: good('auto'), dead: { time: TIME, quality: 'STALE', value: 3 } })
  await ship(specs, started(runId, lab), progress(runId, 3), progress(runId, 7))

  const run = await database.prisma.run.findUniqueOrThrow({ where: { id: runId }, include: { hardwareState: true } })
  expect(run).toMatchObject({ state: 'RUNNING', points: 7, startedAt: new Date(Number(TIME / 1_000_000n)), manifest: { software: { commit: 'c' } } })
  expect(run.hardwareState?.time).toBe(TIME)
  const keys = new Map((await database.prisma.parameter.findMany({ where: { deviceId: rows.deviceId } })).map(({ name, key }) => [name, key]))
  const { words, values } = unpackState(run.hardwareState?.entries ?? new Uint8Array())
  const stored = new Map([...words].map((word, at) => [keyOf(word), { category: isCategory(word), value: values[at] }]))
  expect(stored.size).toBe(2)
  expect(stored.get(keys.get('wavelength') ?? 0)).toEqual({ category: false, value: 800 })
  expect(stored.get(keys.get('range') ?? 0)).toMatchObject({ category: true })

  const vectors = await database.pool.query<{ mask: string; generation: number }>(
    'SELECT "generation", "mask"::text AS "mask" FROM "state_vector" WHERE "runId" = $1',
    [runId],
  )
  expect(vectors.rows).toMatchObject([{ generation: 1, mask: expect.stringMatching(/^110{510}$/) }])
  const scales = await database.prisma.stateScale.findMany({ orderBy: { slot: 'asc' } })
  expect(scales.map(({ slot }) => slot)).toEqual([0, 1])
  expect(scales.find(({ parameterKey }) => parameterKey === keys.get('wavelength'))).toMatchObject({ center: 800, spread: 7 })
})

it('a parameter that comes later takes the next place, and an entry that is shipped twice changes nothing', async () => {
  const runId = await claimedRun()
  const lab = manifest({ wavelength: good(800), late: good(1) })
  await ship(started(runId, lab), started(runId, lab))
  const { rows: found } = await database.pool.query<{ distance: number; mask: string }>(
    `SELECT ("vector" <-> (SELECT "vector" FROM "state_vector" WHERE "runId" <> $1)) AS "distance", "mask"::text AS "mask" FROM "state_vector" WHERE "runId" = $1`,
    [runId],
  )
  expect(found).toHaveLength(1)
  expect(found[0]?.mask).toMatch(/^(101|011)0{509}$/)
  expect(await database.prisma.hardwareState.count()).toBe(2)
})
