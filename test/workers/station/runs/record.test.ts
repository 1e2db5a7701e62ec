import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PlanSpec } from '../../../../core/plan.ts'
import { openFrameFile } from '../../../../storage/frame-file.ts'
import { readRoiSeries } from '../../../../storage/roi-series.ts'
import type { TestDatabase } from '../../../harness/database.ts'
import { startTestDatabase } from '../../../harness/database.ts'
import { withKilledStation } from './killed-station.ts'
import { ANA, RunLab, startRunStation } from './run-lab.ts'

const camera = { role: 'camera', exposureSeconds: 0.01 } as const
const meter = { role: 'power-meter' } as const
const record = (more: object): PlanSpec => ({ type: 'record', arguments: { detectors: [camera], ...more } })

let server: TestDatabase
let lab: RunLab
beforeAll(async () => {
  server = await startTestDatabase()
  lab = await RunLab.open(server, { names: ['camera', 'power-meter'] })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await server.stop()
})

test('a number of frames, past JavaScript, each whole and in order', async () => {
  const { runId } = await lab.queue(record({ frames: 60 }))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 60, totalPoints: 60, exitReason: null })
  const [dataset] = run.datasets
  if (dataset === undefined) throw new Error('no dataset')
  expect(dataset).toMatchObject({
    kind: 'FRAMES',
    state: 'COMPLETE',
    rows: 60n,
    dropped: 0n,
    shape: [60, 512, 512],
    deviceId: lab.deviceId('camera'),
    axes: ['time'],
    signals: ['frame'],
  })
  expect(dataset.columns).toMatchObject([
    ...['sequence', 'time', 'hardwareTime', 'exposure', 'roiX', 'roiY', 'roiWidth', 'roiHeight', 'minimum', 'maximum', 'mean', 'saturated'].map((name) => ({
      name,
    })),
    { name: 'frame', type: 'uint16', unit: '{count}', shape: [512, 512] },
  ])
  expect(dataset.sha256).toMatch(/^[0-9a-f]{64}$/)
  const path = join(lab.folderOf(dataset), 'frames.arrow')
  expect((await stat(path)).size).toBe(Number(dataset.bytes))
  await using file = await openFrameFile(path)
  expect(await file.count()).toBe(60)
  expect(file.metadata.get('bitDepth')).toBe(String(lab.station.host.device(lab.deviceId('camera')).handle?.frames?.sensor.bitDepth))
  const maxima: number[] = []
  for await (const some of readRoiSeries(file, undefined)) maxima.push(...some.map(({ maximum }) => maximum))
  expect(maxima).toHaveLength(60)
  const { pixels } = await file.checkedFrame(59)
  expect(maxima[59]).toBe(pixels.reduce((most, pixel) => Math.max(most, pixel)))
  const facet = lab.station.host.device(lab.deviceId('camera')).handle?.frames
  expect(facet?.configuration().exposureSeconds).toBe(0.01)
  expect(facet?.streaming).toBe(false) // as it was found
})

test('compressed, with every file of it in the list', async () => {
  const { runId } = await lab.queue(record({ frames: 10, compression: 'ZSTD' }))
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 10 })
  const [dataset] = run.datasets
  if (dataset === undefined) throw new Error('no dataset')
  const folder = lab.folderOf(dataset)
  const sha256 = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  const listed = (name: string, mediaType: string) => ({ name, mediaType, bytes: statSync(join(folder, name)).size, sha256: sha256(name) })
  expect(dataset.files).toEqual([listed('frames.arrow', 'application/vnd.apache.arrow.stream'), listed('frames.arrow.index', 'application/octet-stream')])
  expect(dataset.sha256).toBe(sha256('frames.arrow'))
  await using file = await openFrameFile(join(folder, 'frames.arrow'))
  expect(file.settings.compression).toBe('ZSTD')
  for (let index = 0; index < 10; index += 1) expect((await file.checkedFrame(index)).pixels).toHaveLength(512 * 512)
})

