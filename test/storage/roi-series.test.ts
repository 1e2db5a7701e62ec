import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readRoiSeries } from '../../storage/roi-series.ts'
import { temporaryFolder } from './folder.ts'
import { writeFrames } from './recorded-frames.ts'

const pixelOf = (frame: number, pixel: number) => (frame * 11 + pixel * 3) & 0xffff

async function all<Point>(points: AsyncIterable<Point>): Promise<Point[]> {
  const found: Point[] = []
  for await (const point of points) found.push(point)
  return found
}

test('the mean of a region in every frame of thousands', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 40, 30, 3000, pixelOf)
  const [x, y, width, height] = [7, 5, 13, 4]
  const points = await all(readRoiSeries(folder.file('a'), { x, y, width, height }))
  expect(points).toHaveLength(3000)
  for (const index of [0, 1, 1234, 2999]) {
    let sum = 0
    for (let row = y; row < y + height; row += 1) for (let column = x; column < x + width; column += 1) sum += pixelOf(index, row * 40 + column)
    expect(points[index]).toEqual({ index, sequence: index, time: 1_700_000_000_000_000_000n + BigInt(index), mean: sum / (width * height) })
  }
})

test('of one pixel, the last one, in a part of the frames', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 40, 30, 10, pixelOf)
  const points = await all(readRoiSeries(folder.file('a'), { x: 39, y: 29, width: 1, height: 1 }, { from: 8, to: 99 }))
  expect(points.map(({ index, mean }) => [index, mean])).toEqual([8, 9].map((index) => [index, pixelOf(index, 40 * 30 - 1)]))
})

test('only the rows of the region are read', async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('a'), 2048, 2048, 8)
  const before = await bytesRead()
  await all(readRoiSeries(folder.file('a'), { x: 100, y: 100, width: 16, height: 16 }))
  expect((await bytesRead()) - before).toBeLessThan(8 * 1_000_000) // of 8 frames of 8 MB: 16 rows and what stands before the pixels
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
    await expect(readRoiSeries(folder.file('a'), region).next()).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  const ended = AbortSignal.abort(new Error('enough'))
  await expect(readRoiSeries(folder.file('a'), { x: 0, y: 0, width: 1, height: 1 }, {}, ended).next()).rejects.toThrow('enough')
})

/** By all of this process, from the kernel's count (proc(5), rchar). */
async function bytesRead(): Promise<number> {
  const file = await open('/proc/self/io')
  try {
    return Number(/rchar: (\d+)/.exec(await file.readFile('utf8'))?.[1])
  } finally {
    await file.close()
  }
}
