import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Conflict } from '../../../core/errors.ts'
import { COMPUTE_QUEUE, exportJob } from '../../../core/job.ts'
import type { WorkQueue } from '../../../link/queues.ts'
import { openQueue } from '../../../link/queues.ts'
import type { Database } from '../../../prisma/client.ts'
import { openDatabase } from '../../../prisma/client.ts'
import type { ComputeParts } from '../../../workers/compute/compute.ts'
import { startCompute } from '../../../workers/compute/compute.ts'
import { exportDatasets } from '../../../workers/jobs/export.ts'
import type { ComputeJob } from '../../../workers/jobs/job.ts'
import { defineJob } from '../../../workers/jobs/job.ts'
import type { TestDatabase } from '../../harness/database.ts'
import { queuesOf, startTestDatabase } from '../../harness/database.ts'
import { severableServers } from '../../harness/severable.ts'
import { until } from '../../until.ts'
import { recordTable, requestJob } from './lab-records.ts'

let server: TestDatabase
let database: Database
let queue: WorkQueue
let dataDir: string
const opened: AsyncDisposable[] = []

beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
  queue = openQueue(COMPUTE_QUEUE, queuesOf(server), () => undefined)
}, 60_000)
afterAll(async () => {
  await queue[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
  await server.stop()
})
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-compute-'))
})
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

async function compute(parts: Partial<ComputeParts> = {}, { url, redisUrl }: Pick<TestDatabase, 'url' | 'redisUrl'> = server): Promise<AsyncDisposable> {
  const worker = await startCompute({ dataDir, databaseUrl: url, redisUrl }, { log: () => undefined, ...parts })
  opened.push(worker)
  return worker
}

async function request(payload: Readonly<Record<string, unknown>>): Promise<string> {
  const id = await requestJob(database, exportJob.name, payload)
  const row = await jobRow(id)
  await queue.add(exportJob, exportJob.parse(row.payload), { jobId: id, priority: 0 })
  return id
}

function jobRow(id: string) {
  return database.prisma.job.findUniqueOrThrow({ where: { id }, include: { export: true } })
}

