import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FrameLayout, FrameView } from '../../core/frame.ts'
import { pvcamCamera } from '../../drivers/pvcam-camera/driver.ts'
import { pictureOf } from '../../drivers/pvcam-camera/picture.ts'
import { checkConfiguration, fullFrame, ringFile, ringSlots } from '../../drivers/pvcam-camera/protocol.ts'
import { simulatorLibrary } from '../../drivers/pvcam-camera/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const FULL: FrameView = { quality: 'FULL', compression: 'NONE' }
const PREVIEW: FrameView = { quality: 'PREVIEW', compression: 'NONE' }
const sensor = { width: 2048, height: 2048, bitDepth: 16 }

describe('what may be asked for', () => {
  test.each([
    [{ roi: { x: 0, y: 0, width: 2049, height: 10 } }, 'outside 1 … 2048'],
    [{ roi: { x: 2048, y: 0, width: 1, height: 1 } }, 'roi.x'],
    [{ roi: { x: 0, y: 0.5, width: 1, height: 1 } }, 'roi.y'],
    [{ binning: 3 }, 'choose one of 1, 2, 4'],
    [{ binning: 4, roi: { x: 0, y: 0, width: 10, height: 8 } }, 'not a multiple'],
    [{ exposureSeconds: 0 }, 'exposure'],
    [{ exposureSeconds: Number.NaN }, 'exposure'],
    [{ regions: [{ x: 0, y: 0, width: 8, height: 8 }], roi: { x: 0, y: 4, width: 64, height: 64 } }, /region 1 \(0,0,8,8\) does not lie within the frame/],
    [{ regions: [{ x: 2040, y: 0, width: 9, height: 8 }] }, 'does not lie within the frame, which is 2048x2048 pixels of the sensor from 0,0'],
    [{ regions: [{ x: 2, y: 0, width: 4, height: 8 }], binning: 4 }, 'cuts through binned pixels'],
  ])('%j is refused', (change, reason) => {
    expect(() => checkConfiguration({ roi: fullFrame(sensor), binning: 1, exposureSeconds: 0.01, areas: [], regions: [], ...change }, sensor)).toThrow(reason)
  })

  test('a ring has room to wait for a disk, and an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2048 }), fc.integer({ min: 1, max: 2048 }), (width, height) => {
        const slots = ringSlots({ roi: { x: 0, y: 0, width, height }, binning: 1 })
        expect(slots).toBeGreaterThanOrEqual(8)
        expect(slots).toBeLessThanOrEqual(1024)
      }),
    )
    expect(ringSlots({ roi: fullFrame(sensor), binning: 1 })).toBe(16)
  })
})

test('a picture says how many frames were lost before it, and not how many meanwhile', () => {
  const tap = { index: 7n, sequence: 9n, timeNs: 0n, exposureNs: 0n, minimum: 0, maximum: 0, mean: 0, saturated: 0, width: 512, height: 512 }
  const stream = { configuration: { roi: fullFrame(sensor), areas: [], binning: 1, exposureSeconds: 0.01, regions: [] }, number: 1 }
  const picture = pictureOf({ ...tap, encoding: 'RAW', data: new Uint8Array() }, stream, { ...FULL, headerOnly: true }, 16)
  expect(picture.header).toMatchObject({ sequence: 9, dropped: 2 })
})

