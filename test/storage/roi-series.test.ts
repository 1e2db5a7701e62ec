import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { Roi } from '../../core/device.ts'
import { regionSeries } from '../../native/files.ts'
import { type FrameFile, openFrameFile } from '../../storage/frame-file.ts'
import { type FrameRange, type RoiNumbers, readRoiSeries } from '../../storage/roi-series.ts'
import { temporaryFolder } from './folder.ts'
import { writeFrames } from './recorded-frames.ts'

const pixelOf = (frame: number, pixel: number) => (frame * 11 + pixel * 3) & 0xffff

async function all(path: string, roi?: Roi, range?: FrameRange, signal?: AbortSignal): Promise<RoiNumbers[]> {
  await using file = await openFrameFile(path)
  const found: RoiNumbers[] = []
  for await (const some of readRoiSeries(file, roi, range, signal)) found.push(...some)
  return found
}

function expected(index: number, { x, y, width, height }: Roi, frameWidth: number): RoiNumbers {
  const pixels: number[] = []
  for (let row = y; row < y + height; row += 1) for (let column = x; column < x + width; column += 1) pixels.push(pixelOf(index, row * frameWidth + column))
  const sum = pixels.reduce((total, pixel) => total + pixel, 0)
  return { index, minimum: Math.min(...pixels), maximum: Math.max(...pixels), sum, mean: sum / pixels.length }
}

test('numbers of a region in every frame of thousands', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 40, 30, 5000, pixelOf)
  const region = { x: 7, y: 5, width: 13, height: 4 }
  const points = await all(folder.file('a'), region)
  expect(points).toHaveLength(5000)
  for (const index of [0, 1, 1234, 4095, 4096, 4999]) expect(points[index]).toEqual(expected(index, region, 40))
})

test('of one pixel, the last one, in a part of the frames; of every third frame; of whole frames', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 40, 30, 10, pixelOf)
  const last = { x: 39, y: 29, width: 1, height: 1 }
  expect(await all(folder.file('a'), last, { from: 8, to: 99 })).toEqual([8, 9].map((index) => expected(index, last, 40)))
  expect((await all(folder.file('a'), last, { from: 1, step: 3 })).map(({ index, sum }) => [index, sum])).toEqual(
    [1, 4, 7].map((index) => [index, pixelOf(index, 1199)]),
  )
  expect((await all(folder.file('a')))[3]).toEqual(expected(3, { x: 0, y: 0, width: 40, height: 30 }, 40))
  expect(await all(folder.file('a'), last, { from: 10 })).toEqual([])
})

test('is the same mapped, read, and by way of whole frames', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 130, 70, 30, pixelOf)
  const region = { x: 3, y: 11, width: 100, height: 50 }
  await using file = await openFrameFile(folder.file('a'))
  const { path, offset, step, frames } = (await file.pixelRun(0)) ?? expect.fail('it is not compressed')
  const [mapped, read] = await Promise.all([true, false].map((mapped) => regionSeries({ path, offset, step, frames, frameWidth: 130, ...region, mapped })))
  expect(mapped).toEqual(read)
  const points: RoiNumbers[] = []
  for await (const some of readRoiSeries(compressedLike(file), region)) points.push(...some)
  expect(points.flatMap(({ minimum, maximum, sum }) => [minimum, maximum, sum])).toEqual([...(mapped ?? [])])
  await expect(regionSeries({ path, offset, step, frames: frames + 1, frameWidth: 130, ...region, mapped: true })).rejects.toThrow(/too short/)
  await expect(regionSeries({ path, offset, step, frames, frameWidth: 130, ...region, x: 31, mapped: true })).rejects.toMatchObject({ code: 'INVALID_VALUE' })
})

test('only the rows of the region are read', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 2048, 2048, 8)
  const before = await bytesRead()
  const points = await all(folder.file('a'), { x: 100, y: 100, width: 16, height: 16 })
  expect(points).toHaveLength(8)
  expect((await bytesRead()) - before).toBeLessThan(20_000_000) // of 67 MB: what is mapped is not in this count, a reader of whole frames would be, and so is all else that the process reads
})

test('a region that is empty or leaves the frame is refused', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 40, 30, 1)
  for (const region of [
    { x: 0, y: 0, width: 0, height: 1 },
    { x: 30, y: 0, width: 11, height: 1 },
    { x: 0, y: 30, width: 1, height: 1 },
    { x: -1, y: 0, width: 1, height: 1 },
    { x: 0.5, y: 0, width: 1, height: 1 },
  ])
    await expect(all(folder.file('a'), region)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  for (const range of [{ from: -1 }, { from: 2, to: 1 }, { step: 0 }])
    await expect(all(folder.file('a'), undefined, range)).rejects.toThrow(/there are 1 frames/)
  const ended = AbortSignal.abort(new Error('enough'))
  await expect(all(folder.file('a'), undefined, {}, ended)).rejects.toThrow('enough')
})

/** As a compressed recording answers: it is read by whole frames. */
function compressedLike(file: FrameFile): FrameFile {
  return new Proxy(file, {
    get(target, name) {
      if (name === 'pixelRun') return async () => undefined
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** By all of this process, from the kernel's count (proc(5), rchar). */
async function bytesRead(): Promise<number> {
  const file = await open('/proc/self/io')
  try {
    return Number(/rchar: (\d+)/.exec(await file.readFile('utf8'))?.[1])
  } finally {
    await file.close()
  }
}
