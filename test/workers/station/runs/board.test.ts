import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { PlanSpec } from '../../../../core/plan.ts'
import { readSeries, readStatistics } from '../../../../storage/dataset.ts'
import { openTable } from '../../../../storage/table-file.ts'
import type { TestDatabase } from '../../../harness/database.ts'
import { startTestDatabase } from '../../../harness/database.ts'
import { until } from '../../../until.ts'
import { withKilledStation } from './killed-station.ts'
import { ANA, RunLab, startRunStation } from './run-lab.ts'

const board = { role: 'daq', parameters: ['ach0', 'ach1'], rateHz: 10_000 } as const
const camera = { role: 'camera', exposureSeconds: 0.01 } as const
const meter = { role: 'power-meter' } as const
const record = (more: object, detectors: readonly object[] = [board]): PlanSpec => ({ type: 'record', arguments: { detectors, ...more } }) as PlanSpec

let server: TestDatabase
let lab: RunLab
beforeAll(async () => {
  server = await startTestDatabase()
  lab = await RunLab.open(server, { names: ['daq', 'camera', 'power-meter'] })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await server.stop()
})
const bench = (text: string) => writeFile(join(lab.paths.labDir, 'daq.so.bench'), text)
beforeEach(() => bench('pace 1\n'))
afterEach(() => bench('pace 1\n'))

const device = () => lab.station.host.device(lab.deviceId('daq'))
type Recorded = Awaited<ReturnType<RunLab['finished']>>['datasets'][number]

/** Counts of the inputs, scan by scan, where every row has its number and is `stepNs` after the one before. */
async function scansOf(dataset: Recorded | undefined, stepNs: bigint): Promise<number[]> {
  if (dataset === undefined) throw new Error('no dataset')
  await using file = await openTable(join(lab.folderOf(dataset), 'table.arrow'))
  const { inputs } = JSON.parse(file.metadata['kymograph.acquisition'] ?? '{}') as { inputs: { minimum: number; maximum: number; maximumCount: number }[] }
  const counts: number[] = []
  let startNs = 0n
  let row = 0
  for await (const { rows, columns } of file.read(
    file.columns.map(({ name }) => name),
    { from: 0, to: file.rows },
  ))
    for (let at = 0; at < rows; at += 1, row += 1) {
      const [time, number, ...values] = columns.map(({ values, start }) => (values.layout === 'fixed' ? values.array[start + at] : undefined))
      if (row === 0) startNs = BigInt(String(time))
      if (time !== startNs + BigInt(row) * stepNs || number !== BigInt(row + 1)) throw new Error(`row ${row}: ${time} ${number}`)
      for (const [index, value] of values.entries()) {
        const { minimum = 0, maximum = 0, maximumCount = 0 } = inputs[index] ?? {}
        counts.push(Math.round(((Number(value) - minimum) / (maximum - minimum)) * maximumCount))
      }
    }
  return counts
}

const firstWrong = (counts: readonly number[]): number => counts.findIndex((count, at) => count !== at % 65_536)

test('two inputs at 10 kHz for a time: every scan once, in volts, timed by the board', async () => {
  const beforeNs = BigInt(Date.now()) * 1_000_000n
  const { runId } = await lab.queue(record({ durationSeconds: 0.5 }))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 5000, exitReason: null })
  const [dataset] = run.datasets
  expect(dataset).toMatchObject({
    kind: 'TABLE',
    state: 'COMPLETE',
    rows: 5000n,
    dropped: 0n,
    shape: [5000],
    deviceId: lab.deviceId('daq'),
    axes: ['time'],
    signals: ['daq_ach0', 'daq_ach1'],
    columns: [
      { name: 'time', type: 'timestamp[ns]' },
      { name: 'seq_num', type: 'int64' },
      { name: 'daq_ach0', type: 'float64', unit: 'V', deviceId: lab.deviceId('daq'), parameter: 'ach0' },
      { name: 'daq_ach1', type: 'float64', unit: 'V', deviceId: lab.deviceId('daq'), parameter: 'ach1' },
    ],
  })
  if (dataset === undefined) throw new Error('no dataset')
  expect(dataset.sha256).toMatch(/^[0-9a-f]{64}$/)
  const folder = lab.folderOf(dataset)
  expect((await stat(join(folder, 'table.arrow'))).size).toBe(Number(dataset.bytes))
  expect(await scansOf(dataset, 100_000n)).toHaveLength(10_000)
  const [ach0, ach1] = await readStatistics(folder, ['daq_ach0', 'daq_ach1'])
  expect(ach0).toMatchObject({ count: 5000, nulls: 0, mean: expect.closeTo(-0.0496, 2) })
  expect(ach1).toMatchObject({ count: 5000, nulls: 0, mean: expect.closeTo(4.7814, 2) })
  const [curve] = await readSeries(folder, { columns: ['daq_ach1'], x: 'time', maxPoints: 100, reduce: 'MEAN' })
  expect(curve).toMatchObject({ unit: 'V', reducedFrom: 5000 })
  expect(BigInt(Math.round((curve?.x[0] ?? 0) * 1e3)) * 1_000_000n).toBeGreaterThanOrEqual(beforeNs - 50_000_000n)
  await using file = await openTable(join(folder, 'table.arrow'))
  expect(JSON.parse(file.metadata['kymograph.acquisition'] ?? '')).toMatchObject({
    scanIntervalNs: 100_000,
    convertIntervalNs: 50_000,
    scans: 5000,
    start: 'NOW',
    inputs: [
      { parameter: 'ach0', unit: 'V', minimum: -10, maximum: 10, maximumCount: 65_535, reference: 'GROUND' },
      { parameter: 'ach1', minimum: -10, maximum: 10 },
    ],
  })
})

