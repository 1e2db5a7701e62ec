import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { uuidv7 } from '../../../../core/id.ts'
import { acquisition, stationQueue } from '../../../../core/job.ts'
import type { PlanSpec } from '../../../../core/plan.ts'
import { openQueue } from '../../../../link/queues.ts'
import { readManifest } from '../../../../storage/manifest.ts'
import type { TestDatabase } from '../../../harness/database.ts'
import { queuesOf, startTestDatabase } from '../../../harness/database.ts'
import { severableServers } from '../../../harness/severable.ts'
import { until } from '../../../until.ts'
import { withKilledStation } from './killed-station.ts'
import { ANA, RunLab, startRunStation } from './run-lab.ts'

const meter = { role: 'power-meter' } as const
const scan = (start: number, stop: number, num: number): PlanSpec => ({
  type: 'linearScan',
  arguments: { axes: [{ role: 'stage-x', start, stop, relative: false }], num, detectors: [meter], after: 'STAY' },
})
const quick: PlanSpec = { type: 'count', arguments: { detectors: [meter], num: 1 } }

let server: TestDatabase
let way: Awaited<ReturnType<typeof severableServers>>
let lab: RunLab
beforeAll(async () => {
  server = await startTestDatabase()
  way = await severableServers(server)
  lab = await RunLab.open(server, { way })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await way[Symbol.asyncDispose]()
  await server.stop()
})

describe('dispatch', () => {
  test('a run that is dispatched again and again runs once', async () => {
    const moves = (await lab.moves()).length
    const { runId, jobId } = await lab.queue(scan(1, 3, 5))
    await using queue = openQueue(stationQueue(lab.rows.stationId), queuesOf(lab.paths.server), () => undefined)
    for (let extra = 0; extra < 3; extra += 1) await queue.add(acquisition, { jobId, runId }, { jobId: uuidv7(), priority: 0 })
    const run = await lab.finished(runId)
    await until(async () => !(await queue.has(jobId)))
    await queue.add(acquisition, { jobId, runId }, { jobId, priority: 0 }) // long after its end
    await until(async () => !(await queue.has(jobId)))
    expect(run).toMatchObject({ state: 'COMPLETED', fence: 1, datasets: [{ rows: 5n }] })
    expect((await lab.moves()).slice(moves)).toEqual(['1PA1.000000', '1PA1.500000', '1PA2.000000', '1PA2.500000', '1PA3.000000'])
  })

  test('a run that the queue has lost is found in the database', async () => {
    const { runId } = await lab.queue(quick, { job: false })
    expect((await lab.finished(runId)).state).toBe('COMPLETED')
  })

  test('a run whose moment has passed does not start any more', async () => {
    const { runId } = await lab.queue(quick, { startBefore: new Date(Date.now() - 1000) })
    expect(await lab.finished(runId)).toMatchObject({
      state: 'FAILED',
      fence: 0,
      exitReason: expect.stringMatching(/^it had not started by \d{4}-/),
      job: { state: 'FAILED' },
    })
  })

  test('a claim whose answer was lost does not stay under way for ever', async () => {
    const { runId } = await lab.queue(quick, { job: false, queuedAt: new Date(0) })
    await lab.database.prisma.run.updateMany({ where: { id: runId, state: 'QUEUED' }, data: { state: 'PREPARING', fence: 7 } })
    const run = await lab.finished(runId)
    if (run.fence === 7) expect(run).toMatchObject({ state: 'INTERRUPTED', exitReason: expect.stringContaining('nothing has moved') })
    else expect(run.state).toBe('COMPLETED') // the sweep was faster than we
  })

  test('a claim whose answer was lost gets its end although the station is already presumed to be away', async () => {
    const { runId } = await lab.queue(quick, { job: false, queuedAt: new Date(0) })
    await lab.database.prisma.run.updateMany({ where: { id: runId, state: 'QUEUED' }, data: { state: 'INTERRUPTED', fence: 7 } })
    const run = await until(async () => {
      const now = await lab.database.prisma.run.findUniqueOrThrow({ where: { id: runId } })
      return now.endedAt !== null && now
    })
    if (run.fence === 7) expect(run).toMatchObject({ state: 'INTERRUPTED', exitReason: expect.stringContaining('nothing has moved') })
    else expect(run.state).toBe('COMPLETED') // the sweep was faster than we
  })
})

