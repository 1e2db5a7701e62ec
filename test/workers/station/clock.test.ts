import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../../workers/station/clock.ts'

afterEach(() => vi.restoreAllMocks())

it('runs evenly, finer than a millisecond, and follows the system when its clock is set', () => {
  const clock = systemClock()
  const times = Array.from({ length: 1000 }, () => clock.wallNs())
  expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)))
  expect(new Set(times).size).toBeGreaterThan(100)
  const before = Date.now()
  const told = Number(clock.wallNs() / 1_000_000n)
  const now = Date.now()
  expect(told).toBeGreaterThan(before - 50)
  expect(told).toBeLessThan(now + 50)
  vi.spyOn(Date, 'now').mockReturnValue(now - 3_600_000)
  expect(Number(clock.wallNs() / 1_000_000n)).toBe(now - 3_600_000)
})
