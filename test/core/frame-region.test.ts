import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pictureRegion, pictureRegionOrThrow } from '../../core/frame-region.ts'

const size = fc.integer({ min: 1, max: 300 })
const place = fc.integer({ min: 0, max: 100 })
const readout = fc
  .tuple(place, place, size, size, fc.constantFrom(1, 2, 4))
  .map(([x, y, width, height, binning]) => ({ roi: { x, y, width: width * binning, height: height * binning }, binning }))
const region = fc.tuple(place, place, size, size).map(([x, y, width, height]) => ({ x, y, width, height }))

test('a picture is of whole squares of the frame, and shows all of what was wanted that they have', () => {
  fc.assert(
    fc.property(readout, fc.constantFrom(1, 2, 4), fc.option(region, { nil: undefined }), ({ roi, binning }, bin, wanted = roi) => {
      const square = bin * binning
      const usable = { width: Math.floor(roi.width / square) * square, height: Math.floor(roi.height / square) * square }
      const found = pictureRegion({ roi, binning }, bin, wanted)
      for (const [at, extent] of [
        ['x', 'width'],
        ['y', 'height'],
      ] as const) {
        const from = Math.max(wanted[at], roi[at])
        const end = Math.min(wanted[at] + wanted[extent], roi[at] + usable[extent])
        if (end <= from) expect(found).toBeUndefined()
        if (found === undefined) continue // the other direction says why, or this one has
        const { pixels, shown } = found
        expect(shown[at] <= from && from < shown[at] + square).toBe(true)
        expect(shown[at] + shown[extent] >= end && end > shown[at] + shown[extent] - square).toBe(true)
        expect((shown[at] - roi[at]) % square).toBe(0)
        expect(pixels[at] * binning + roi[at]).toBe(shown[at])
        expect(pixels[extent] * binning).toBe(shown[extent])
        expect(pixels[extent] % bin).toBe(0)
        expect(pixels[at] + pixels[extent]).toBeLessThanOrEqual(roi[extent] / binning)
      }
    }),
  )
})

test('a frame that is narrower than a square has no picture, and says so', () => {
  const narrow = { roi: { x: 5, y: 6, width: 3, height: 100 }, binning: 1 }
  expect(pictureRegion(narrow, 4)).toBeUndefined()
  expect(() => pictureRegionOrThrow(narrow, 4, undefined)).toThrow('reads out 3 x 100 pixels from 5, 6 on with binning 1')
  expect(pictureRegion(narrow, 2)?.shown).toEqual({ x: 5, y: 6, width: 2, height: 100 })
})
