import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createReducer, REDUCTIONS, reduce } from '../../core/reduce.ts'

const series = fc.array(
  fc.oneof({ weight: 9, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) }, { weight: 1, arbitrary: fc.constant(Number.NaN) }),
  { maxLength: 400 },
)
const points = fc.integer({ min: 2, max: 120 })
const xOf = (y: readonly number[]): number[] => y.map((_, index) => index * 0.5)
const present = (y: readonly number[]): number[] => y.filter((value) => !Number.isNaN(value))

describe('every reduction', () => {
  test('gives at most maxPoints, ascending, and the whole series when it fits', () => {
    fc.assert(
      fc.property(series, points, fc.constantFrom(...REDUCTIONS), (y, maxPoints, reduction) => {
        const reduced = reduce(xOf(y), y, maxPoints, reduction)
        expect(reduced.values.length).toBeLessThanOrEqual(maxPoints)
        expect(reduced.x).toHaveLength(reduced.values.length)
        expect(reduced.indices).toEqual([...reduced.indices].sort((a, b) => a - b))
        expect(new Set(reduced.indices).size).toBe(reduced.indices.length)
        if (y.length <= maxPoints) expect(reduced.values).toEqual(y.map((value) => (Number.isNaN(value) ? null : value)))
      }),
    )
  })

  test('but MEAN gives only points that were measured', () => {
    fc.assert(
      fc.property(series, points, fc.constantFrom('NONE', 'MIN_MAX', 'LTTB', 'FIRST', 'LAST'), (y, maxPoints, reduction) => {
        const x = xOf(y)
        const reduced = reduce(x, y, maxPoints, reduction)
        for (const [at, index] of reduced.indices.entries()) {
          expect(reduced.x[at]).toBe(x[index])
          expect(reduced.values[at] ?? Number.NaN).toBe(y[index])
        }
      }),
    )
  })
})

test('MIN_MAX keeps the extremes', () => {
  fc.assert(
    fc.property(series, points, (y, maxPoints) => {
      const { values } = reduce(xOf(y), y, maxPoints, 'MIN_MAX')
      const there = present(y)
      if (there.length === 0) return
      expect(values).toContain(Math.min(...there) === 0 ? values.find((value) => value === 0) : Math.min(...there))
      expect(values).toContain(Math.max(...there) === 0 ? values.find((value) => value === 0) : Math.max(...there))
    }),
  )
})

test('LTTB keeps the first and the last value, and a lone peak', () => {
  fc.assert(
    fc.property(series, points, (y, maxPoints) => {
      const { values } = reduce(xOf(y), y, maxPoints, 'LTTB')
      const there = present(y)
      if (y.length <= maxPoints || there.length === 0) return
      expect(values[0]).toBe(there[0])
      expect(values.at(-1)).toBe(there.at(-1))
    }),
  )
  const flat = new Float64Array(10_000)
  flat[4321] = 9
  expect(
    reduce(
      flat.map((_, index) => index),
      flat,
      100,
      'LTTB',
    ).values,
  ).toContain(9)
})

test('MEAN has the extremes of each bucket beside its mean', () => {
  fc.assert(
    fc.property(series, points, (y, maxPoints) => {
      const { values, minimum, maximum } = reduce(xOf(y), y, maxPoints, 'MEAN')
      expect(minimum === undefined).toBe(y.length <= maxPoints)
      if (minimum === undefined) return
      for (const [at, value] of values.entries()) {
        if (value === null) return
        const slack = 1e-9 * (Math.abs(minimum[at] ?? 0) + Math.abs(maximum?.[at] ?? 0))
        expect(value).toBeGreaterThanOrEqual((minimum[at] ?? Number.NaN) - slack)
        expect(value).toBeLessThanOrEqual((maximum?.[at] ?? Number.NaN) + slack)
      }
    }),
  )
  expect(reduce([0, 1, 2, 3], [1, 3, Number.NaN, Number.NaN], 2, 'MEAN')).toEqual({
    indices: [0, 2],
    x: [0, 2],
    values: [2, null],
    minimum: [1, null],
    maximum: [3, null],
  })
})

test('a gap stays a gap', () => {
  const y = Array.from({ length: 1000 }, (_, index) => (index >= 400 && index < 600 ? Number.NaN : index))
  for (const reduction of ['MIN_MAX', 'MEAN', 'FIRST', 'LAST'] as const) expect(reduce(xOf(y), y, 50, reduction).values).toContain(null)
})

test('FIRST and LAST choose the outermost value of each bucket', () => {
  const y = [Number.NaN, 2, 3, 4, 5, Number.NaN]
  expect(reduce(xOf(y), y, 2, 'FIRST').values).toEqual([2, 4])
  expect(reduce(xOf(y), y, 2, 'LAST').values).toEqual([3, 5])
})

test('LAST of a constant is the last point, not the first that has its value', () => {
  const y = [7, 7, 7, 7, 7, 7]
  expect(reduce(xOf(y), y, 2, 'LAST').indices).toEqual([2, 5])
  expect(reduce(xOf(y), y, 2, 'FIRST').indices).toEqual([0, 3])
})

test('a series longer than LTTB looks at keeps its peaks all the same', () => {
  const total = 2_500_000
  const reducer = createReducer('LTTB', total, 100)
  for (let index = 0; index < total; index += 1) reducer.push(index, index === 1_234_567 ? 5 : Math.sin(index / 1e5))
  const { values, indices } = reducer.finish()
  expect(values).toHaveLength(100)
  expect(values).toContain(5)
  expect(indices[0]).toBe(0)
})

test('refuses a maxPoints that makes no line or no sense', () => {
  for (const maxPoints of [1, 0, -5, 2.5, Number.NaN, 1e9]) expect(() => reduce([], [], maxPoints, 'MEAN')).toThrow(/maxPoints/)
})
