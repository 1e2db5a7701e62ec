import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../../api/log.ts'
import { watchLostStations } from '../../api/runs/lost-stations.ts'
import { type Database, openDatabase } from '../../prisma/client.ts'
import { startTestDatabase, type TestDatabase } from '../harness/database.ts'
import { until } from '../until.ts'
import { insertRun, insertStation, type StationRows } from '../workers/station/journal/station-rows.ts'

const PATIENCE = { lookEveryMs: 10, linkDownMs: 100, silentMs: 300_000 } // a beat that is fresh stays so however long a test takes
const LONG_AGO = new Date(Date.now() - 600_000)
const log = createLog('silent')

let server: TestDatabase
let database: Database
let rows: StationRows
beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server.stop()
})
beforeEach(async () => {
  rows = await insertStation(database)
})

async function runningRun(lastSeen: Date): Promise<string> {
  await database.prisma.station.update({ where: { id: rows.stationId }, data: { lastSeen } })
  const runId = await insertRun(database, rows)
  await database.prisma.run.update({ where: { id: runId }, data: { fence: 3, state: 'RUNNING', points: 7 } })
  return runId
}

const rowOf = (runId: string) => database.prisma.run.findUniqueOrThrow({ where: { id: runId }, include: { job: true } })

/** The register of stations of an api, as far as this concerns it. */
function linked(online: boolean): { looks: number; all(): { stationId: string; name: string; link: { online: boolean } }[] } {
  return {
    looks: 0,
    all() {
      this.looks += 1
      return [{ stationId: rows.stationId, name: 'bench', link: { online } }]
    },
  }
}

test('runs of a station that is silent and out of reach are INTERRUPTED, once, without an end time and with their fence', async () => {
  const runId = await runningRun(LONG_AGO)
  const waiting = await insertRun(database, rows)
  const stations = linked(false)
  await using _one = watchLostStations({ database, stations, log }, PATIENCE)
  await using _other = watchLostStations({ database, stations: linked(false), log }, PATIENCE)
  await until(async () => (await rowOf(runId)).state === 'INTERRUPTED')
  expect(await rowOf(runId)).toMatchObject({
    fence: 3,
    points: 7,
    endedAt: null,
    exitReason: expect.stringContaining('station bench went away'),
    job: { state: 'FAILED' },
  })
  expect((await rowOf(waiting)).state).toBe('QUEUED')
  const { looks } = stations
  await until(() => stations.looks > looks + 3)
  const events = await database.prisma.event.findMany({ where: { runId } })
  expect(events).toMatchObject([{ kind: 'RUN', data: { state: 'INTERRUPTED', points: 7 } }])
})

test.each([
  ['that we reach although its beat is late', true, () => LONG_AGO],
  ['whose beat is fresh although we do not reach it', false, () => new Date()],
])('runs of a station %s are left alone', async (_, online, lastSeen) => {
  const runId = await runningRun(lastSeen())
  const stations = linked(online)
  await using _watch = watchLostStations({ database, stations, log }, { ...PATIENCE, linkDownMs: 0 })
  await until(() => stations.looks > 5)
  expect(await rowOf(runId)).toMatchObject({ state: 'RUNNING', exitReason: null })
})

test('a link that is down for a moment only interrupts nothing', async () => {
  const runId = await runningRun(LONG_AGO)
  let looks = 0
  const flapping = { all: () => [{ stationId: rows.stationId, name: 'bench', link: { online: ++looks % 3 === 0 } }] }
  await using _watch = watchLostStations({ database, stations: flapping, log }, { ...PATIENCE, linkDownMs: 10_000 })
  await until(() => looks > 20)
  expect((await rowOf(runId)).state).toBe('RUNNING')
})