async function ended(id: string) {
  return until(
    async () => {
      const row = await jobRow(id)
      return row.finishedAt !== null && row
    },
    { deadlineMs: 45_000, what: `job ${id} to end` },
  )
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(dataDir, folder), { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()
}

/** A job of the export's name that waits until its signal fires. */
function waiting(): { job: ComputeJob; started: () => boolean } {
  let started = false
  const job = defineJob(exportJob, async (_payload, { signal, progress }) => {
    progress(0.25, 'waiting')
    started = true
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    throw new Error('unreachable')
  })
  return { job, started: () => started }
}

test('an export becomes whole files with their checksums, one row, and an event', async () => {
  const ids = [await recordTable(database, dataDir, { name: 'Beam profile #1' }), await recordTable(database, dataDir, { name: 'Beam profile #1', rows: 3 })]
  await compute()
  const id = await request({ datasetIds: ids, format: 'csv', columns: ['power'] })
  const row = await ended(id)
  expect(row).toMatchObject({ state: 'COMPLETED', progress: 1, attempts: 1, problem: null })
  expect(row.log).toEqual([
    expect.stringMatching(/^Beam-profile-1\.csv: \d+ bytes$/),
    expect.stringMatching(/^Beam-profile-1-2\.csv: 35 bytes$|^Beam-profile-1-2\.csv: \d+ bytes$/),
  ])
  expect(row.export).toMatchObject({ format: 'csv', datasetIds: ids, manifest: 'SHA256SUMS' })
  expect(row.export?.files).toMatchObject([
    { name: 'Beam-profile-1.csv', mediaType: 'text/csv; charset=utf-8; header=present' },
    { name: 'Beam-profile-1-2.csv' },
  ])

  const folder = path.join(dataDir, row.export?.folder ?? '')
  const { stdout } = await promisify(execFile)('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder })
  expect(stdout).toBe('Beam-profile-1.csv: OK\nBeam-profile-1-2.csv: OK\n')
  expect((await readFile(path.join(folder, 'Beam-profile-1-2.csv'), 'utf8')).split('\r\n')).toHaveLength(5)
  expect(await filesBelow('exports/.partial')).toEqual([])
  const events = await database.prisma.event.findMany({ where: { subjectId: id }, orderBy: { id: 'asc' } })
  expect(events.map(({ kind, summary }) => [kind, summary])).toEqual([
    ['JOB', 'export started'],
    ['JOB', expect.stringMatching(/^export completed: 2 files of CSV/)],
  ])
  await until(async () => (await queue.state(id)) === 'absent')
})

test.each([
  ['a dataset that is not there', () => Promise.resolve('00000000-0000-7000-8000-000000000000'), 'csv', 'NOT_FOUND'],
  ['a dataset that is still recorded', () => recordTable(database, dataDir, { state: 'RECORDING' }), 'csv', 'CONFLICT'],
  ['a format that is not there', () => recordTable(database, dataDir), 'xls', 'NOT_FOUND'],
])('%s fails the job with the reason, once', async (_what, dataset, format, code) => {
  await compute()
  const id = await request({ datasetIds: [await dataset()], format })
  const row = await ended(id)
  expect(row).toMatchObject({ state: 'FAILED', attempts: 1, problem: { code }, export: null })
  expect(await filesBelow('exports')).toEqual([])
  await until(async () => (await queue.state(id)) === 'absent')
})

test('a cancelled job stops', async () => {
  const { job, started } = waiting()
  await compute({ jobs: [job] })
  const id = await request({ datasetIds: [], format: 'csv' })
  await until(started)
  await until(async () => (await jobRow(id)).progress === 0.25, { what: 'progress to be written' })
  await database.prisma.job.update({ where: { id }, data: { cancelReason: 'wrong dataset' } })
  expect(await ended(id)).toMatchObject({ state: 'CANCELLED', problem: null, cancelReason: 'wrong dataset' })
})

test('an export cancelled in the middle leaves no file', async () => {
  const dataset = await recordTable(database, dataDir, { rows: 50_000 })
  const stop = new AbortController()
  const stopped = defineJob(exportJob, async (payload, context) => {
    const progress = (fraction: number): void => {
      if (fraction > 0.5) stop.abort(new Conflict('cancelled by the test'))
    }
    return exportDatasets.run(payload, { ...context, signal: stop.signal, progress })
  })
  await compute({ jobs: [stopped] })
  expect(await ended(await request({ datasetIds: [dataset], format: 'csv' }))).toMatchObject({ state: 'FAILED', problem: { message: 'cancelled by the test' } })
  expect(await filesBelow('exports')).toEqual([])
})

test('a job that was cancelled before it began never begins', async () => {
  const { job, started } = waiting()
  const id = await request({ datasetIds: [], format: 'csv' })
  await database.prisma.job.update({ where: { id }, data: { cancelReason: '' } })
  await compute({ jobs: [job] })
  expect(await ended(id)).toMatchObject({ state: 'CANCELLED', attempts: 0 })
  expect(started()).toBe(false)
})

test('an unexpected fault is tried again, and told when it stays', async () => {
  let tries = 0
  const job = defineJob(exportJob, async () => {
    tries += 1
    throw new Error('the disk made a noise')
  })
  await compute({ jobs: [job] })
  const row = await ended(await request({ datasetIds: [], format: 'csv' }))
  expect(row).toMatchObject({ state: 'FAILED', attempts: 2, problem: { message: 'the disk made a noise' } })
  expect(row.log).toEqual(['failed, will be tried again: the disk made a noise', 'the disk made a noise'])
  expect(tries).toBe(2)
})

test('a job interrupted by an orderly stop waits, without having used an attempt, and the next worker does it', async () => {
  const dataset = await recordTable(database, dataDir)
  const { job, started } = waiting()
  const first = await compute({ jobs: [job] })
  const id = await request({ datasetIds: [dataset], format: 'arrow' })
  await until(started)
  await first[Symbol.asyncDispose]()
  expect(await jobRow(id)).toMatchObject({ state: 'WAITING', attempts: 0 })
  await compute()
  expect(await ended(id)).toMatchObject({ state: 'COMPLETED', attempts: 1 })
})

test('a job whose addition to the queue was lost is found and done', async () => {
  const dataset = await recordTable(database, dataDir)
  const id = await requestJob(database, exportJob.name, { datasetIds: [dataset], format: 'csv' })
  await compute()
  expect(await ended(id)).toMatchObject({ state: 'COMPLETED' })
})

test('a worker killed midway leaves nothing that is served, and the job is done by the next one', { timeout: 90_000 }, async () => {
  const dataset = await recordTable(database, dataDir, { rows: 50_000 })
  const id = await request({ datasetIds: [dataset], format: 'csv' })
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./compute-child.ts', import.meta.url)), server.url, dataDir, 'marker', server.redisUrl ?? ''],
    {
      stdio: 'ignore',
    },
  )
  try {
    await until(async () => (await filesBelow(`exports/.partial/${id}`)).length > 0 && (await jobRow(id)).state === 'ACTIVE', {
      deadlineMs: 30_000,
      what: 'the export to be midway',
    })
  } finally {
    child.kill('SIGKILL')
  }
  expect(await filesBelow('exports')).toEqual(['scan.csv'])
  expect(await database.prisma.export.count({ where: { jobId: id } })).toBe(0)
  await compute({ lockMs: 1_000 })
  const row = await until(
    async () => {
      const now = await jobRow(id)
      return now.finishedAt !== null && now
    },
    { deadlineMs: 45_000 },
  )
  expect(row).toMatchObject({ state: 'COMPLETED', attempts: 2 })
  expect(await filesBelow('exports/.partial')).toEqual([])
  expect(await filesBelow('exports')).toEqual(['SHA256SUMS', 'scan.csv'])
})

test('a database and a queue that go away in the middle cost only time', { timeout: 60_000 }, async () => {
  const dataset = await recordTable(database, dataDir)
  const way = await severableServers(server)
  opened.push(way)
  let reached = false
  let goOn = false
  const slow = defineJob(exportJob, async (payload, context) => {
    const outcome = await exportDatasets.run(payload, context)
    reached = true
    await until(() => goOn)
    return outcome
  })
  await compute({ jobs: [slow] }, way)
  const id = await request({ datasetIds: [dataset], format: 'csv' })
  await until(() => reached)
  await way.cut()
  goOn = true
  await expect(database.prisma.export.count({ where: { jobId: id } })).resolves.toBe(0)
  await way.mend()
  expect(await ended(id)).toMatchObject({ state: 'COMPLETED', attempts: 1 })
  expect(await database.prisma.export.count({ where: { jobId: id } })).toBe(1)
})