test('a number of scans at the fastest that the board can, none lost or repeated; a rate between its ticks is told', async () => {
  await bench('ramp 1\npace 4\nbuffer 8388608\n') // 400 000 samples a second
  const { runId } = await lab.queue(record({ frames: 100_001 }, [{ ...board, parameters: ['ach3', 'ach0', 'ach7'], rateHz: 33_300 }]))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 100_001, totalPoints: 100_001 })
  const counts = await scansOf(run.datasets[0], 30_050n) // 30 030 ns are no whole number of 50 ns
  expect(counts).toHaveLength(300_003)
  expect(firstWrong(counts)).toBe(-1)
})

test('until it is aborted, with every scan so far; its inputs are seen live meanwhile', async () => {
  await bench('ramp 1\n')
  const { runId } = await lab.queue(record({}))
  await lab.running(runId, 2000)
  const live = (await device().handle?.read(['ach0', 'ach1', 'ach2'], AbortSignal.timeout(20_000))) ?? new Map()
  expect(live.get('ach0')).toHaveProperty('value')
  expect(live.get('ach1')).toHaveProperty('value')
  expect(live.get('ach2')).toEqual({ bad: 'ach2 cannot be read while other inputs are recorded' })
  lab.station.runs.abort(runId, ANA, undefined)
  const run = await lab.finished(runId)
  expect(run).toMatchObject({
    state: 'ABORTED',
    exitReason: 'aborted by ana',
    datasets: [{ state: 'COMPLETE', rows: BigInt(run.points), shape: [run.points] }],
  })
  const counts = await scansOf(run.datasets[0], 100_000n)
  expect(counts).toHaveLength(2 * run.points)
  expect(firstWrong(counts)).toBe(-1)
})

test('an overflow of the board ends the run, with everything before it readable', async () => {
  await bench('ramp 1\npace 50\nbuffer 2000\n') // 500 scans, made in one millisecond
  const { runId } = await lab.queue(record({}))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({
    state: 'FAILED',
    exitReason: expect.stringMatching(/overflow: the board's buffer was full after \d+ scans/),
    problem: { code: 'HARDWARE_FAULT', facts: { instrumentCode: '32', deviceId: lab.deviceId('daq') } },
  })
  const [dataset] = run.datasets
  const told = Number(/after (\d+) scans/.exec(run.exitReason ?? '')?.[1])
  expect(dataset).toMatchObject({ state: 'COMPLETE', rows: BigInt(told) })
  expect(told).toBeGreaterThanOrEqual(500)
  expect(firstWrong(await scansOf(dataset, 100_000n))).toBe(-1)
  await bench('pace 1\n')
  expect(await lab.finished((await lab.queue(record({ frames: 10 }))).runId)).toMatchObject({ state: 'COMPLETED' }) // the board is free again
})

test('beside a camera and an instrument that is polled, each at its own rate', async () => {
  // The camera is started first: its frames last a second, the board's scans begin meanwhile.
  const { runId } = await lab.queue(record({ frames: 100, rateHz: 20 }, [camera, board, meter]))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 100 })
  const of = (name: string) => run.datasets.find(({ deviceId }) => deviceId === lab.deviceId(name))
  expect(of('camera')).toMatchObject({ kind: 'FRAMES', rows: 100n })
  const scans = of('daq')
  expect(scans).toMatchObject({ kind: 'TABLE', state: 'COMPLETE' })
  expect(Number(scans?.rows)).toBeGreaterThan(100)
  expect(await scansOf(scans, 100_000n)).toHaveLength(2 * Number(scans?.rows))
  expect(run.datasets.find(({ deviceId }) => deviceId === null)).toMatchObject({ kind: 'TABLE', signals: ['power-meter'] })
})

test('the rate of the plan is the board’s, where the board can keep it: every scan once', async () => {
  await bench('ramp 1\n')
  const { runId } = await lab.queue(record({ durationSeconds: 1, rateHz: 1000 }, [{ role: 'daq', parameters: ['ach0', 'ach1'] }]))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 1000, datasets: [{ rows: 1000n, dropped: 0n, signals: ['daq_ach0', 'daq_ach1'] }] })
  expect(firstWrong(await scansOf(run.datasets[0], 1_000_000n))).toBe(-1)
})

