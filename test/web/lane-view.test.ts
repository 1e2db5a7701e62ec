import { expect, test } from 'vitest'
import { laneView } from '../../web/src/model/lane-view.ts'
import { TimeRing } from '../../web/src/model/time-ring.ts'

function ring(...points: readonly (readonly [number, number])[]): TimeRing {
  const made = new TimeRing(100)
  for (const [time, value] of points) made.push(time, value)
  return made
}

test('a value that was reported once and holds is a line up to now, also from before the window', () => {
  expect(laneView(ring([10, 5]), 100, 60, 1000, true)).toMatchObject({ times: [10, 100], values: [5, 5] })
})

test('without a connection the line ends where knowledge ends', () => {
  expect(laneView(ring([90, 5]), 100, 60, 1000, false)).toMatchObject({ times: [90], values: [5] })
  expect(laneView(ring([90, Number.NaN]), 100, 60, 1000, true)).toMatchObject({ times: [90], values: [null] })
})

test('the scale shows every value with air, and a constant in the middle', () => {
  const moving = laneView(ring([70, 0], [80, 10]), 100, 60, 1000, true)
  expect(moving.low).toBeLessThan(0)
  expect(moving.high).toBeGreaterThan(10)
  const constant = laneView(ring([70, 3]), 100, 60, 1000, true)
  expect((constant.low + constant.high) / 2).toBeCloseTo(3)
  expect(constant.high).toBeGreaterThan(constant.low)
  expect(laneView(ring(), 100, 60, 1000, true)).toEqual({ times: [], values: [], low: 0, high: 1, largest: 0 })
})

test('the unit is that of the values, not of the air around them', () => {
  expect(laneView(ring([70, 0]), 100, 60, 1000, true)).toMatchObject({ low: -0.5, high: 0.5, largest: 0 })
  expect(laneView(ring([70, -0.9], [80, 0.1]), 100, 60, 1000, true)).toMatchObject({ largest: 0.9 })
})