describe('the driver with the simulated library', () => {
  let bench: Bench
  const settings = { address: 'sim://pvcam' }
  const rings = async (): Promise<readonly string[]> => (await readdir(bench.folder)).filter((name) => name.endsWith('.ring'))

  beforeEach(async () => {
    bench = await openBench()
    await writeEntry(bench.folder, 'pvcam', { kind: 'library', path: simulatorLibrary() })
  })

  afterEach(async () => {
    await bench[Symbol.asyncDispose]()
  })

  test('says what it is and reads every parameter', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    expect(camera.device.frames?.sensor).toEqual({ width: 512, height: 512, bitDepth: 16 })
    const readings = await camera.device.read(
      camera.device.parameters.filter(({ streamed }) => !streamed).map((parameter) => parameter.name),
      never,
    )
    expect([...readings.values()].filter((reading) => 'bad' in reading)).toEqual([])
    expect(readings.get('exposure')).toEqual({ value: 0.01 })
    expect(readings.get('streaming')).toEqual({ value: false })
    expect(camera.device.identity).toContain(String(await goodValue(camera.device, 'serial')))
  })

  test('sets the temperature and reads it back', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    expect(await camera.device.write?.('temperature_setpoint', -15, never)).toBe(-15)
  })

  test('streams, shows the newest frame reduced, and reads no temperature meanwhile', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    await camera.device.write?.('exposure', 0.005, never)
    expect(await frames?.tap(PREVIEW)).toBeUndefined()
    await frames?.startLive(never)
    const first = await until(() => frames?.tap(PREVIEW))
    expect(first.header).toMatchObject({ width: 256, height: 256, dtype: 'uint16', exposureSeconds: 0.005, roi: { x: 0, y: 0, width: 512, height: 512 } })
    expect(first.pixels).toHaveLength(256 * 256 * 2)
    const next = await until(() => frames?.tap({ ...PREVIEW, quality: 'FAST' }, first.mark))
    expect(next.header.sequence).toBeGreaterThan(first.header.sequence)
    expect(await readOne(camera.device, 'temperature')).toMatchObject({ quality: 'UNCERTAIN' })
    expect(await camera.device.write?.('temperature_setpoint', -10, never)).toBe(-10) // in between two streams
    await until(() => frames?.tap({ ...PREVIEW, quality: 'FAST' }))
    const produced = Number(await goodValue(camera.device, 'frames_produced'))
    await until(async () => Number(await goodValue(camera.device, 'frames_produced')) > produced) // a read did not break the stream
    await frames?.stopLive(never)
    expect(frames?.streaming).toBe(false)
    expect(await readOne(camera.device, 'temperature')).not.toHaveProperty('quality')
    expect(await rings()).toEqual([])
  })

  test('has one ring at most: what a killed process left goes when the camera is opened again', async () => {
    const name = ringFile('sim://pvcam', 'pvcamSIM_0')
    await writeFile(join(bench.folder, name), 'left')
    await using camera = await open(pvcamCamera, settings, bench.context)
    expect(await rings()).toEqual([])
    for (let stream = 0; stream < 2; stream += 1) {
      await camera.device.frames?.startLive(never)
      await camera.device.frames?.configure({ binning: 2 }, never)
      expect(await rings()).toEqual([name])
      await camera.device.frames?.stopLive(never)
    }
    expect(ringFile('sim://other', 'pvcamSIM_0')).not.toBe(name)
  })

  test('asked during a start, reads what it may and stops in turn', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    const starting = frames?.startLive(never)
    const reading = readOne(camera.device, 'temperature')
    const stopping = frames?.stopLive(never)
    await starting
    expect(await reading).toMatchObject({ quality: 'UNCERTAIN' })
    await stopping
    expect(frames?.streaming).toBe(false)
    expect(await rings()).toEqual([])
    void frames?.startLive(never) // and is closed while it starts
  })

  test('shows a region of the sensor, whatever region and binning it is set to', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    await frames?.configure({ roi: { x: 100, y: 40, width: 202, height: 102 }, binning: 2 }, never)
    await frames?.startLive(never)
    const cut = await until(() => frames?.tap({ ...PREVIEW, compression: 'LZ4', roi: { x: 203, y: 90, width: 1000, height: 8 } }))
    // squares of 4 x 4 sensor pixels from 100, 40 on; 101 binned pixels are 50 of them, so the last two columns of the sensor are in none
    expect(cut.header).toMatchObject({ width: 25, height: 3, bin: 2, roi: { x: 200, y: 88, width: 100, height: 12 } })
    const whole = await until(() => frames?.tap(PREVIEW))
    expect(whole.header).toMatchObject({ width: 50, height: 25, roi: { x: 100, y: 40, width: 200, height: 100 } })
    await expect(frames?.tap({ ...FULL, roi: { x: 0, y: 0, width: 100, height: 10 } })).rejects.toThrow('reads out 202 x 102 pixels from 100, 40 on')
    const told = await until(() => frames?.tap({ ...PREVIEW, headerOnly: true }))
    expect(told.pixels).toHaveLength(0)
    expect(told.header).toMatchObject({ width: 50, height: 25, bitDepth: 16 })
  })

  test('counts again after each start, and is not taken for older', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    await frames?.startLive(never)
    const late = await until(async () => {
      const picture = await frames?.tap(PREVIEW)
      return picture !== undefined && picture.header.sequence > 3 && picture
    })
    await frames?.stopLive(never)
    expect(await frames?.tap(PREVIEW, late.mark)).toBeUndefined()
    await camera.device.trigger?.trigger(1, never)
    const first = await until(() => frames?.tap(PREVIEW, late.mark))
    expect(first.header.sequence).toBeLessThan(late.header.sequence)
    expect(await frames?.tap(PREVIEW, first.mark)).toBeUndefined()
  })

  test('a change of region goes on streaming with the new one', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    await frames?.startLive(never)
    await frames?.configure({ roi: { x: 128, y: 64, width: 64, height: 32 }, binning: 2, exposureSeconds: 0.002 }, never)
    const tap = await until(() => frames?.tap(FULL))
    expect(tap.header).toMatchObject({ width: 32, height: 16 })
    expect(await problemOf(frames?.configure({ roi: { x: 0, y: 0, width: 513, height: 1 } }, never) ?? Promise.resolve())).toMatchObject({
      code: 'LIMIT_VIOLATION',
    })
    expect(frames?.streaming).toBe(true)
  })

  test('a trigger gives that many frames and stops by itself', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    await camera.device.trigger?.trigger(5, never)
    expect(await goodValue(camera.device, 'frames_produced')).toBe(5)
    expect(await goodValue(camera.device, 'streaming')).toBe(false)
    expect(await camera.device.frames?.tap(FULL)).toBeDefined()
    await camera.device.trigger?.trigger(1, never)
    expect(await goodValue(camera.device, 'frames_produced')).toBe(1)
  })

  test('records frames to a file and leaves the camera as it was', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    await frames?.configure({ roi: { x: 0, y: 0, width: 64, height: 32 }, exposureSeconds: 0.002 }, never)
    const path = join(bench.folder, 'frames.bin')
    const layout = plainLayout(64, 32)
    const recording = await frames?.record(layout, { path, frames: 10, keepFreeBytes: 0 }, never)
    expect(await problemOf(frames?.configure({ binning: 2 }, never) ?? Promise.resolve())).toMatchObject({ code: 'DEVICE_BUSY' })
    const end = await recording?.ended
    expect(end).toMatchObject({ written: 10, state: 'finished' })
    expect(frames?.streaming).toBe(false)
    expect((await stat(path)).size).toBeGreaterThanOrEqual(4096 + 10 * layout.batchBytes)
    const bytes = await readFile(path)
    const sequences = Array.from({ length: 10 }, (_, frame) => Number(bytes.readBigUInt64LE(4096 + frame * layout.batchBytes + layout.sequenceOffset)))
    expect(sequences.map((sequence) => sequence - (sequences[0] ?? 0))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('a recording whose camera is closed under it ends whole, and says how far it came', async () => {
    const camera = await open(pvcamCamera, settings, bench.context)
    const { frames } = camera.device
    await frames?.configure({ roi: { x: 0, y: 0, width: 64, height: 32 }, exposureSeconds: 0.002 }, never)
    const recording = await frames?.record(plainLayout(64, 32), { path: join(bench.folder, 'frames.bin'), keepFreeBytes: 0 }, never)
    await until(() => (recording?.progress().written ?? 0) > 3)
    await camera[Symbol.asyncDispose]()
    const end = await recording?.ended
    expect(end).toMatchObject({ state: 'finished' })
    expect(end?.written).toBeGreaterThan(3)
  })

  test('a library or a camera that is not there is said so', async () => {
    expect(await problemOf(open(pvcamCamera, { address: 'pvcam:///nowhere/libpvcam.so' }, bench.context))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    const refused = await problemOf(open(pvcamCamera, { ...settings, camera: 'nobody' }, bench.context))
    expect(refused.message).toContain('not nobody')
  })
})

/** As storage/frame-heads.ts lays a recording out, with zeros for what Arrow reads. */
function plainLayout(width: number, height: number): FrameLayout {
  return {
    width,
    height,
    schemaMessage: new Uint8Array(4096),
    batchHead: new Uint8Array(1024),
    batchHeadWithoutClock: new Uint8Array(1024),
    constants: new Uint8Array(256),
    constantsOffset: 1344,
    sequenceOffset: 1024,
    timeOffset: 1088,
    hardwareTimeOffset: 1216,
    exposureOffset: 1280,
    pixelOffset: 4096,
    batchBytes: 4096 + Math.ceil((width * height * 2) / 4096) * 4096,
    endOfStream: new Uint8Array(8),
  }
}
