import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRing } from '../../native/files.ts'
import type { FrameTap } from '../../native/types.ts'
import { binned, patternFrame, pixelsOf, samePixels } from './pattern.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-tap-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = () => path.join(folder, 'frames.ring')
const BINS = [1, 2, 4] as const

/** A ring with `frames` frames of the test pattern. */
async function filled(width: number, height: number, frames = 5, saturation = 60_000) {
  const ring = createRing({ path: file(), width, height, slots: 8, saturation })
  await ring.startTestPattern({ rateHz: 10_000, frames })
  return ring
}

function expectStatistics(tap: FrameTap, pixels: Uint16Array, saturation = 60_000): void {
  expect(tap.minimum).toBe(pixels.reduce((least, pixel) => Math.min(least, pixel), 0xffff))
  expect(tap.maximum).toBe(pixels.reduce((most, pixel) => Math.max(most, pixel), 0))
  expect(tap.mean).toBeCloseTo(pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length, 6)
  expect(tap.saturated).toBe(pixels.reduce((count, pixel) => count + (pixel >= saturation ? 1 : 0), 0))
}

describe('a tap', () => {
  test('of any shape and region is what the obvious loop makes of it, with the statistics of its own pixels', async () => {
    const shapes = fc.record({ width: fc.integer({ min: 1, max: 300 }), height: fc.integer({ min: 1, max: 40 }), bin: fc.constantFrom(...BINS) })
    const share = fc.double({ min: 0, max: 0.999, noNaN: true })
    const parts = fc.tuple(share, share, share, share)
    await fc.assert(
      fc.asyncProperty(shapes, fc.option(parts, { nil: undefined }), async ({ width, height, bin }, part) => {
        await using ring = await filled(width, height)
        const [left, top, right, bottom] = part ?? [0, 0, 0, 0]
        const [x, y] = [Math.floor(left * width), Math.floor(top * height)]
        const region = { x, y, width: width - x - Math.floor(right * (width - x)), height: height - y - Math.floor(bottom * (height - y)) }
        const ask = { bin, ...(part !== undefined && { region }) }
        if (region.width < bin || region.height < bin) {
          await expect(ring.tap(ask)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
          return
        }
        const tap = await ring.tap(ask)
        if (tap === undefined) throw new Error('there is no frame')
        const pixels = patternFrame(4, width, height)
        expect([tap.width, tap.height, tap.sequence]).toEqual([Math.floor(region.width / bin), Math.floor(region.height / bin), 4n])
        expect(samePixels(pixelsOf(tap), binned(pixels, width, region, bin))).toBe(true)
        expectStatistics(tap, binned(pixels, width, { ...region, width: tap.width * bin, height: tap.height * bin }, 1))
      }),
      { numRuns: 150 },
    )
  })

  test.each(BINS)('with bin %i rounds half up, from the darkest to the brightest', async (bin) => {
    // 31 i mod 65536 goes through every value, so every remainder of a sum comes
    const [width, height] = [1024, 129]
    await using ring = await filled(width, height)
    const tap = await ring.tap({ bin })
    expect(samePixels(pixelsOf(tap ?? { data: new Uint8Array() }), binned(patternFrame(4, width, height), width, { x: 0, y: 0, width, height }, bin))).toBe(
      true,
    )
    expect([tap?.minimum, tap?.maximum]).toEqual([0, 65_535])
  })

  test('gives nothing that is not newer, and what is known without pixels', async () => {
    await using ring = createRing({ path: file(), width: 64, height: 32, slots: 4 })
    expect(await ring.tap({ bin: 1 })).toBeUndefined()
    await ring.startTestPattern({ rateHz: 10_000, frames: 5 })
    expect((await ring.tap({ bin: 1, after: 3n }))?.sequence).toBe(4n)
    expect(await ring.tap({ bin: 1, after: 4n })).toBeUndefined()
    const known = await ring.tap({ bin: 4, pixels: false })
    expect(known).toMatchObject({ width: 16, height: 8, sequence: 4n, hardwareTimeNs: 4_000_000n, encoding: 'RAW' })
    expect(known?.data).toHaveLength(0)
    expectStatistics(known ?? ({} as FrameTap), patternFrame(4, 64, 32), 65_535)
  })

  test('is left as it is where packing would not make it smaller', async () => {
    await using ring = await filled(256, 64) // the pattern repeats itself only after 65 536 pixels, which LZ4 cannot see
    const [raw, packed] = [await ring.tap({ bin: 1 }), await ring.tap({ bin: 1, compress: true })]
    if (raw === undefined || packed === undefined) throw new Error('there is no frame')
    expect(packed.encoding).toBe('RAW')
    expect(samePixels(pixelsOf(packed), pixelsOf(raw))).toBe(true)
  })

  test.each([
    [{ bin: 3 as 2 }, 'bin'],
    [{ bin: 1, region: { x: 60, y: 0, width: 5, height: 1 } }, 'region'],
    [{ bin: 1, region: { x: 0, y: 32, width: 1, height: 1 } }, 'region'],
    [{ bin: 1, region: { x: 0, y: 0, width: 0, height: 1 } }, 'region'],
    [{ bin: 4, region: { x: 0, y: 0, width: 3, height: 8 } }, 'region'],
    [{ bin: 1, region: { x: 4_294_967_295, y: 0, width: 4, height: 4 } }, 'region'],
  ] as const)('of %j is refused', async (ask, name) => {
    await using ring = await filled(64, 32)
    await expect(ring.tap(ask)).rejects.toMatchObject({ code: 'INVALID_VALUE', facts: { path: [name] } })
  })

  test('may still be on its way when its ring is disposed of', async () => {
    const ring = await filled(2048, 2048, 2)
    const tapping = ring.tap({ bin: 2, compress: true })
    await ring[Symbol.asyncDispose]()
    expect((await tapping)?.width).toBe(1024)
    await expect(ring.tap({ bin: 1 })).rejects.toThrow(/disposed/)
  })
})
