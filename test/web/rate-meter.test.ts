import { expect, test } from 'vitest'
import { RateMeter } from '../../web/src/model/rate-meter.ts'

test('the rate is that of the frames, and 0 when none come', () => {
  const meter = new RateMeter()
  expect(meter.perSecond(0)).toBeUndefined()
  for (let frame = 0; frame < 200; frame += 1) meter.tick(frame * 50)
  expect(meter.perSecond(199 * 50)).toBeCloseTo(20)
  expect(meter.perSecond(199 * 50 + 60_000)).toBe(0)
})

test('frames that arrive in bursts do not make it higher', () => {
  const meter = new RateMeter()
  for (let burst = 0; burst < 20; burst += 1) for (let frame = 0; frame < 3; frame += 1) meter.tick(burst * 150 + frame)
  expect(meter.perSecond(19 * 150 + 2)).toBeGreaterThan(18)
  expect(meter.perSecond(19 * 150 + 2)).toBeLessThan(23)
})
