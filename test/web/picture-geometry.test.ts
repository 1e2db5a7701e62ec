import { describe, expect, test } from 'vitest'
import { fitted, kept, panned, pinched, pitch, pixelAt, toBox, toSensor, zoomed } from '../../web/src/model/picture-geometry.ts'

const SENSOR = { x: 0, y: 0, width: 512, height: 512 }
const PART = { x: 100, y: 40, width: 200, height: 100 }
const BOX = { width: 400, height: 300 }

describe('the picture in its box', () => {
  test('two fingers that part keep the pixels that they came down on', () => {
    const viewport = zoomed(fitted(SENSOR, BOX), 4, { x: 200, y: 150 }, SENSOR, BOX)
    const from = [
      { x: 150, y: 120 },
      { x: 250, y: 180 },
    ] as const
    const to = [
      { x: 110, y: 110 },
      { x: 310, y: 230 },
    ] as const
    const after = pinched(viewport, from, to, SENSOR, BOX)
    expect(after.scale / viewport.scale).toBeCloseTo(2)
    for (const at of [0, 1] as const) {
      expect(toSensor(after, to[at]).x).toBeCloseTo(toSensor(viewport, from[at]).x)
      expect(toSensor(after, to[at]).y).toBeCloseTo(toSensor(viewport, from[at]).y)
    }
  })

  test('all of it, in the middle, as large as fits', () => {
    const viewport = fitted(PART, BOX)
    expect(viewport.scale).toBe(2)
    expect(toBox(viewport, PART)).toEqual({ x: 0, y: 50 })
    expect(toBox(viewport, { x: 300, y: 140 })).toEqual({ x: 400, y: 250 })
  })

  test('there and back is the same place', () => {
    const viewport = { left: 33.5, top: -8, scale: 2.75 }
    const { x, y } = toSensor(viewport, toBox(viewport, { x: 200.25, y: 61 }))
    expect([x, y]).toEqual([expect.closeTo(200.25), expect.closeTo(61)])
  })

  test('zooming keeps what is under the pointer', () => {
    const at = { x: 120, y: 200 }
    const before = zoomed(fitted(SENSOR, BOX), 3, { x: 200, y: 150 }, SENSOR, BOX)
    const after = zoomed(before, 1.5, at, SENSOR, BOX)
    expect(after.scale).toBeCloseTo(before.scale * 1.5)
    expect(toSensor(after, at).x).toBeCloseTo(toSensor(before, at).x)
    expect(toSensor(after, at).y).toBeCloseTo(toSensor(before, at).y)
  })

  test('neither smaller than all of it nor larger than a finger per pixel', () => {
    const whole = fitted(SENSOR, BOX)
    expect(zoomed(whole, 0.1, { x: 0, y: 0 }, SENSOR, BOX)).toEqual(whole)
    expect(zoomed(whole, 1e6, { x: 200, y: 150 }, SENSOR, BOX).scale).toBe(64)
  })

  test('cannot be moved out of sight, and stays in the middle while it is smaller than its box', () => {
    const whole = fitted(SENSOR, BOX)
    expect(panned(whole, { x: 0, y: 50 }, SENSOR, BOX).left).toBe(whole.left)
    const near = { left: 100, top: 100, scale: 4 }
    const { left, top } = panned(near, { x: 1e6, y: -1e6 }, SENSOR, BOX)
    expect([left, top]).toEqual([-50, 512 - 37.5])
    expect(kept(near, SENSOR, BOX)).toEqual(near)
  })
})

describe('pixels of a picture', () => {
  const full = { width: 512, height: 512, roi: SENSOR }
  const preview = { width: 100, height: 50, roi: PART }

  test.each([
    [full, { x: 0, y: 0 }, { column: 0, row: 0 }],
    [full, { x: 511.99, y: 3.5 }, { column: 511, row: 3 }],
    [preview, { x: 100, y: 40 }, { column: 0, row: 0 }],
    [preview, { x: 101.9, y: 42 }, { column: 0, row: 1 }],
    [preview, { x: 299.9, y: 139.9 }, { column: 99, row: 49 }],
    [preview, { x: 99.9, y: 50 }, undefined],
    [preview, { x: 150, y: 140 }, undefined],
    [full, { x: -0.1, y: 0 }, undefined],
  ])('%o, at %o', (picture, at, pixel) => expect(pixelAt(picture, at)).toEqual(pixel))

  test('are as many sensor pixels across as were made one', () => expect([pitch(full), pitch(preview)]).toEqual([1, 2]))
})
