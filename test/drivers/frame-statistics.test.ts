import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Roi } from '../../core/device.ts'
import type { MeasuredFrame } from '../../core/frame.ts'
import type { FrameFacet } from '../../drivers/driver.ts'
import { formatRegions, frameRegions, parseRegions } from '../../drivers/frame-regions.ts'
import { pvcamCamera } from '../../drivers/pvcam-camera/driver.ts'
import { simulatorLibrary } from '../../drivers/pvcam-camera/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

describe('regions', () => {
  test.each([
    ['', []],
    ['0,0,8,4', [{ x: 0, y: 0, width: 8, height: 4 }]],
    [' 1, 2,3,4;\n5,6,7,8 ', [{ x: 1, y: 2, width: 3, height: 4 }, { x: 5, y: 6, width: 7, height: 8 }]], // biome-ignore format: one case a line
  ])('%j are read, and written in one way', (text, regions) => {
    expect(parseRegions(text)).toEqual(regions)
    expect(parseRegions(formatRegions(regions))).toEqual(regions)
  })

  test.each(['1,2,3', '1,2,3,4,5', '-1,2,3,4', '1,2,3.5,4', '1,2,3,x', '1,2,3,4;', ';', '1,2,3,1e9', Array(9).fill('0,0,1,1').join(';')])(
    '%j is refused',
    (text) => {
      expect(() => parseRegions(text)).toThrow(/^statistics_regions: .*(give|at most 8)/)
    },
  )

  test('lie in the frames as the camera shows the sensor, or are refused', () => {
    const roi = { x: 100, y: 50, width: 64, height: 32 }
    const place = (region: Roi, binning: number) => frameRegions([region], roi, binning)[0]
    expect(place({ x: 104, y: 58, width: 8, height: 16 }, 1)).toEqual({ x: 4, y: 8, width: 8, height: 16 })
    expect(place({ x: 104, y: 58, width: 8, height: 16 }, 4)).toEqual({ x: 1, y: 2, width: 2, height: 4 })
    expect(place(roi, 2)).toEqual({ x: 0, y: 0, width: 32, height: 16 })
    for (const outside of [{ x: 99 }, { y: 49 }, { x: 157 }, { y: 75 }, { width: 0 }, { height: 0 }, { width: 61 }])
      expect(() => place({ x: 104, y: 58, width: 8, height: 8, ...outside }, 1)).toThrow(
        /^statistics_regions: region 1 \(.*\) does not lie within the frame, which is 64x32/,
      )
    for (const cut of [{ x: 105 }, { y: 59 }, { width: 7 }, { height: 9 }])
      expect(() => place({ x: 104, y: 58, width: 8, height: 8, ...cut }, 2)).toThrow(/cuts through binned pixels; give multiples of the binning 2/)
  })
})

