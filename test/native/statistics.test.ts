import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Roi } from '../../core/device.ts'
import type { FrameStatistics } from '../../core/frame.ts'
import { createRing, mapRing, RingReader } from '../../native/files.ts'
import { patternFrame } from './pattern.ts'

const run = promisify(execFile)
const inProject = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-statistics-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = () => path.join(folder, 'frames.ring')

const REGIONS = [
  { x: 0, y: 0, width: 1, height: 1 },
  { x: 3, y: 0, width: 31, height: 2 },
  { x: 36, y: 22, width: 1, height: 1 },
  { x: 5, y: 1, width: 17, height: 21 },
] as const

/** The obvious loop. */
function statisticsOf(pixels: Uint16Array, width: number, height: number, saturation: number, regions: readonly Roi[]): FrameStatistics {
  const meanOf = ({ x, y, width: across, height: down }: Roi) => {
    let sum = 0
    for (let row = y; row < y + down; row += 1) for (let column = x; column < x + across; column += 1) sum += pixels[row * width + column] ?? Number.NaN
    return sum / (across * down)
  }
  return {
    minimum: pixels.reduce((one, other) => Math.min(one, other)),
    maximum: pixels.reduce((one, other) => Math.max(one, other)),
    mean: meanOf({ x: 0, y: 0, width, height }),
    saturated: pixels.filter((pixel) => pixel >= saturation).length,
    regionMeans: regions.map(meanOf),
  }
}

test.each([
  ['with the vectors of this machine', []],
  ['with the loops for any machine', ['-DPLAIN']],
])('statistics are those of the obvious loop, bit for bit, %s', { timeout: 60_000 }, async (_, flags) => {
  const program = path.join(folder, 'fuzz')
  const source = inProject('test/native/statistics-fuzz.cc')
  await run('c++', ['-std=c++20', '-O3', '-Wall', '-Wextra', '-Werror', ...flags, '-I', inProject('native/src'), source, '-o', program])
  expect(await run(program, ['300', '1'])).toMatchObject({ stdout: 'same\n' })
})

describe('the statistics of every frame', () => {
  const [width, height, saturation] = [37, 23, 20_000]
  const expected = (sequence: number) => statisticsOf(patternFrame(sequence, width, height), width, height, saturation, REGIONS)

  test('stand in its stamp, for readers of this process and of the mapped file', async () => {
    await using ring = createRing({ path: file(), width, height, slots: 16, saturation, regions: REGIONS })
    await using mapped = mapRing(file())
    expect(mapped).toMatchObject({ saturation, regions: REGIONS })
    await ring.startTestPattern({ rateHz: 10_000, frames: 12 })
    for (const each of [ring, mapped]) {
      const reader = new RingReader(each, 0n)
      for (let at = 0; at < 12; at += 1) expect(reader.next()?.statistics).toEqual(expected(at))
      expect(each.stamps(0n).map(({ statistics }) => statistics)).toEqual(Array.from({ length: 12 }, (_, at) => expected(at)))
      expect(each.stamps(5n, 3).map(({ index, sequence }) => [index, sequence])).toEqual([5n, 6n, 7n].map((at) => [at, at]))
      expect(each.stamps(12n)).toEqual([])
    }
  })

  test('are kept in the writer’s process when the frames are long gone; elsewhere the first index says what is missing', async () => {
    await using ring = createRing({ path: file(), width, height, slots: 4, saturation, regions: REGIONS })
    await using mapped = mapRing(file())
    await ring.startTestPattern({ rateHz: 100_000, frames: 5000 })
    const kept = ring.stamps(0n)
    expect([kept.length, kept[0]?.index, kept.at(-1)?.index]).toEqual([4096, 904n, 4999n])
    for (const { sequence, statistics } of kept.filter((_, at) => at % 500 === 0)) expect(statistics).toEqual(expected(Number(sequence)))
    expect(mapped.stamps(0n).map(({ index }) => index)).toEqual([4996n, 4997n, 4998n, 4999n])
  })

  test('are of full scale and of no region where the ring is told nothing else', async () => {
    await using ring = createRing({ path: file(), width: 256, height: 256, slots: 2 })
    await ring.startTestPattern({ rateHz: 10_000, frames: 1 })
    expect(ring).toMatchObject({ saturation: 65_535, regions: [] })
    const statistics = statisticsOf(patternFrame(0, 256, 256), 256, 256, 65_535, [])
    expect(statistics.saturated).toBeGreaterThan(0)
    expect(ring.stamps(0n)[0]?.statistics).toEqual(statistics)
  })
})

test('what cannot be measured is refused', () => {
  const shape = { path: file(), width: 37, height: 23, slots: 2 }
  expect(() => createRing({ ...shape, saturation: 0 })).toThrow(/saturation: must lie in 1 ... 65535/)
  expect(() => createRing({ ...shape, saturation: 65_536 })).toThrow(/saturation/)
  expect(() => createRing({ ...shape, regions: [{ x: 30, y: 0, width: 8, height: 1 }] })).toThrow(/regions: each must lie inside the frame of 37 x 23/)
  expect(() => createRing({ ...shape, regions: [{ x: 0, y: 0, width: 0, height: 1 }] })).toThrow(/regions/)
  expect(() => createRing({ ...shape, regions: [{ x: 0.5, y: 0, width: 1, height: 1 }] })).toThrow(/regions: x of each must be a whole number/)
  expect(() => createRing({ ...shape, regions: Array.from({ length: 9 }, () => ({ x: 0, y: 0, width: 1, height: 1 })) })).toThrow(/at most 8/)
})
