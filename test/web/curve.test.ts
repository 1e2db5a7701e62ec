import { expect, test } from 'vitest'
import { Curve } from '../../web/src/model/curve.ts'

test('keeps every row of a short run, in order of x', () => {
  const curve = new Curve(100)
  for (const row of [
    [3, 30],
    [1, 10],
    [2, null],
  ])
    curve.push(row)
  expect(curve.series(0, 1)).toEqual({ x: [1, 2, 3], y: [10, null, 30] })
  expect(curve.rows).toBe(3)
  expect(curve.last).toEqual([2, null])
})

test('thins a long run evenly and stays within its bound', () => {
  const curve = new Curve(1000)
  for (let at = 0; at < 100_000; at += 1) curve.push([at, at * 2])
  const { x, y } = curve.series(0, 1)
  expect(curve.rows).toBe(100_000)
  expect(curve.kept).toBeLessThanOrEqual(1000)
  expect(curve.kept).toBeGreaterThan(500)
  expect(new Set(x.slice(1).map((value, at) => value - (x[at] ?? 0))).size).toBe(1)
  expect(x[0]).toBe(0)
  expect(y.at(-1)).toBe((x.at(-1) ?? 0) * 2)
  expect(curve.last).toEqual([99_999, 199_998])
})

test('rows without an x are left out', () => {
  const curve = new Curve(10)
  curve.push([null, 1])
  curve.push([1, 2])
  expect(curve.series(0, 1)).toEqual({ x: [1], y: [2] })
})

test('rows of another shape begin a new curve', () => {
  const curve = new Curve(10)
  curve.push([1, 2])
  curve.push([1, 2, 3])
  expect(curve.kept).toBe(1)
})