describe('a camera', () => {
  let bench: Bench
  const settings = { address: 'sim://pvcam' }

  beforeEach(async () => {
    bench = await openBench()
    await writeEntry(bench.folder, 'pvcam', { kind: 'library', path: simulatorLibrary() })
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  test('measures every frame, also the last ones before a stop', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const frames = camera.device.frames as FrameFacet
    await frames.configure({ roi: { x: 0, y: 0, width: 64, height: 32 }, exposureSeconds: 0.001 }, never)
    expect(frames.takeStatistics()).toEqual({ frames: [], missed: 0, standing: false })
    const times: bigint[] = []
    for (let stream = 0; stream < 2; stream += 1) {
      const taken: MeasuredFrame[] = []
      await frames.startLive(never)
      await until(() => taken.push(...frames.takeStatistics().frames) >= 100)
      await frames.stopLive(never)
      const rest = frames.takeStatistics()
      expect(rest).toMatchObject({ missed: 0, standing: false })
      taken.push(...rest.frames)
      const { produced, lost } = frames.statistics()
      expect(taken).toHaveLength(produced)
      expect((taken.at(-1)?.sequence ?? 0) - (taken[0]?.sequence ?? 0) + 1).toBe(produced + lost)
      times.push(...taken.map(({ time }) => time))
    }
    expect(times).toEqual([...new Set(times)].toSorted((one, other) => Number(one - other)))
  })

  test('measures what a frame shows: all of it, and each region through the region of the sensor and the binning', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const frames = camera.device.frames as FrameFacet
    await frames.configure({ roi: { x: 128, y: 64, width: 128, height: 96 }, binning: 2, exposureSeconds: 0.001 }, never)
    expect(await camera.device.write?.('statistics_regions', '132,68,16,8;128,64,2,2; 200,100,56,60', never)).toBe('132,68,16,8; 128,64,2,2; 200,100,56,60')
    expect(camera.device.parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(['roi_1_mean', 'roi_2_mean', 'roi_3_mean']))
    await camera.device.trigger?.trigger(3, never)
    const taken = frames.takeStatistics()
    expect(taken).toMatchObject({ missed: 0, standing: true })
    expect(taken.frames).toHaveLength(3)
    const tap = await frames.tap({ quality: 'FULL', compression: 'NONE' })
    const [width, pixels] = [tap?.header.width ?? 0, new Uint16Array(tap?.pixels.buffer ?? new ArrayBuffer())]
    const meanOf = (x: number, y: number, across: number, down: number) => {
      let sum = 0
      for (let row = y; row < y + down; row += 1) for (let column = x; column < x + across; column += 1) sum += pixels[row * width + column] ?? Number.NaN
      return sum / (across * down)
    }
    const { time, statistics } = taken.frames.at(-1) as MeasuredFrame
    expect(time).toBe(tap?.header.time)
    expect(statistics).toEqual({
      minimum: Math.min(...pixels),
      maximum: Math.max(...pixels),
      mean: meanOf(0, 0, width, 48),
      saturated: pixels.filter((pixel) => pixel === 65_535).length,
      regionMeans: [meanOf(2, 2, 8, 4), meanOf(0, 0, 1, 1), meanOf(36, 18, 28, 30)],
    })
    expect(await goodValue(camera.device, 'roi_3_mean')).toBe(statistics.regionMeans[2])
    expect(await goodValue(camera.device, 'frame_mean')).toBe(statistics.mean)
  })

  test('takes no region outside its frames, and no change that leaves one outside; without a frame it has no value', async () => {
    await using camera = await open(pvcamCamera, settings, bench.context)
    const frames = camera.device.frames as FrameFacet
    const set = (text: string) => camera.device.write?.('statistics_regions', text, never) ?? Promise.resolve()
    expect(await problemOf(set('500,0,16,16'))).toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringContaining('region 1 (500,0,16,16) does not lie within the frame, which is 512x512 pixels of the sensor from 0,0'),
    })
    await set('100,100,10,10')
    expect(await problemOf(frames.configure({ roi: { x: 0, y: 0, width: 104, height: 104 } }, never))).toMatchObject({ code: 'INVALID_VALUE' })
    expect(await problemOf(frames.configure({ binning: 4 }, never))).toMatchObject({ message: expect.stringContaining('cuts through binned pixels') })
    expect(await goodValue(camera.device, 'statistics_regions')).toBe('100,100,10,10')
    expect(await readOne(camera.device, 'frame_mean')).toEqual({ bad: expect.stringContaining('no frame stands') })
    await frames.startLive(never)
    await until(() => frames.tap({ quality: 'FAST', compression: 'NONE' }))
    await set('') // it streams on, with no region
    expect(frames.streaming).toBe(true)
    await until(() => frames.tap({ quality: 'FAST', compression: 'NONE' }))
    expect(await readOne(camera.device, 'roi_1_mean')).toEqual({ bad: 'the frames have no such region' })
    await frames.stopLive(never)
    expect(await readOne(camera.device, 'frame_mean')).toHaveProperty('bad')
  })
})
