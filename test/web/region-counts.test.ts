import { expect, test } from 'vitest'
import { regionCounts } from '../../web/src/model/region-counts.ts'

/** Each count tells its place: 10 * row + column. A 2x2 mean of a part of the sensor. */
const picture = { width: 10, height: 4, roi: { x: 100, y: 40, width: 20, height: 8 }, pixels: Uint16Array.from({ length: 40 }, (_, at) => at) }

test('of the pixels that show the region, both edges in it', () => {
  expect(regionCounts(picture, { x: 104, y: 42, width: 4, height: 4 })).toEqual({
    mean: 17.5,
    deviation: expect.closeTo(Math.sqrt(25.25)),
    minimum: 12,
    maximum: 23,
    pixels: 4,
  })
})

test('of an even picture the deviation is 0, whatever its height', () => {
  const even = { ...picture, pixels: new Uint16Array(40).fill(65_535) }
  expect(regionCounts(even, picture.roi)).toEqual({ mean: 65_535, deviation: 0, minimum: 65_535, maximum: 65_535, pixels: 40 })
})

test('what the picture does not show is left out, and all of it is nothing', () => {
  expect(regionCounts(picture, { x: 0, y: 0, width: 102, height: 42 })).toMatchObject({ mean: 0, pixels: 1 })
  expect(regionCounts(picture, { x: 118, y: 46, width: 100, height: 100 })).toMatchObject({ mean: 39, pixels: 1 })
  expect(regionCounts(picture, { x: 0, y: 0, width: 100, height: 40 })).toBeUndefined()
  expect(regionCounts(picture, { x: 120, y: 40, width: 5, height: 5 })).toBeUndefined()
})
