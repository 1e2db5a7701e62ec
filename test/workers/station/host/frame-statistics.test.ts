import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JournalEntry } from '../../../../core/journal.ts'
import { QUALITIES } from '../../../../core/reading.ts'
import { pvcamCamera } from '../../../../drivers/pvcam-camera/driver.ts'
import { simulation } from '../../../../drivers/pvcam-camera/simulator.ts'
import { openFrameFile } from '../../../../storage/frame-file.ts'
import { prepareFrameLayout } from '../../../../storage/frame-heads.ts'
import { until } from '../../../until.ts'
import { type HostBench, never, openHostBench, record } from './bench.ts'
import { type SimulatedLab, startSimulations } from './simulated-lab.ts'

const EACH = ['frame_minimum', 'frame_maximum', 'frame_mean', 'frame_saturated'] as const

let lab: SimulatedLab
let bench: HostBench
beforeEach(async () => {
  lab = await startSimulations({ pvcam: simulation })
  bench = await openHostBench([pvcamCamera], [record('camera', 'pvcam-camera', { address: 'sim://pvcam' })], lab.folder)
  await bench.connected('camera')
  await bench.ask('camera', { kind: 'configureCamera', exposureSeconds: 0.001, roi: { x: 0, y: 0, width: 64, height: 32 } }) // 1000 frames a second
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
})

const device = () => bench.host.device('camera')
const frames = () => device().handle?.frames ?? expect.fail('the camera has no frames')
const reading = (name: string) => device().reading(name)

type Told = { readonly time: bigint; readonly quality: string; readonly value: unknown }

/** Everything that readers of every value are told of this parameter, from now on. */
function everyReading(name: string): { readonly told: readonly Told[]; readonly stop: () => Promise<void> } {
  const handle = device().state.parameters.find(({ spec }) => spec.name === name)?.handle ?? expect.fail(`no ${name}`)
  const told: Told[] = []
  const ending = new AbortController()
  const listening = (async () => {
    for await (const item of bench.host.readings.stream({ handles: [handle] }, ending.signal)) {
      expect(item.kind).not.toBe('gap')
      if (item.kind !== 'batch') continue
      const { start, offsetsMs, qualities, values } = item.columns
      for (const [at, offsetMs] of offsetsMs.entries())
        told.push({ time: start + BigInt(Math.round(offsetMs * 1e6)), quality: QUALITIES[qualities[at] ?? -1] ?? '', value: values[at] })
    }
  })()
  const stop = async (): Promise<void> => {
    ending.abort()
    await listening
  }
  return { told, stop }
}

const samplesOf = (entries: readonly JournalEntry[], name: string) =>
  entries.flatMap((entry) => (entry.type === 'samples' ? entry.samples.filter(({ parameter }) => parameter === name).map((sample) => sample.reading) : []))

describe('the statistics of a camera that streams at 1000 frames a second', () => {
  it('are readings of every frame, with its own time, for readers of every value and for the history', async () => {
    const readers = EACH.map((name) => everyReading(name))
    await bench.ask('camera', { kind: 'startLive' })
    await until(() => frames().statistics().produced >= 500)
    await bench.ask('camera', { kind: 'refresh' }) // a person looks: no frame is told twice for it
    await bench.ask('camera', { kind: 'stopLive' })
    const { produced } = frames().statistics()
    await until(() => reading('frame_mean')?.quality === 'STALE')
    bench.host.readings.flush()
    const entries = await bench.entries()
    for (const [at, name] of EACH.entries()) {
      const reader = readers[at] ?? expect.fail()
      await until(() => reader.told.at(-1)?.quality === 'STALE')
      const good = reader.told.filter(({ quality }) => quality === 'GOOD')
      expect(good, name).toHaveLength(produced)
      const times = good.map(({ time }) => time)
      expect(times).toEqual([...new Set(times)].toSorted((one, other) => Number(one - other)))
      expect(samplesOf(entries, name).filter(({ quality }) => quality === 'GOOD').map(({ time, value }) => ({ time, value }))).toEqual(good.map(({ time, value }) => ({ time, value }))) // biome-ignore format: one comparison
      await reader.stop()
    }
    const [minimum, maximum, mean] = EACH.map((name) => Number(reading(name)?.value)) as [number, number, number]
    expect(minimum).toBeLessThan(mean)
    expect(mean).toBeLessThan(maximum)
    expect(reading('frame_mean')).toMatchObject({ quality: 'STALE', reason: 'the camera does not stream' })
  })

  it('are there of the last frames too, when the camera is let go of while it streams', async () => {
    const camera = frames()
    const path = join(bench.folder, 'frames.arrow')
    await bench.ask('camera', { kind: 'startLive' })
    const recording = await camera.record(prepareFrameLayout(camera.configuration()), { path, keepFreeBytes: 0 }, never)
    await until(() => recording.progress().written >= 100)
    await bench.ask('camera', { kind: 'disconnect' })
    await using file = await openFrameFile(path)
    const recorded = await Promise.all(Array.from({ length: await file.count() }, async (_, index) => (await file.label(index)).time))
    expect(recorded.length).toBeGreaterThanOrEqual(100)
    for (const name of EACH) {
      const samples = samplesOf(await bench.entries(), name)
      const known = new Set(samples.filter(({ quality }) => quality === 'GOOD').map(({ time }) => time))
      expect(
        recorded.filter((time) => !known.has(time)),
        name,
      ).toEqual([])
      expect(samples.at(-1)).toMatchObject({ quality: 'STALE', reason: 'the device is disconnected' })
    }
  })

  it('have the means of regions from the moment that these are set, and nothing where there is none', async () => {
    expect(reading('frame_mean')).toMatchObject({ quality: 'BAD', reason: 'no frame has been taken yet' })
    await bench.ask('camera', { kind: 'startLive' })
    await until(() => reading('frame_mean')?.quality === 'GOOD')
    await bench.ask('camera', { kind: 'set', name: 'statistics_regions', value: '0,0,8,8; 8,8,4,4' })
    const second = everyReading('roi_2_mean')
    await until(() => reading('roi_2_mean')?.quality === 'GOOD')
    expect(Number(reading('roi_1_mean')?.value)).toBeGreaterThan(0)
    await bench.ask('camera', { kind: 'set', name: 'statistics_regions', value: '0,0,8,8' })
    await until(() => reading('roi_2_mean')?.quality === 'BAD')
    await bench.ask('camera', { kind: 'stopLive' })
    await until(() => reading('roi_1_mean')?.quality === 'STALE')
    const since = second.told.findIndex(({ quality }) => quality === 'GOOD') // until a frame came that has it, it may have been told as missing
    expect(second.told.slice(since).filter(({ quality }) => quality === 'BAD')).toHaveLength(1)
    expect(second.told.some(({ value }) => value === 0)).toBe(false)
    await second.stop()
  })

  it('are those of the newest frame after a trigger, as long as it stands', async () => {
    await bench.ask('camera', { kind: 'trigger', frames: 3 })
    const read = await device().readNow(['frame_mean', 'exposure'], never)
    expect(read.get('exposure')).toMatchObject({ value: 0.001 })
    const picture = await frames().tap({ quality: 'FULL', compression: 'NONE' })
    expect(read.get('frame_mean')).toMatchObject({ quality: 'GOOD', time: picture?.header.time, value: picture?.header.mean })
  })
})
