import { expect, test } from 'vitest'
import { backoffMs } from '../../web/src/state/backoff.ts'

test('waits longer each time, never longer than a person would', () => {
  const middle = Array.from({ length: 12 }, (_, attempt) => backoffMs(attempt, () => 0.5))
  expect(middle[0]).toBe(250)
  expect(middle).toEqual([...middle].sort((a, b) => a - b))
  expect(Math.max(...middle)).toBe(4000)
  expect(backoffMs(1000, () => 1)).toBeLessThanOrEqual(5200)
})
