import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../../../drivers/simulation/random.ts'
import { BEAM, lightAt } from '../../../local/lab/world.ts'

test('the light is a Gaussian beam over the axis', () => {
  expect(lightAt(BEAM.centreMm)).toBeCloseTo(BEAM.peakWatts, 6)
  expect((lightAt(BEAM.centreMm + BEAM.radiusMm) - BEAM.offsetWatts) / BEAM.peakWatts).toBeCloseTo(Math.exp(-2), 9)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 25, noNaN: true }), (position) => {
      expect(lightAt(position)).toBeGreaterThanOrEqual(BEAM.offsetWatts)
      expect(lightAt(position)).toBeLessThanOrEqual(BEAM.peakWatts + BEAM.offsetWatts)
    }),
  )
})

test('the same seed is the same noise', () => {
  const numbers = (seed: number): readonly number[] => Array.from({ length: 100 }, seededRandom(seed))
  expect(numbers(7)).toEqual(numbers(7))
  expect(numbers(7)).not.toEqual(numbers(8))
  expect(numbers(7).every((value) => value >= 0 && value < 1)).toBe(true)
})
