import { expect, test } from 'vitest'
import { lineProfile, profileAxis } from '../../web/src/model/line-profile.ts'

/** Each count tells its place: 100 * row + column. */
function picture(width: number, height: number, roi: { x: number; y: number; width: number; height: number }) {
  return { width, height, roi, pixels: Uint16Array.from({ length: width * height }, (_, at) => 100 * Math.floor(at / width) + (at % width)) }
}
const full = picture(20, 10, { x: 0, y: 0, width: 20, height: 10 })
const preview = picture(20, 10, { x: 100, y: 40, width: 40, height: 20 })

test('a row: every pixel once, over the x of the sensor', () =>
  expect(lineProfile(full, { from: { x: 2.5, y: 3.5 }, to: { x: 6.5, y: 3.5 } })).toEqual({
    axis: 'x',
    at: [2, 3, 4, 5, 6],
    counts: [302, 303, 304, 305, 306],
  }))

test('drawn to the left it is read to the right all the same', () =>
  expect(lineProfile(full, { from: { x: 6.5, y: 3.9 }, to: { x: 2.5, y: 3.1 } }).counts).toEqual([302, 303, 304, 305, 306]))

test('a column of a 2x2 mean: one sample per pixel of the picture, in sensor pixels', () =>
  expect(lineProfile(preview, { from: { x: 104, y: 46 }, to: { x: 104.9, y: 53 } })).toEqual({ axis: 'y', at: [46, 48, 50, 52], counts: [302, 402, 502, 602] }))

test('a diagonal: as many samples as its longer side has pixels, over the distance', () => {
  const { axis, at, counts } = lineProfile(full, { from: { x: 0.5, y: 0.5 }, to: { x: 8.5, y: 6.5 } })
  expect(axis).toBe('distance')
  expect(at).toHaveLength(9)
  expect([at[0], at.at(-1)]).toEqual([0, 10])
  expect([counts[0], counts[4], counts.at(-1)]).toEqual([0, 304, 608])
})

test('beside the picture nothing is made up', () =>
  expect(lineProfile(full, { from: { x: 18.5, y: 1.5 }, to: { x: 21.5, y: 1.5 } }).counts).toEqual([118, 119, null, null]))

test('a line without a length is one sample', () => expect(lineProfile(full, { from: { x: 4.5, y: 4.5 }, to: { x: 4.6, y: 4.6 } }).counts).toEqual([404]))

test('rows and columns are told by whole sensor pixels', () => {
  expect(profileAxis({ from: { x: 0, y: 3.1 }, to: { x: 9, y: 3.9 } })).toBe('x')
  expect(profileAxis({ from: { x: 3.1, y: 0 }, to: { x: 3.9, y: 9 } })).toBe('y')
  expect(profileAxis({ from: { x: 3, y: 0 }, to: { x: 5, y: 9 } })).toBe('distance')
})
