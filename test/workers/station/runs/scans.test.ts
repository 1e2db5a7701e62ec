import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlanSpec } from '../../../../core/plan.ts'
import type { RowCell } from '../../../../core/row.ts'
import { BEAM, lightAt } from '../../../../local/lab/world.ts'
import { readManifest } from '../../../../storage/manifest.ts'
import type { TestDatabase } from '../../../harness/database.ts'
import { startTestDatabase } from '../../../harness/database.ts'
import { until } from '../../../until.ts'
import { ANA, RunLab } from './run-lab.ts'

const meter = { role: 'power-meter' } as const

function scan(start: number, stop: number, num: number, more: object = {}): PlanSpec {
  return { type: 'linearScan', arguments: { axes: [{ role: 'stage-x', start, stop, relative: false, ...more }], num, detectors: [meter], after: 'STAY' } }
}

const column = (rows: readonly (readonly RowCell[])[], index: number): number[] => rows.map((row) => Number(row[index]))

let server: TestDatabase
let lab: RunLab
beforeAll(async () => {
  server = await startTestDatabase()
  lab = await RunLab.open(server)
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await server.stop()
})

describe('a linear scan', () => {
  test('of an axis writes commanded and measured position and reading of every point, with units, and is told from start to end', async () => {
    const { runId, sessionId } = await lab.queue(scan(10, 15, 11))
    const run = await lab.finished(runId)
    expect(run).toMatchObject({
      state: 'COMPLETED',
      points: 11,
      totalPoints: 11,
      fence: 1,
      startedAt: expect.any(Date),
      endedAt: expect.any(Date),
      problem: null,
    })
    expect(run.job).toMatchObject({ state: 'COMPLETED', progress: 1 })
    expect(run.manifest).toMatchObject({ parameters: expect.arrayContaining([expect.objectContaining({ deviceName: 'stage-x', parameter: 'velocity' })]) })

    const [dataset] = run.datasets
    expect(dataset).toMatchObject({
      kind: 'TABLE',
      state: 'COMPLETE',
      rows: 11n,
      dropped: 0n,
      axes: ['stage-x'],
      signals: ['power-meter'],
      shape: [11],
      sessionId,
    })
    expect(dataset?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(dataset?.files).toEqual([
      { name: 'table.arrow', bytes: Number(dataset?.bytes), sha256: dataset?.sha256, mediaType: 'application/vnd.apache.arrow.stream' },
    ])
    expect(dataset?.folder).toMatch(/^datasets\/\d{4}\/\d{2}\//)
    expect(dataset?.columns).toMatchObject([
      { name: 'time', type: 'timestamp[ns]' },
      { name: 'seq_num', type: 'int64' },
      { name: 'stage-x', type: 'float64', unit: 'mm', parameter: 'position' },
      { name: 'stage-x_setpoint', type: 'float64', unit: 'mm' },
      { name: 'power-meter', type: 'float64', unit: 'W', parameter: 'power' },
    ])

    if (dataset === undefined) throw new Error('no dataset')
    const rows = await lab.rowsOf(dataset)
    expect(column(rows, 1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(column(rows, 3)).toEqual([10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14, 14.5, 15])
    for (const [, , measured, commanded, power] of rows) {
      expect(Math.abs(Number(measured) - Number(commanded))).toBeLessThan(0.001) // it stood when it was read
      expect(Number(power) / lightAt(Number(commanded))).toBeCloseTo(1, 0)
    }
    expect(Math.max(...column(rows, 4))).toBeGreaterThan(BEAM.peakWatts * 0.9)
    expect((await readdir(lab.folderOf(dataset))).sort()).toEqual(['manifest.json', 'table.arrow'])
    expect(await readManifest(lab.folderOf(dataset))).toMatchObject({
      dataset: { id: dataset.id, state: 'COMPLETE', rows: 11, sha256: dataset.sha256 },
      lab: { software: { commit: 'test' } },
    })

    const events = await lab.database.prisma.event.findMany({ where: { runId, kind: { in: ['RUN', 'DATASET'] } }, orderBy: { id: 'asc' } })
    expect(events.map(({ summary }) => summary)).toEqual([
      `Run ${run.number} started`,
      `Dataset run ${run.number} is complete: 11 rows`,
      `Run ${run.number} completed after 11 points`,
    ])
    const [change] = await lab.database.prisma.parameterChange.findMany({ where: { cause: { path: ['runId'], equals: runId } } })
    expect(change?.cause).toMatchObject({ kind: 'PLAN', actor: 'ana', sessionId })
  })

  test('in another unit, relative, that goes back afterwards', async () => {
    const before = await lab.station.host.device(lab.deviceId('stage-x')).readNow(['position'], AbortSignal.timeout(30_000))
    const origin = Number(before.get('position')?.value)
    const axes = [{ role: 'stage-x', start: -100, stop: 100, unit: 'um', relative: true }]
    const { runId } = await lab.queue({
      type: 'linearScan',
      arguments: { axes, num: 3, detectors: [meter], after: 'RETURN', settle: { tolerance: 1, dwellSeconds: 0.05 } },
    })
    const run = await lab.finished(runId)
    expect(run.state).toBe('COMPLETED')
    const [dataset] = run.datasets
    if (dataset === undefined) throw new Error('no dataset')
    expect(dataset.columns).toMatchObject([{}, {}, { unit: 'um' }, { unit: 'um' }, {}])
    const commanded = column(await lab.rowsOf(dataset), 3)
    expect(commanded.map((value) => Math.round(value - origin * 1000) + 0)).toEqual([-100, 0, 100])
    const after = await lab.station.host.device(lab.deviceId('stage-x')).readNow(['position'], AbortSignal.timeout(30_000))
    expect(Number(after.get('position')?.value)).toBeCloseTo(origin, 2)
  })

  test('of a settable parameter sets and confirms it at each point', async () => {
    const axes = [{ role: 'power-meter', parameter: 'wavelength', start: 600, stop: 700, relative: false }]
    const { runId } = await lab.queue({ type: 'linearScan', arguments: { axes, num: 3, detectors: [meter], after: 'STAY' } })
    const run = await lab.finished(runId)
    expect(run.state).toBe('COMPLETED')
    const [dataset] = run.datasets
    if (dataset === undefined) throw new Error('no dataset')
    expect(dataset.columns).toMatchObject([
      {},
      {},
      { name: 'power-meter_wavelength', unit: 'nm' },
      { name: 'power-meter_wavelength_setpoint' },
      { name: 'power-meter' },
    ])
    const rows = await lab.rowsOf(dataset)
    expect(column(rows, 2)).toEqual([600, 650, 700])
    expect(column(rows, 3)).toEqual([600, 650, 700])
  })

  test('whose range leaves the limits moves nothing and says which', async () => {
    const moves = await lab.moves()
    const { runId } = await lab.queue(scan(20, 30, 3))
    const run = await lab.finished(runId)
    expect(run).toMatchObject({
      state: 'FAILED',
      points: 0,
      startedAt: null,
      exitReason: expect.stringContaining('stage-x.position: 30 mm is outside 0 … 25 mm'),
    })
    expect(run.problem).toMatchObject({ code: 'LIMIT_VIOLATION', facts: { given: 30, maximum: 25, deviceId: lab.deviceId('stage-x') } })
    expect(run.datasets).toEqual([])
    expect(await lab.moves()).toEqual(moves)
  })

  test('that does not come close enough in time ends FAILED and says how far it was', async () => {
    const axes = [{ role: 'stage-x', start: 3, stop: 4, relative: false }]
    const settle = { tolerance: 0, timeoutSeconds: 2 } // closer than the encoder's noise
    const { runId } = await lab.queue({ type: 'linearScan', arguments: { axes, num: 40, detectors: [meter], after: 'STAY', settle } })
    const run = await lab.finished(runId, 60_000)
    expect(run).toMatchObject({
      state: 'FAILED',
      problem: { code: 'DEADLINE_EXCEEDED' },
      exitReason: expect.stringMatching(/stage-x did not settle within 2000 ms: stage-x is .* from its target/),
    })
    expect(run.datasets).toMatchObject([{ state: 'COMPLETE', rows: BigInt(run.points) }])
  })

  test('with several faults is rejected with each of them', async () => {
    const axes = [{ role: 'power-meter', start: 0, stop: 1, relative: false }]
    const { runId } = await lab.queue({ type: 'linearScan', arguments: { axes, num: 2, detectors: [{ role: 'nobody' }], after: 'STAY' } })
    const { problem } = await lab.finished(runId)
    expect(problem).toMatchObject({
      code: 'PLAN_REJECTED',
      facts: { reasons: [expect.stringContaining('cannot be moved'), expect.stringContaining('nobody')] },
    })
  })
})

describe('count', () => {
  test('averages, names parameters, and keeps its pace', async () => {
    const detectors = [
      { ...meter, average: 3 },
      { role: 'stage-x', parameters: ['velocity', 'moving', 'stage'] },
    ]
    const { runId } = await lab.queue({ type: 'count', arguments: { detectors, num: 3, delaySeconds: 0.1 } })
    const run = await lab.finished(runId)
    const [dataset] = run.datasets
    if (dataset === undefined) throw new Error(run.exitReason ?? 'no dataset')
    expect(dataset.axes).toEqual(['time'])
    expect(dataset.columns).toMatchObject([
      {},
      {},
      { name: 'power-meter' },
      { name: 'stage-x_velocity', unit: 'mm/s' },
      { name: 'stage-x_moving', type: 'bool' },
      { name: 'stage-x_stage', type: 'utf8' },
    ])
    const rows = await lab.rowsOf(dataset)
    expect(rows[0]?.slice(3)).toEqual([10, false, 'TS50DC.5, SN1263'])
    expect(Number(rows[2]?.[0]) - Number(rows[0]?.[0])).toBeGreaterThan(0.2e9)
  })

  test('that is aborted ends ABORTED with its rows, who and why', async () => {
    const { runId } = await lab.queue({ type: 'count', arguments: { detectors: [meter], num: 1000, delaySeconds: 0.05 } })
    await lab.running(runId, 3)
    expect(lab.station.runs.queueState.activeRunId).toBe(runId)
    expect(lab.station.runs.abort(runId, ANA, 'seen enough')).toBe(true)
    const run = await lab.finished(runId)
    expect(run).toMatchObject({ state: 'ABORTED', exitReason: 'aborted by ana: seen enough', abortReason: 'seen enough', job: { state: 'CANCELLED' } })
    const [dataset] = run.datasets
    expect(dataset).toMatchObject({ state: 'COMPLETE', rows: BigInt(run.points), shape: [run.points] })
    expect(run.points).toBeGreaterThanOrEqual(3)
    const event = await lab.database.prisma.event.findFirstOrThrow({ where: { runId, summary: { contains: 'aborted' } } })
    expect(event.cause).toMatchObject({ kind: 'PERSON', actor: 'ana', reason: 'seen enough' })
    expect(lab.station.runs.abort(runId, ANA, undefined)).toBe(false)
  })

  test('of a detector that fails ends FAILED with the reason and without a made-up row', async () => {
    const { runId } = await lab.queue({ type: 'count', arguments: { detectors: [meter], num: 1000, delaySeconds: 0.02 } })
    await lab.running(runId, 2)
    lab.lab.powerMeter.instrument.turnUnits('dB') // decibels are no watts
    const run = await lab.finished(runId)
    lab.lab.powerMeter.instrument.turnUnits('W')
    await until(() => lab.station.host.device(lab.deviceId('power-meter')).reading('power')?.quality === 'GOOD')
    expect(run).toMatchObject({
      state: 'FAILED',
      exitReason: expect.stringContaining('power-meter.power could not be read'),
      problem: { code: 'HARDWARE_FAULT' },
    })
    const [dataset] = run.datasets
    if (dataset === undefined) throw new Error('no dataset')
    const rows = await lab.rowsOf(dataset)
    expect(rows).toHaveLength(run.points)
    expect(rows.every((row) => Number(row[2]) > 0)).toBe(true)
  })
})

test('a reply that is swallowed now and then ends no run; the reading is asked for again', async () => {
  const { runId } = await lab.queue({ type: 'count', arguments: { detectors: [meter], num: 20, delaySeconds: 0.05 } })
  await lab.running(runId)
  lab.lab.powerMeter.line.inject({ kind: 'silent' }, { kind: 'garbage' })
  expect(await lab.finished(runId)).toMatchObject({ state: 'COMPLETED', points: 20, datasets: [{ rows: 20n }] })
})

test('a device of a run refuses others, and is free afterwards', async () => {
  const { runId } = await lab.queue(scan(5, 20, 30))
  await lab.running(runId)
  const call = { deviceId: lab.deviceId('stage-x'), call: { kind: 'move', to: 1, wait: false } } as const
  const request = { requestId: 'r1', calls: [call], order: 'sequence', cause: { kind: 'PERSON', actor: 'bob' }, acceptWithinMs: 30_000 } as const
  await expect(lab.station.host.command(request, new AbortController().signal)).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
  lab.station.runs.abort(runId, ANA, undefined)
  await lab.finished(runId)
  await until(() => lab.station.host.device(lab.deviceId('stage-x')).state.motion?.moving === false)
  await expect(lab.station.host.command({ ...request, requestId: 'r2' }, new AbortController().signal)).resolves.toBeDefined()
})

test('an axis that somebody stops ends the run: its next point would be another place', async () => {
  await until(() => lab.station.host.device(lab.deviceId('stage-x')).state.motion?.moving === false)
  await lab.station.host.command(
    {
      requestId: 's0',
      calls: [{ deviceId: lab.deviceId('stage-x'), call: { kind: 'set', name: 'velocity', value: 2 } }],
      order: 'sequence',
      cause: { kind: 'PERSON' },
      acceptWithinMs: 30_000,
    },
    new AbortController().signal,
  )
  const { runId } = await lab.queue(scan(2, 22, 3))
  await lab.running(runId)
  await until(() => lab.station.host.device(lab.deviceId('stage-x')).state.motion?.moving)
  await lab.station.host.command(
    {
      requestId: 's1',
      calls: [{ deviceId: lab.deviceId('stage-x'), call: { kind: 'stop' } }],
      order: 'sequence',
      cause: { kind: 'PERSON' },
      acceptWithinMs: 30_000,
    },
    new AbortController().signal,
  )
  expect(await lab.finished(runId)).toMatchObject({ state: 'ABORTED', exitReason: expect.stringContaining('stage-x was stopped on its way to 12') })
})

test('the run behind one that is aborted in the middle of a move starts from a standing axis', async () => {
  const { runId } = await lab.queue(scan(2, 22, 3))
  const { runId: next } = await lab.queue(scan(1, 2, 2))
  await lab.running(runId)
  await until(() => lab.station.host.device(lab.deviceId('stage-x')).state.motion?.moving)
  lab.station.runs.abort(runId, ANA, undefined)
  expect((await lab.finished(runId)).state).toBe('ABORTED')
  expect(await lab.finished(next)).toMatchObject({ state: 'COMPLETED', points: 2 })
})

test('rows are followed from anywhere, while they come and after the end', async () => {
  const { runId } = await lab.queue({ type: 'count', arguments: { detectors: [meter], num: 12, delaySeconds: 0.03 } })
  const signal = AbortSignal.timeout(45_000)
  const follow = async (from: number): Promise<readonly number[]> => {
    const seen: number[] = []
    let ended = false
    for await (const item of lab.station.runs.rows(runId, from, signal)) {
      expect(item.columns.map(({ name }) => name)).toEqual(['time', 'seq_num', 'power-meter'])
      expect(item.firstRow).toBe(from + seen.length)
      seen.push(...item.rows.map((row) => Number(row[1])))
      ended = item.ended
    }
    expect(ended).toBe(true)
    return seen
  }
  const [all, tail] = await Promise.all([follow(0), follow(9)])
  expect(all).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  expect(tail).toEqual([10, 11, 12])
  await lab.finished(runId)
  await lab.restart() // nothing of it is in memory any more
  expect(await follow(5)).toEqual([6, 7, 8, 9, 10, 11, 12])
  await expect(lab.station.runs.rows('00000000-0000-7000-8000-000000000000', 0, signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(JSON.parse(await readFile(join(lab.folderOf((await lab.finished(runId)).datasets[0] ?? { folder: '' }), 'manifest.json'), 'utf8'))).toMatchObject({
    kymograph: 1,
  })
})