test('for a time, together with a scalar at its own rate', async () => {
  const { runId } = await lab.queue({ type: 'record', arguments: { detectors: [camera, meter], durationSeconds: 1, rateHz: 10 } })
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', totalPoints: null })
  const [frames, table] = run.datasets
  expect(frames).toMatchObject({ kind: 'FRAMES', state: 'COMPLETE' })
  expect(Number(frames?.rows)).toBeGreaterThan(0)
  expect(run.points).toBe(Number(frames?.rows))
  expect(table).toMatchObject({ kind: 'TABLE', state: 'COMPLETE', axes: ['time'], signals: ['power-meter'] })
  expect(Number(table?.rows)).toBeLessThanOrEqual(11) // fewer where the machine is busy: a missed tick is left out
})

test('beside a scalar at its own rate, which goes on until all of it ends', async () => {
  const { runId } = await lab.queue({ type: 'record', arguments: { detectors: [camera, meter], rateHz: 10 } })
  await lab.running(runId, 5)
  const times: number[] = []
  for await (const { rows } of lab.station.runs.rows(runId, 0, AbortSignal.timeout(45_000))) {
    times.push(...rows.map(([time]) => Number(time)))
    if (times.length >= 5) break
  }
  lab.station.runs.abort(runId, ANA, undefined)
  const [frames, table] = (await lab.finished(runId)).datasets
  expect(Number(frames?.rows)).toBeGreaterThanOrEqual(5)
  expect(Number(table?.rows)).toBeGreaterThanOrEqual(times.length)
  expect(((times[4] ?? 0) - (times[0] ?? 0)) / 1e9).toBeGreaterThan(0.3) // four ticks, of which the first may have been late
})

test('of scalars alone, frames counts rows', async () => {
  const { runId } = await lab.queue({ type: 'record', arguments: { detectors: [meter], frames: 5, rateHz: 20 } })
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'COMPLETED', points: 5, datasets: [{ kind: 'TABLE', rows: 5n, shape: [5] }] })
})

test('until it is aborted, with every frame so far', async () => {
  const { runId } = await lab.queue(record({}))
  await lab.running(runId, 10)
  lab.station.runs.abort(runId, ANA, undefined)
  const run = await lab.finished(runId)
  expect(run).toMatchObject({ state: 'ABORTED', exitReason: 'aborted by ana', datasets: [{ state: 'COMPLETE', rows: BigInt(run.points) }] })
  const [dataset] = run.datasets
  if (dataset === undefined) throw new Error('no dataset')
  await using file = await openFrameFile(join(lab.folderOf(dataset), 'frames.arrow'))
  expect(await file.count()).toBe(run.points)
})

test('a camera is no detector of a count, and the run says so', async () => {
  const { runId } = await lab.queue({ type: 'count', arguments: { detectors: [{ role: 'camera' }], num: 1 } })
  expect(await lab.finished(runId)).toMatchObject({
    state: 'FAILED',
    problem: { code: 'NOT_SUPPORTED', message: expect.stringContaining('only the plan record') },
  })
})

test('kill -9 in the middle of a recording leaves every whole frame, recovered at the next start', { timeout: 60_000 }, async () => {
  await lab.station[Symbol.asyncDispose]()
  const { runId } = await withKilledStation(lab.paths, async () => {
    const queued = await lab.queue(record({}))
    await lab.running(queued.runId, 20)
    return queued
  })
  lab.station = await startRunStation(lab.paths)
  const run = await lab.finished(runId)
  expect(run).toMatchObject({
    state: 'INTERRUPTED',
    datasets: [{ kind: 'FRAMES', state: 'RECOVERED', rows: BigInt(run.points), shape: [run.points, 512, 512] }],
  })
  expect(run.points).toBeGreaterThanOrEqual(20)
  const [dataset] = run.datasets
  if (dataset === undefined) throw new Error('no dataset')
  await using file = await openFrameFile(join(lab.folderOf(dataset), 'frames.arrow'))
  expect(await file.count()).toBe(run.points)
  expect((await file.label(run.points - 1)).index).toBe(run.points - 1)
})
