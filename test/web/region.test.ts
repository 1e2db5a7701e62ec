import { describe, expect, test } from 'vitest'
import { handleAt, movedRect, rectBetween, resizedRect, sameRect, wholeRect } from '../../web/src/model/region.ts'

const SENSOR = { x: 0, y: 0, width: 512, height: 384 }

describe('a region that is drawn', () => {
  test.each([
    ['every pixel that was touched', { x: 10.2, y: 20.9 }, { x: 30.1, y: 40.5 }, 1, { x: 10, y: 20, width: 21, height: 21 }],
    ['backwards', { x: 30.1, y: 40.5 }, { x: 10.2, y: 20.9 }, 1, { x: 10, y: 20, width: 21, height: 21 }],
    ['in whole pixels of a 4x4 mean', { x: 10, y: 21 }, { x: 31, y: 41 }, 4, { x: 8, y: 20, width: 24, height: 24 }],
    ['no smaller than one', { x: 10.2, y: 10.2 }, { x: 10.3, y: 10.3 }, 2, { x: 10, y: 10, width: 2, height: 2 }],
    ['not beyond the sensor', { x: -50, y: 300 }, { x: 600, y: 999 }, 2, { x: 0, y: 300, width: 512, height: 84 }],
    ['wholly beside it', { x: 600, y: 400 }, { x: 700, y: 500 }, 2, { x: 510, y: 382, width: 2, height: 2 }],
  ])('%s', (_, a, b, step, rect) => expect(rectBetween(a, b, SENSOR, step)).toEqual(rect))

  test('lies on the pixels of a picture that begins in the middle of the sensor', () =>
    expect(rectBetween({ x: 106, y: 46 }, { x: 111, y: 51 }, { x: 101, y: 41, width: 40, height: 40 }, 4)).toEqual({ x: 105, y: 45, width: 8, height: 8 }))
})

describe('a region that is there', () => {
  const rect = { x: 100, y: 80, width: 40, height: 20 }

  test('moves by whole pixels and stops at the edge', () => {
    expect(movedRect(rect, { x: 5.4, y: -3 }, SENSOR, 2)).toEqual({ ...rect, x: 106, y: 78 })
    expect(movedRect(rect, { x: 999, y: -999 }, SENSOR, 2)).toEqual({ ...rect, x: 472, y: 0 })
  })

  test('a corner goes with the pointer, the one across stays, and it can be turned over', () => {
    expect(resizedRect(rect, 'se', { x: 119.5, y: 109.5 }, SENSOR, 1)).toEqual({ x: 100, y: 80, width: 20, height: 30 })
    expect(resizedRect(rect, 'nw', { x: 90, y: 70 }, SENSOR, 1)).toEqual({ x: 90, y: 70, width: 50, height: 30 })
    expect(resizedRect(rect, 'ne', { x: 60, y: 130 }, SENSOR, 1)).toEqual({ x: 60, y: 100, width: 40, height: 30 })
  })

  test('is taken by its corners, else by its inside, wherever the picture is zoomed to', () => {
    const viewport = { left: 90, top: 70, scale: 4 } // the region is at 40,40 and 160 x 80 large
    const at = (x: number, y: number) => handleAt(rect, viewport, { x, y })
    expect([at(40, 40), at(205, 125), at(198, 36), at(33, 118), at(120, 80), at(20, 20)]).toEqual(['nw', 'se', 'ne', 'sw', 'inside', undefined])
  })

  test.each([
    [
      { x: 10.4, y: 20.6, width: 30.2, height: 40 },
      { x: 10, y: 21, width: 30, height: 40 },
    ],
    [
      { x: -4, y: 999, width: 5000, height: 0 },
      { x: 0, y: 383, width: 512, height: 1 },
    ],
  ])('typed as %o it is %o', (typed, rect) => expect(wholeRect(typed, SENSOR)).toEqual(rect))

  test('is the same when all four numbers are', () => {
    expect(sameRect(rect, { ...rect })).toBe(true)
    expect(sameRect(rect, { ...rect, height: 21 })).toBe(false)
    expect([sameRect(undefined, undefined), sameRect(rect, undefined)]).toEqual([true, false])
  })
})
