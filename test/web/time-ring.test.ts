import { expect, test } from 'vitest'
import { TimeRing } from '../../web/src/model/time-ring.ts'

function filled(capacity: number, count: number, valueAt: (at: number) => number = (at) => at): TimeRing {
  const ring = new TimeRing(capacity)
  for (let at = 0; at < count; at += 1) ring.push(at, valueAt(at))
  return ring
}

test('keeps the newest points and no more than its capacity', () => {
  const ring = filled(100, 250)
  expect(ring.length).toBe(100)
  expect(ring.firstTime).toBe(150)
  expect(ring.lastTime).toBe(249)
  expect(ring.view(0, 1000, 1000).values).toEqual(Array.from({ length: 100 }, (_, at) => 150 + at))
})

test('a point that is not later than the last is left out', () => {
  const ring = filled(10, 3)
  expect(ring.push(2, 99)).toBe(false)
  expect(ring.push(1, 99)).toBe(false)
  expect(ring.view(0, 10, 100).values).toEqual([0, 1, 2])
})

test('a view has one point before the window, so that the line enters from the left', () => {
  expect(filled(100, 50).view(10.5, 13.5, 100).times).toEqual([10, 11, 12, 13])
  expect(filled(100, 50).view(100, 200, 100).times).toEqual([49])
  expect(new TimeRing(10).view(0, 10, 100).times).toEqual([])
})

test('a reduced view keeps every spike and stays in order', () => {
  const ring = filled(36_000, 36_000, (at) => (at === 12_345 ? 1000 : at === 20_001 ? -1000 : Math.sin(at)))
  const { times, values } = ring.view(0, 36_000, 1000)
  expect(times.length).toBeLessThanOrEqual(1000)
  expect(values[times.indexOf(12_345)]).toBe(1000)
  expect(values[times.indexOf(20_001)]).toBe(-1000)
  expect(times).toEqual([...times].sort((a, b) => a - b))
})

test('a gap is null, also in a reduced view', () => {
  const ring = filled(10_000, 10_000, (at) => (at === 5000 ? Number.NaN : at))
  expect(filled(10, 3, (at) => (at === 1 ? Number.NaN : at)).view(0, 10, 100).values).toEqual([0, null, 2])
  const { times, values } = ring.view(0, 10_000, 200)
  expect(values[times.indexOf(5000)]).toBeNull()
})

test('a marked gap is not drawn over, however often it is marked', () => {
  const ring = filled(10, 2)
  ring.markGap()
  ring.markGap()
  ring.push(5, 5)
  expect(ring.view(0, 10, 100).values.filter((value) => value !== null)).toEqual([0, 1, 5])
  expect(ring.view(0, 10, 100).values.indexOf(null)).toBe(2)
  const empty = new TimeRing(3)
  empty.markGap()
  expect(empty.length).toBe(0)
})

test('older points go before those present, as many as there is room for', () => {
  const ring = new TimeRing(5)
  ring.push(10, 10)
  ring.push(11, 11)
  ring.prepend([5, 6, 7, 8, 10, 12], [5, 6, 7, 8, 99, 99])
  expect(ring.view(0, 100, 100)).toEqual({ times: [6, 7, 8, 10, 11], values: [6, 7, 8, 10, 11] })
  expect(ring.push(12, 12)).toBe(true)
  expect(ring.firstTime).toBe(7)
})
