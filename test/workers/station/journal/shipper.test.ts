import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { uuidv7 } from '../../../../core/id.ts'
import type { JournalEntry } from '../../../../core/journal.ts'
import type { RunState } from '../../../../core/run.ts'
import type { Database } from '../../../../prisma/client.ts'
import { openDatabase } from '../../../../prisma/client.ts'
import type { Journal } from '../../../../workers/station/journal/journal.ts'
import { openJournal } from '../../../../workers/station/journal/journal.ts'
import type { Shipper } from '../../../../workers/station/journal/shipper.ts'
import { startShipper } from '../../../../workers/station/journal/shipper.ts'
import type { TestDatabase } from '../../../harness/database.ts'
import { startTestDatabase } from '../../../harness/database.ts'
import { until } from '../../../until.ts'
import type { StationRows } from './station-rows.ts'
import { insertRun, insertStation } from './station-rows.ts'

const TIME = 1_763_632_800_123_456_789n
const cause = { kind: 'PERSON', actor: 'ana', reason: 'too hot' } as const

let server: TestDatabase
let database: Database
let rows: StationRows
let folder: string
let journal: Journal
let shipper: Shipper | undefined
let said: string[]

beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server.stop()
})
beforeEach(async () => {
  said = []
  folder = await mkdtemp(join(tmpdir(), 'kymograph-shipper-'))
  rows = await insertStation(database)
  journal = await openJournal(folder, { log: (line) => said.push(line), firstSequence: 1 })
})
afterEach(async () => {
  await shipper?.[Symbol.asyncDispose]()
  shipper = undefined
  await journal[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function ship(...entries: JournalEntry[]): Promise<void> {
  for (const entry of entries) journal.append(entry)
  shipper ??= startShipper({ journal, database, stationId: rows.stationId, log: (line) => said.push(line) })
  await shipper.caughtUp(AbortSignal.timeout(30_000))
}

const power = (): JournalEntry => ({
  type: 'parameters',
  time: TIME,
  deviceId: rows.deviceId,
  specs: [{ name: 'power', description: '', kind: 'FLOAT', access: 'READ_ONLY', unit: 'W' }],
})
const sample = (value: number | string | boolean | number[] | undefined, time = TIME): JournalEntry => ({
  type: 'samples',
  samples: [
    {
      deviceId: rows.deviceId,
      parameter: 'power',
      reading: value === undefined ? { time, quality: 'BAD', reason: 'no answer' } : { time, quality: 'GOOD', value },
    },
  ],
})
const stored = () => database.prisma.sample.findMany({ where: { parameter: { deviceId: rows.deviceId } }, orderBy: { sequence: 'asc' } })

describe('the shipper', () => {
  test('stores samples of every kind with their nanoseconds and their sequence', async () => {
    await ship(power(), sample(1.5), sample('on'), sample(true), sample([1, 2.5]), sample(undefined))
    expect(await stored()).toMatchObject([
      { time: TIME, sequence: 2n, quality: 0, number: 1.5, text: null, boolean: null, list: [] },
      { sequence: 3n, text: 'on' },
      { sequence: 4n, boolean: true },
      { sequence: 5n, list: [1, 2.5] },
      { sequence: 6n, quality: 3, number: null },
    ])
    const station = await database.prisma.station.findUniqueOrThrow({ where: { id: rows.stationId } })
    expect(station.journalSequence).toBe(6n)
    expect(shipper?.backlog).toBe(0)
  })

  test('keeps until when a parameter had which unit, once, however often it is shipped', async () => {
    const described = (unit: string | undefined, time: bigint): JournalEntry => ({
      type: 'parameters',
      time,
      deviceId: rows.deviceId,
      specs: [{ name: 'power', description: '', kind: 'FLOAT', access: 'READ_ONLY', ...(unit !== undefined && { unit }) }],
    })
    const row = () => database.prisma.parameter.findFirstOrThrow({ where: { deviceId: rows.deviceId, name: 'power' } })
    await ship(described('W', 1n), described('W', 2n), described('mW', 3n), sample(1, 4n), described('W', 5n))
    const { key } = await row()
    const past = [
      { until: '3', unit: 'W' },
      { until: '5', unit: 'mW' },
    ]
    expect(await row()).toMatchObject({ spec: { unit: 'W' }, pastUnits: past })
    await ship(described('mW', 3n), described('W', 5n), sample(2, 6n))
    expect(await row()).toMatchObject({ key, spec: { unit: 'W' }, pastUnits: past })
    await ship(described(undefined, 7n), described('nW', 8n))
    expect(await row()).toMatchObject({ spec: { unit: 'nW' }, pastUnits: [...past, { until: '7', unit: 'W' }, { until: '8', unit: null }] })
    expect(await stored()).toMatchObject([
      { parameterKey: key, number: 1 },
      { parameterKey: key, number: 2 },
    ])
  })

  test('stores changes with who and why, and tells them', async () => {
    const old = { time: TIME, quality: 'GOOD', value: 1 } as const
    await ship(power(), { type: 'change', time: TIME, deviceId: rows.deviceId, parameter: 'power', unit: 'W', old, new: { ...old, value: 2 }, cause })
    const [change] = await database.prisma.parameterChange.findMany({ where: { parameter: { deviceId: rows.deviceId } } })
    expect(change).toMatchObject({ time: TIME, old: { time: TIME.toString(), value: 1 }, new: { value: 2 }, cause })
    const [event] = await database.prisma.event.findMany({ where: { deviceId: rows.deviceId } })
    expect(event).toMatchObject({ kind: 'PARAMETER', summary: 'power: 1 → 2 W', cause })
  })

  const moved = (runId: string, fence: number, state: RunState, points = 0): JournalEntry => ({
    type: 'run',
    time: TIME,
    runId,
    fence,
    state,
    points,
    totalPoints: 10,
    cause,
  })

  test("moves a run's row and its job, only for the claim that wrote it, and never after its end", async () => {
    const runId = await insertRun(database, rows)
    await database.prisma.run.update({ where: { id: runId }, data: { fence: 2, state: 'PREPARING' } })
    await ship(moved(runId, 1, 'FAILED'), moved(runId, 2, 'RUNNING'), moved(runId, 2, 'RUNNING', 3), moved(runId, 2, 'RUNNING', 4))
    expect(await database.prisma.run.findUniqueOrThrow({ where: { id: runId }, include: { job: true } })).toMatchObject({
      state: 'RUNNING',
      points: 4,
      totalPoints: 10,
      startedAt: expect.any(Date),
      endedAt: null,
      job: { state: 'ACTIVE', progress: 0.4 },
    })
    await ship(moved(runId, 2, 'ABORTED', 5), moved(runId, 2, 'COMPLETED', 10))
    expect(await database.prisma.run.findUniqueOrThrow({ where: { id: runId }, include: { job: true } })).toMatchObject({
      state: 'ABORTED',
      points: 5,
      endedAt: expect.any(Date),
      abortReason: 'too hot',
      job: { state: 'CANCELLED', cancelReason: 'too hot' },
    })
    const events = await database.prisma.event.findMany({ where: { runId }, orderBy: { id: 'asc' } })
    expect(events.map(({ summary }) => summary)).toContain('Run started')
  })

  test('has the last word on a run that others presumed to be interrupted, and only on such a one', async () => {
    const runId = await insertRun(database, rows)
    const row = () => database.prisma.run.findUniqueOrThrow({ where: { id: runId } })
    await database.prisma.run.update({ where: { id: runId }, data: { fence: 2, state: 'INTERRUPTED' } })
    await ship(moved(runId, 1, 'FAILED'))
    expect(await row()).toMatchObject({ state: 'INTERRUPTED', endedAt: null })
    await ship(moved(runId, 2, 'RUNNING', 3))
    expect(await row()).toMatchObject({ state: 'RUNNING', points: 3, endedAt: null })
    await ship(moved(runId, 2, 'INTERRUPTED', 4), moved(runId, 2, 'RUNNING', 5))
    expect(await row()).toMatchObject({ state: 'INTERRUPTED', points: 4, endedAt: expect.any(Date) })
  })

  test('writes a dataset whole each time', async () => {
    const dataset = {
      id: uuidv7(),
      name: 'scan',
      kind: 'TABLE',
      state: 'RECORDING',
      axes: ['x'],
      signals: ['power'],
      shape: [3],
      createdAt: TIME,
      rows: 0,
      bytes: 0,
      dropped: 0,
      columns: [{ name: 'x', type: 'float64', unit: 'mm' }],
      folder: 'datasets/x',
      files: [],
      runId: uuidv7(),
    } as const
    await ship({ type: 'dataset', time: TIME, dataset })
    await ship({ type: 'dataset', time: TIME, dataset: { ...dataset, state: 'COMPLETE', rows: 3, bytes: 2 ** 40, completedAt: TIME, sha256: 'ab' } })
    expect(await database.prisma.dataset.findUniqueOrThrow({ where: { id: dataset.id } })).toMatchObject({
      state: 'COMPLETE',
      rows: 3n,
      bytes: 1_099_511_627_776n,
      columns: dataset.columns,
      runId: null,
      sha256: 'ab',
      axes: ['x'],
    })
  })

  test("keeps the queue's hold and the emergency stop in the station's row", async () => {
    await ship(
      { type: 'queue', time: TIME, held: true, reason: 'emergency stop' },
      { type: 'emergencyStop', state: { active: true, by: 'ana', reason: 'smoke', at: TIME } },
    )
    expect(await database.prisma.station.findUniqueOrThrow({ where: { id: rows.stationId } })).toMatchObject({
      queueHeld: true,
      queueReason: 'emergency stop',
      stopActive: true,
      stopBy: 'ana',
      stopReason: 'smoke',
      stopAt: expect.any(Date),
    })
  })

  test('passes over what the database cannot hold, says so, and goes on', async () => {
    const broken: JournalEntry = { type: 'event', event: { time: TIME, kind: 'DEVICE', summary: 'no id', cause: { kind: 'DEVICE' } } }
    const impossible: JournalEntry = { type: 'event', event: { ...broken.event, time: 2n ** 63n - 1n, deviceId: 'x'.repeat(10), summary: 'a\0b \ud800 c' } }
    const unknown: JournalEntry = { type: 'samples', samples: [{ deviceId: 'not an id', parameter: 'p', reading: { time: TIME, quality: 'GOOD', value: 1 } }] }
    await ship(power(), sample(1), broken, unknown, impossible, sample(2))
    expect((await stored()).map(({ number }) => number)).toEqual([1, 2])
    expect(said.join()).toContain('journal entry 4 (samples) is not shipped')
    expect((await database.prisma.event.findMany({ where: { deviceId: 'xxxxxxxxxx' } }))[0]?.summary).toMatch(/^a\uFFFDb \uFFFD+ c$/)
  })

  test('catches up after the database was away, and repeats nothing when connections break', async () => {
    const own = await startTestDatabase()
    await using away = openDatabase(own.url, { onError: () => undefined })
    const there = await insertStation(away)
    journal.append({ ...power(), deviceId: there.deviceId } as JournalEntry)
    await using reconnecting = startShipper({ journal, database: away, stationId: there.stationId, log: (line) => said.push(line) })
    await reconnecting.caughtUp(AbortSignal.timeout(30_000))
    for (let round = 0; round < 20; round += 1) {
      for (let one = 0; one < 50; one += 1)
        journal.append({
          type: 'samples',
          samples: [{ deviceId: there.deviceId, parameter: 'power', reading: { time: BigInt(journal.last), quality: 'GOOD', value: 1 } }],
        })
      if (round % 4 === 0) await own.dropClients()
      await journal.flush()
    }
    await until(() => reconnecting.backlog === 0)
    expect(await away.prisma.sample.count()).toBe(1000)
    await own.stop()
    journal.append(sample(1))
    await until(() => reconnecting.problem)
    expect(reconnecting.backlog).toBe(1)
  })
})

test('each entry is in the database exactly once after kills of the station', { timeout: 90_000 }, async () => {
  await ship(power())
  await shipper?.[Symbol.asyncDispose]()
  await journal[Symbol.asyncDispose]()
  const script = new URL('./shipping-process.ts', import.meta.url).pathname
  for (let round = 1; round <= 4; round += 1) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, folder, server.url, rows.stationId, rows.deviceId], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let lines = 0
    for await (const _line of createInterface(child.stdout)) if (++lines >= 11 + round) child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  journal = await openJournal(folder, { log: () => undefined })
  shipper = undefined
  await ship()
  const samples: bigint[] = []
  const events: string[] = []
  for await (const { sequence, entry } of journal.readFrom(0)) {
    if (entry.type === 'samples') samples.push(BigInt(sequence))
    if (entry.type === 'event') events.push(entry.event.summary)
  }
  expect(samples.length).toBeGreaterThan(800)
  expect((await stored()).map(({ sequence }) => sequence)).toEqual(samples)
  const told = await database.prisma.event.findMany({ where: { deviceId: rows.deviceId }, orderBy: { id: 'asc' } })
  expect(told.map(({ summary }) => summary)).toEqual(events)
})
