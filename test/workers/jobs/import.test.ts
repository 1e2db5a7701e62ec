import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { uuidv7 } from '../../../core/id.ts'
import { COMPUTE_QUEUE, importJob } from '../../../core/job.ts'
import { openQueue, type WorkQueue } from '../../../link/queues.ts'
import { type Database, openDatabase } from '../../../prisma/client.ts'
import { readTable } from '../../../storage/dataset.ts'
import { readManifest } from '../../../storage/manifest.ts'
import { startCompute } from '../../../workers/compute/compute.ts'
import { removeLeftovers } from '../../../workers/compute/sweep.ts'
import { importFile } from '../../../workers/jobs/import.ts'
import { queuesOf, startTestDatabase, type TestDatabase } from '../../harness/database.ts'
import { alarmDatabase, DOME_CONFIG, DOME_SESSION, HARDWARE, sawDatabase } from '../../storage/importers/fixtures.ts'
import { until } from '../../until.ts'
import { requestJob } from '../compute/lab-records.ts'

let server: TestDatabase
let database: Database
let queue: WorkQueue
let dataDir: string
let compute: AsyncDisposable
let stationId: string

beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
  queue = openQueue(COMPUTE_QUEUE, queuesOf(server), () => undefined)
  stationId = (await database.prisma.station.create({ data: { name: 'bench', host: 'here' } })).id
}, 60_000)
afterAll(async () => {
  await queue[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
  await server.stop()
})
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-import-'))
  await mkdir(path.join(dataDir, 'import', 'saw'), { recursive: true })
  compute = await startCompute({ dataDir, databaseUrl: server.url, redisUrl: server.redisUrl }, { log: () => undefined })
})
afterEach(async () => {
  await compute[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
  await database.prisma.dataset.deleteMany()
  await database.prisma.session.deleteMany()
  await database.prisma.device.deleteMany()
})

/** The job's row when it has ended. */
async function imports(format: string, file: string, more: Record<string, unknown> = {}) {
  const id = await requestJob(database, importJob.name, { name: 'Old data', format, file, options: { register: false, timeZone: 'Europe/Istanbul' }, ...more })
  const row = await database.prisma.job.findUniqueOrThrow({ where: { id } })
  await queue.add(importJob, importJob.parse(row.payload), { jobId: id, priority: 0 })
  return await until(
    async () => {
      const now = await database.prisma.job.findUniqueOrThrow({ where: { id } })
      return now.finishedAt !== null && now
    },
    { deadlineMs: 20_000, what: `import ${file} to end` },
  )
}

const inFolder = (name: string): string => path.join(dataDir, 'import', name)

test('a database of the saw becomes tables and sessions; the same file again adds nothing', async () => {
  sawDatabase(inFolder('saw/total.db'), { rows: 6_000, wal: true })
  const first = await imports('smart-saw-database', 'saw/total.db', { units: { something_new: 'mm' } })
  expect([first.state, first.progressText]).toEqual(['COMPLETED', '2 tables with 6002 rows, 2 new sessions'])
  const datasets = await database.prisma.dataset.findMany({ orderBy: { name: 'asc' } })
  expect(datasets.map(({ name, state, rows, stationId: station }) => [name, state, rows, station])).toEqual([
    ['Old data: cutting_sessions', 'COMPLETE', 2n, stationId],
    ['Old data: sensor_data', 'COMPLETE', 6_000n, stationId],
  ])
  const sensors = datasets[1]
  if (sensors === undefined) throw new Error('no dataset')
  expect(sensors.columns).toContainEqual({ name: 'serit_motor_akim_a', type: 'float64', unit: 'A' })
  expect(sensors.columns).toContainEqual({ name: 'something_new', type: 'float64', unit: 'mm' })
  const folder = path.join(dataDir, sensors.folder)
  const { rows } = await readTable(folder, { columns: ['timestamp', 'serit_motor_akim_a'], range: { from: 5_999 }, first: 1 })
  expect(rows).toEqual([[BigInt(Date.UTC(2026, 1, 3, 5, 9, 59, 900)) * 1_000_000n, 6_011.5]])
  expect((await readManifest(folder)).dataset.sha256).toBe(sensors.sha256)
  const sessions = await database.prisma.session.findMany({ orderBy: { startedAt: 'asc' } })
  expect(sessions.map(({ title, state, startedAt }) => [title, state, startedAt.toISOString()])).toEqual([
    ['Cut 7', 'CLOSED', '2026-02-03T05:00:00.000Z'],
    ['Cut 8', 'CLOSED', '2026-02-03T05:10:00.000Z'],
  ])
  expect(sessions[0]?.metadata).toMatchObject({ kesim_id: 7, recorded: [{ datasetId: sensors.id, table: 'sensor_data', firstRow: 0, lastRow: 5_999 }] })

  const again = await imports('smart-saw-database', 'saw/total.db')
  expect([again.state, again.progressText]).toEqual(['COMPLETED', 'no table that was not there already, 0 new sessions'])
  expect(await database.prisma.dataset.count()).toBe(2)
  expect(await database.prisma.session.count()).toBe(2)
  expect(await readdir(path.join(dataDir, 'imports', '.partial'))).toEqual([])
})

test('the same file in two jobs at once is imported once', async () => {
  sawDatabase(inFolder('saw/total.db'))
  const both = await Promise.all([imports('smart-saw-database', 'saw/total.db'), imports('smart-saw-database', 'saw/total.db')])
  expect(both.map(({ state }) => state)).toEqual(['COMPLETED', 'COMPLETED'])
  const datasets = await database.prisma.dataset.findMany()
  expect(datasets).toHaveLength(2)
  for (const { folder, rows } of datasets) expect((await readTable(path.join(dataDir, folder), { first: 10 })).rows).toHaveLength(Number(rows))
  const files = await readdir(path.join(dataDir, 'imports'), { recursive: true })
  expect(files.filter((name) => name.endsWith('table.arrow'))).toHaveLength(2)
})

test('a database that has grown adds its new sessions and a dataset of all its rows', async () => {
  const { default: sqlite } = await import('node-sqlite3-wasm')
  sawDatabase(inFolder('saw/total.db'))
  expect((await imports('smart-saw-database', 'saw/total.db')).progressText).toBe('2 tables with 5 rows, 2 new sessions')
  const saw = new sqlite.Database(inFolder('saw/total.db'))
  saw.exec("INSERT INTO cutting_sessions (kesim_id, start_time) VALUES (9, '2026-02-03T09:00:00')")
  saw.close()
  expect((await imports('smart-saw-database', 'saw/total.db')).progressText).toBe('2 tables with 6 rows, 1 new session')
})

test('alarms come into the feed once', async () => {
  alarmDatabase(inFolder('alarm.db'))
  const alarms = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM "event" WHERE "kind" = 'ALARM'`)
    return rows[0]?.n ?? 0
  }
  expect((await imports('smart-saw-database', 'alarm.db')).state).toBe('COMPLETED')
  expect(await alarms()).toBe(2)
  expect((await imports('smart-saw-database', 'alarm.db')).state).toBe('COMPLETED')
  expect(await alarms()).toBe(2)
})

test('a night of the dome becomes a session with its tables, or tables of a session that is named', async () => {
  await writeFile(inFolder('night.json'), JSON.stringify(DOME_SESSION))
  expect((await imports('driftapp-session', 'night.json')).state).toBe('COMPLETED')
  const [session] = await database.prisma.session.findMany({ include: { datasets: true } })
  expect(session).toMatchObject({ title: 'M 42', operator: 'Ada', state: 'CLOSED' })
  expect(session?.datasets.map(({ name }) => name).sort()).toEqual(['Old data: corrections_log', 'Old data: goto_log'])

  const named = await database.prisma.session.create({ data: { title: 'Winter', operator: 'Ada' } })
  await writeFile(inFolder('other.json'), JSON.stringify({ ...DOME_SESSION, session_id: 'another' }))
  expect((await imports('driftapp-session', 'other.json', { sessionId: named.id })).state).toBe('COMPLETED')
  expect(await database.prisma.dataset.count({ where: { sessionId: named.id } })).toBe(2)
  expect(await database.prisma.session.count()).toBe(2)
})

test('devices are proposed, and registered when that is wanted, each once', async () => {
  await writeFile(inFolder('hardware.toml'), HARDWARE)
  const dry = await imports('rust-daq-hardware', 'hardware.toml')
  expect(dry.progressText).toBe('3 devices proposed (register=true registers them)')
  expect(dry.log).toContainEqual(expect.stringMatching(/line 3: rotator_2 as thorlabs-ell14 .*"busAddress":"2"/))
  expect(dry.log).toContainEqual(expect.stringMatching(/line 19: spectrometer is left out/))
  expect(await database.prisma.device.count()).toBe(0)

  const real = await imports('rust-daq-hardware', 'hardware.toml', { options: { register: true } })
  expect(real.progressText).toBe('3 devices to register')
  const devices = await database.prisma.device.findMany({ orderBy: { name: 'asc' }, include: { port: true } })
  expect(devices.map(({ name, driverId, subAddress, port }) => [name, driverId, subAddress, port.address])).toEqual([
    ['power_meter', 'newport-1830c', null, 'serial:///dev/ttyS0'],
    ['rotator_2', 'thorlabs-ell14', '2', 'serial:///dev/serial/by-id/usb-FTDI-if00'],
    ['stage_x', 'newport-esp300', '1', 'serial:///dev/ttyUSB0'],
  ])

  const again = await imports('rust-daq-hardware', 'hardware.toml', { options: { register: true } })
  expect(again.progressText).toBe('0 devices to register, 3 devices that cannot be registered')
  expect(again.log).toContainEqual(expect.stringContaining('there is already a device named rotator_2'))

  await database.prisma.device.updateMany({ where: { name: 'rotator_2' }, data: { name: 'half_wave_plate' } })
  const renamed = await imports('rust-daq-hardware', 'hardware.toml', { options: { register: true } })
  expect(renamed.log).toContainEqual(expect.stringContaining('half_wave_plate is already registered at serial:///dev/serial/by-id/usb-FTDI-if00 2'))
  expect(await database.prisma.device.count()).toBe(3)
})

test('the calibration of the dome becomes the settings of its rotator', async () => {
  await writeFile(inFolder('config.json'), JSON.stringify(DOME_CONFIG))
  expect((await imports('driftapp-calibration', 'config.json', { options: { register: true } })).progressText).toBe('1 device to register')
  const dome = await database.prisma.device.findFirstOrThrow({ where: { name: 'dome' } })
  expect(dome).toMatchObject({ driverId: 'dome-rotator', settings: { alignment: 'legacy', encoderFactor: 0.010851 } })
})

test('what is wrong fails with its place, and leaves nothing behind', async () => {
  sawDatabase(inFolder('saw/total.db'))
  await writeFile(path.join(dataDir, 'secret.json'), JSON.stringify(DOME_SESSION))
  await symlink(path.join(dataDir, 'secret.json'), inFolder('link.json'))
  await writeFile(inFolder('broken.json'), '{\n  "version": "1.0",,\n}')
  const failures: [string, string, Record<string, unknown>, string][] = [
    ['driftapp-session', 'nothing.json', {}, 'there is no file nothing.json in import/'],
    ['driftapp-session', '../secret.json', {}, 'leads out of import/'],
    ['driftapp-session', 'link.json', {}, 'leads out of import/'],
    ['driftapp-session', 'saw', {}, 'is not a file'],
    ['driftapp-session', 'broken.json', {}, 'broken.json, line 2: not JSON'],
    ['smart-saw-database', 'saw/total.db', { options: { register: false } }, 'say which clock wrote them'],
    ['smart-saw-database', 'saw/total.db', { options: { register: false, timeZone: 'UTC', station: 'other' } }, 'there is no station other'],
    ['floppy', 'saw/total.db', {}, 'is not one of'],
  ]
  for (const [format, file, more, message] of failures) {
    const { state, progressText } = await imports(format, file, more)
    expect([state, progressText]).toEqual(['FAILED', expect.stringContaining(message)])
  }
  expect(await database.prisma.dataset.count()).toBe(0)
  expect((await readdir(path.join(dataDir, 'imports'))).filter((name) => name !== '.partial')).toEqual([])
  expect(await readFile(inFolder('broken.json'), 'utf8')).toContain(',,')
})

test('a file that is larger than the disk is refused before anything is written', async () => {
  await writeFile(inFolder('huge.db'), '')
  await truncate(inFolder('huge.db'), 2 ** 43) // a hole: it takes no room itself
  const { state, progressText } = await imports('smart-saw-database', 'huge.db')
  expect([state, progressText]).toEqual(['FAILED', expect.stringContaining('bytes are needed')])
})

test('a table that ends badly takes those before it away again', async () => {
  const { default: sqlite } = await import('node-sqlite3-wasm')
  const file = inFolder('saw/total.db')
  sawDatabase(file)
  const saw = new sqlite.Database(file)
  saw.exec("UPDATE cutting_sessions SET duration_ms = 'long' WHERE kesim_id = 8")
  saw.close()
  const { state, progressText } = await imports('smart-saw-database', 'saw/total.db')
  expect([state, progressText]).toEqual(['FAILED', expect.stringContaining('table cutting_sessions, row 2, duration_ms: "long" is not a whole number')])
  expect(await database.prisma.dataset.count()).toBe(0)
  expect((await readdir(path.join(dataDir, 'imports'), { recursive: true })).filter((name) => name.endsWith('.arrow'))).toEqual([])
})

/** The job itself, in this process, without a worker: one would take away what no job of the database's is at. */
async function run(file: string, log: (line: string) => void = () => undefined) {
  await compute[Symbol.asyncDispose]()
  return await importFile.run(
    { jobId: uuidv7(), name: 'Old data', format: 'smart-saw-database', file, options: { register: false, timeZone: 'UTC' }, units: {} },
    { jobId: uuidv7(), attempt: 1, database, dataDir, signal: new AbortController().signal, progress: () => undefined, log },
  )
}
const written = async (): Promise<readonly string[]> => (await readdir(dataDir, { recursive: true })).filter((name) => name.endsWith('.arrow'))

test('a file that grows while it is read is not taken, and what was made of it is gone', async () => {
  const file = inFolder('saw/total.db')
  sawDatabase(file)
  const grow = (line: string): void => {
    if (line.startsWith('sensor_data')) appendFileSync(file, 'x')
  }
  await expect(run('saw/total.db', grow)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('was changed while it was read') })
  expect(await written()).toEqual([])
})

test('what nobody will see, because its job did not end well, is taken away', async () => {
  sawDatabase(inFolder('saw/total.db'))
  const outcome = await run('saw/total.db')
  expect(await written()).toHaveLength(2)
  await outcome.undo()
  expect(await written()).toEqual([])
})

test('what a worker that died has left is removed, and nothing that a dataset stands in', async () => {
  sawDatabase(inFolder('saw/total.db'))
  const { id } = await imports('smart-saw-database', 'saw/total.db')
  const [partial, unknown] = [path.join(dataDir, 'imports', '.partial', uuidv7()), path.join(dataDir, 'imports', uuidv7())]
  for (const folder of [partial, unknown]) await mkdir(folder, { recursive: true })
  expect(await removeLeftovers(database, dataDir)).toBe(2)
  expect((await readdir(path.join(dataDir, 'imports'))).sort()).toEqual(['.partial', id])
  const datasets = await database.prisma.dataset.findMany()
  for (const { folder, rows } of datasets) expect((await readTable(path.join(dataDir, folder), { first: 10 })).rows).toHaveLength(Number(rows))
})