describe('the hold', () => {
  test('keeps runs waiting until it is released, over a restart too', async () => {
    expect(await lab.station.runs.hold(ANA, 'laser off')).toEqual({ held: true, reason: 'held by ana: laser off' })
    const { runId } = await lab.queue(quick)
    await lab.restart()
    expect(lab.station.runs.queueState).toEqual({ held: true, reason: 'held by ana: laser off' })
    const row = await until(async () => (await lab.database.prisma.station.findUniqueOrThrow({ where: { id: lab.rows.stationId } })).queueHeld)
    expect(row).toBe(true)
    expect((await lab.database.prisma.run.findUniqueOrThrow({ where: { id: runId } })).state).toBe('QUEUED')
    const told: boolean[] = []
    lab.station.runs.onChange(({ held }) => told.push(held))
    expect(await lab.station.runs.release(ANA)).toMatchObject({ held: false })
    expect((await lab.finished(runId)).state).toBe('COMPLETED')
    expect(told[0]).toBe(false)
    await until(async () => !(await lab.database.prisma.station.findUniqueOrThrow({ where: { id: lab.rows.stationId } })).queueHeld)
  })

  test('is set by a restart with runs waiting, and only then', async () => {
    await lab.restart()
    expect(lab.station.runs.queueState).toEqual({ held: false })
    await lab.station[Symbol.asyncDispose]()
    const { runId } = await lab.queue(quick, { queuedAt: new Date(Date.now() - 3_600_000) }) // long before the process of this test began
    lab.station = await startRunStation(lab.paths)
    expect(lab.station.runs.queueState).toEqual({ held: true, reason: 'the station was restarted while a run waited' })
    await lab.station.runs.release(ANA)
    await lab.finished(runId)
  })

  test('is set by the emergency stop, which aborts the run and stands until both are released', async () => {
    const { runId } = await lab.queue(scan(2, 24, 20))
    await lab.running(runId)
    await until(() => lab.station.host.device(lab.deviceId('stage-x')).state.motion?.moving)
    await lab.station.host.emergencyStop(ANA, 'smoke', 0)
    const run = await lab.finished(runId)
    expect(run).toMatchObject({ state: 'ABORTED', exitReason: 'emergency stop by ana: smoke' })
    expect(run.datasets).toMatchObject([{ state: 'COMPLETE', rows: BigInt(run.points) }])
    const stands = lab.lab.esp300.instrument
    await until(() => !stands.moving(1, performance.now() / 1000))
    const moves = await lab.moves()
    expect(lab.station.runs.queueState).toEqual({ held: true, reason: 'emergency stop by ana: smoke' })
    await expect(lab.station.runs.release(ANA)).rejects.toMatchObject({ code: 'EMERGENCY_STOPPED' })
    await lab.station.host.releaseEmergencyStop(ANA, undefined)
    expect(await lab.moves()).toEqual(moves)
    expect(lab.station.runs.queueState.held).toBe(true)
    await lab.station.runs.release(ANA)
    const { runId: next } = await lab.queue(quick)
    expect((await lab.finished(next)).state).toBe('COMPLETED')
  })
})

test('database and queue away in the middle of a scan: it goes on, ends once, and all of it arrives', { timeout: 60_000 }, async () => {
  const moves = (await lab.moves()).length
  const { runId } = await lab.queue(scan(3, 6, 16))
  await lab.running(runId, 2)
  await way.cut()
  const rows = lab.station.runs.rows(runId, 0, AbortSignal.timeout(50_000))
  let seen = 0
  for await (const item of rows) seen += item.rows.length
  expect(seen).toBe(16) // to its end, with nobody there
  expect((await lab.database.prisma.run.findUniqueOrThrow({ where: { id: runId } })).state).toBe('RUNNING')
  await way.mend()
  const run = await lab.finished(runId, 40_000)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 16, fence: 1, datasets: [{ state: 'COMPLETE', rows: 16n }] })
  const told = await lab.database.prisma.event.findMany({ where: { runId, kind: 'RUN' } })
  expect(told).toHaveLength(2)
  const { runId: next } = await lab.queue(quick)
  expect((await lab.finished(next, 40_000)).state).toBe('COMPLETED') // and the queue works again
  expect((await lab.moves()).slice(moves)).toEqual(Array.from({ length: 16 }, (_, point) => `1PA${(3 + point * 0.2).toFixed(6)}`))
})

