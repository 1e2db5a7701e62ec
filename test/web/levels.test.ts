import { expect, test } from 'vitest'
import { easedLevels } from '../../web/src/model/levels.ts'

test('the first frame sets the levels, the next ones draw them along', () => {
  const first = easedLevels(undefined, 100, 1100)
  expect(first).toEqual({ low: 100, high: 1100 })
  const second = easedLevels(first, 200, 2100)
  expect(second.low).toBeGreaterThan(100)
  expect(second.low).toBeLessThan(200)
  let levels = second
  for (let frame = 0; frame < 100; frame += 1) levels = easedLevels(levels, 200, 2100)
  expect(levels.low).toBeCloseTo(200)
  expect(levels.high).toBeCloseTo(2100)
})

test('an even picture does not divide by zero', () => {
  const { low, high } = easedLevels(undefined, 7, 7)
  expect(high).toBeGreaterThan(low)
})
