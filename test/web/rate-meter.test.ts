import { expect, test } from 'vitest'
import { RateMeter } from '../../web/src/model/rate-meter.ts'

function looked(looks: readonly (readonly [number, number])[]): number | undefined {
  const meter = new RateMeter()
  for (const [atMs, count] of looks) meter.look(atMs, count)
  return meter.perSecond()
}

test('a rate needs two looks', () => {
  expect(looked([])).toBeUndefined()
  expect(looked([[0, 5]])).toBeUndefined()
})

test('the mean over the last two seconds, however uneven it comes', () => {
  expect(looked([[0, 0], [1000, 30]])).toBe(30) // biome-ignore format: pairs
  expect(looked([[0, 0], [250, 20], [500, 20], [1000, 30]])).toBe(30) // biome-ignore format: pairs
  expect(looked([[0, 0], [1000, 500], [2000, 510], [3000, 520]])).toBe(10) // biome-ignore format: pairs
})

test('nothing for two seconds is 0', () => expect(looked([[0, 0], [1000, 30], [2000, 30], [3000, 30]])).toBe(0)) // biome-ignore format: pairs

test('a count that begins anew is not a negative rate', () => expect(looked([[0, 100], [1000, 130], [1250, 2], [1500, 12]])).toBe(40)) // biome-ignore format: pairs