test('a run that is being claimed when the queue is held waits on, and goes when the queue goes', async () => {
  await lab.station[Symbol.asyncDispose]()
  let claims = 0
  let sweeps = 0
  lab.station = await startRunStation(lab.paths, {
    between: {
      // What is on its way back is still claimed for the database; whoever looks for lost claims then must not find this one.
      asked: async (statement) => {
        if (statement.includes('"startBefore" <= now()')) sweeps += 1
        if (!statement.includes(`SET "state" = 'QUEUED'`)) return
        const { last } = lab.station.journal
        await until(async () => (await lab.database.prisma.station.findUniqueOrThrow({ where: { id: lab.rows.stationId } })).journalSequence >= last)
        const from = sweeps
        await until(() => sweeps >= from + 3)
      },
      // Only a claim that took a run: a job that stalled while the queue was away may come once more, of a run that is over.
      answered: async (statement, rows) => {
        if (!statement.includes(`SET "state" = 'PREPARING'`) || rows === 0) return
        claims += 1
        if (claims === 1) await lab.station.runs.hold(ANA, 'lunch')
      },
    },
  })
  const before = (await lab.moves()).length
  const { runId, jobId } = await lab.queue(quick)
  // Claimed, and given back: before the claim is committed the row says QUEUED, too.
  const givenBack = { where: { id: runId, state: 'QUEUED', fence: 1 } } as const
  await until(async () => lab.station.runs.queueState.held && (await lab.database.prisma.run.count(givenBack)) === 1)
  expect(await lab.database.prisma.job.findUniqueOrThrow({ where: { id: jobId } })).toMatchObject({ state: 'WAITING', startedAt: null })
  expect(lab.station.runs.queueState).toEqual({ held: true, reason: 'held by ana: lunch' })
  expect((await lab.moves()).length).toBe(before)
  await lab.station.runs.release(ANA)
  expect(await lab.finished(runId)).toMatchObject({ state: 'COMPLETED', fence: 2 })
})

test('the end of the station in the middle of a run interrupts it in order and holds the queue', async () => {
  const { runId } = await lab.queue(scan(1, 24, 40))
  await lab.running(runId)
  await lab.restart()
  const run = await lab.finished(runId)
  expect(run).toMatchObject({
    state: 'INTERRUPTED',
    exitReason: 'the station was stopped in the middle of it',
    datasets: [{ state: 'COMPLETE', rows: BigInt(run.points) }],
  })
  expect(lab.station.runs.queueState).toEqual({ held: true, reason: `the station was stopped in the middle of run ${run.number}` })
  await lab.station.runs.release(ANA)
})

test('kill -9 in the middle of a run: its rows are recovered, it is INTERRUPTED and not run again', { timeout: 60_000 }, async () => {
  await lab.station[Symbol.asyncDispose]()
  const { runId } = await withKilledStation(lab.paths, async () => {
    const queued = await lab.queue({ type: 'count', arguments: { detectors: [meter], num: 10_000, delaySeconds: 0.02 } })
    await lab.running(queued.runId, 10)
    return queued
  })
  lab.station = await startRunStation(lab.paths)
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'INTERRUPTED', fence: 1, datasets: [{ state: 'RECOVERED', rows: BigInt(run.points) }] })
  expect(run.points).toBeGreaterThan(0)
  const [dataset] = run.datasets
  if (dataset === undefined) throw new Error('no dataset')
  expect(await lab.rowsOf(dataset)).toHaveLength(run.points)
  expect(await readManifest(lab.folderOf(dataset))).toMatchObject({
    dataset: { state: 'RECOVERED', sha256: dataset.sha256 },
    lab: { software: { commit: 'test' } },
  })
  expect(lab.station.runs.queueState).toEqual({ held: true, reason: 'the station ended in the middle of a run' })
  await lab.station.runs.release(ANA)
  const { runId: next } = await lab.queue(quick)
  expect((await lab.finished(next)).state).toBe('COMPLETED')
})