test.each<[string, readonly object[]]>([
  ['an instrument that has no clock', [{ role: 'daq', parameters: ['ach0'] }, meter]],
  ['an average', [{ role: 'daq', parameters: ['ach0'], average: 2 }]],
  ['an output of the board', [{ role: 'daq', parameters: ['ach0', 'dac0'] }]],
])('with %s all are read into rows together, and what that cannot keep up with is told', async (_, detectors) => {
  const { runId } = await lab.queue(record({ durationSeconds: 0.5, rateHz: 1000 }, detectors))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', datasets: [{ kind: 'TABLE', deviceId: null }] })
  const [{ rows, dropped } = { rows: 0n, dropped: 0n }] = run.datasets
  expect(rows).toBeGreaterThan(0n)
  expect(dropped).toBeGreaterThan(0n)
  expect(rows + dropped).toBeGreaterThanOrEqual(499n)
  const told = await lab.database.prisma.event.findFirst({ where: { runId, kind: 'DATASET' } })
  expect(told?.summary).toBe(`Dataset run ${run.number} is complete: ${rows} rows, ${dropped} dropped`)
})

test('an edge at a pin starts it, and a run that waits for one can be aborted', async () => {
  const handle = device().handle
  await handle?.write?.('start_trigger', 'PFI0', AbortSignal.timeout(20_000))
  try {
    await handle?.write?.('dio0', false, AbortSignal.timeout(20_000))
    const first = await lab.queue(record({ frames: 1000 }))
    await until(async () => handle?.acquisition !== undefined && (await stateOf(first.runId)) === 'RUNNING')
    await until(async () => 'bad' in ((await handle?.read(['ach0'], AbortSignal.timeout(20_000)))?.get('ach0') ?? {}), { what: 'the board to wait' })
    const edgeNs = BigInt(Date.now()) * 1_000_000n
    await handle?.write?.('dio0', true, AbortSignal.timeout(20_000))
    const run = await lab.finished(first.runId)
    expect(run).toMatchObject({ state: 'COMPLETED', points: 1000 })
    const [dataset] = run.datasets
    if (dataset === undefined) throw new Error('no dataset')
    const [curve] = await readSeries(lab.folderOf(dataset), { columns: ['daq_ach0'], x: 'time', maxPoints: 1000, reduce: 'MEAN' })
    expect(BigInt(Math.round((curve?.x[0] ?? 0) * 1e3)) * 1_000_000n).toBeGreaterThanOrEqual(edgeNs - 50_000_000n) // not when the command was given

    const second = await lab.queue(record({ frames: 1000 }))
    await until(async () => (await stateOf(second.runId)) === 'RUNNING')
    lab.station.runs.abort(second.runId, ANA, 'no light')
    expect(await lab.finished(second.runId)).toMatchObject({ state: 'ABORTED', exitReason: 'aborted by ana: no light', datasets: [{ rows: 0n }] })
  } finally {
    await handle?.write?.('start_trigger', 'NOW', AbortSignal.timeout(20_000))
  }
})

const stateOf = async (runId: string): Promise<string> => (await lab.database.prisma.run.findUniqueOrThrow({ where: { id: runId } })).state

test.each([
  [{ ...board, rateHz: 50_001 }, 'LIMIT_VIOLATION', /the rate of 2 inputs together: 50001 Hz is outside 2 … 50000 Hz/],
  [{ ...board, parameters: ['ach0', 'ach16'] }, 'NOT_FOUND', /ach16/],
  [{ ...board, parameters: ['dac0'] }, 'INVALID_VALUE', /dac0 is not sampled; choose among ach0, ach1/],
  [{ ...board, parameters: ['ach1', 'ach1'] }, 'INVALID_VALUE', /ach1 is there twice/],
  [{ role: 'power-meter', rateHz: 100 }, 'NOT_SUPPORTED', /power-meter .* does not sample by a clock of its own/],
])('%j is refused before anything begins', async (detector, code, message) => {
  const { runId } = await lab.queue(record({ durationSeconds: 1 }, [detector]))
  expect(await lab.finished(runId)).toMatchObject({ state: 'FAILED', datasets: [], problem: { code, message: expect.stringMatching(message) } })
})

test('kill -9 in the middle of a recording leaves every whole batch, recovered at the next start', { timeout: 60_000 }, async () => {
  await lab.station[Symbol.asyncDispose]()
  await bench('ramp 1\n')
  const { runId } = await withKilledStation(lab.paths, async () => {
    const queued = await lab.queue(record({}))
    await lab.running(queued.runId, 10_000)
    return queued
  })
  lab.station = await startRunStation(lab.paths)
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'INTERRUPTED', datasets: [{ kind: 'TABLE', state: 'RECOVERED', rows: BigInt(run.points), shape: [run.points] }] })
  expect(run.points).toBeGreaterThanOrEqual(10_000)
  expect(run.points % 2500).toBe(0) // a quarter of a second
  expect(firstWrong(await scansOf(run.datasets[0], 100_000n))).toBe(-1)
})
