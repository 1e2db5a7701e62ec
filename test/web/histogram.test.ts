import { describe, expect, test } from 'vitest'
import { automaticLevels, binned, countPixels, percentile, steadySpan, summarise } from '../../web/src/model/histogram.ts'

const hundred = Uint16Array.from({ length: 100 }, (_, at) => 1000 + at)

describe('histogram', () => {
  test('counts every pixel, the largest too', () => {
    const occurrences = countPixels(Uint16Array.of(0, 7, 7, 65_535, 65_535, 65_535))
    expect([occurrences[0], occurrences[7], occurrences[65_535], occurrences[8]]).toEqual([1, 2, 3, 0])
  })

  test.each([
    [0, 1000],
    [0.01, 1000],
    [0.5, 1049],
    [0.99, 1098],
    [1, 1099],
  ])('%d of the pixels are at most %d', (share, count) => expect(percentile(countPixels(hundred), share)).toBe(count))

  test('an empty picture has no percentile to fail on', () => expect(percentile(countPixels(new Uint16Array(0)), 0.5)).toBe(0))

  test('bins are equally wide, hold both ends, and leave out what lies beyond', () => {
    const occurrences = countPixels(hundred)
    expect([...binned(occurrences, { from: 1000, to: 1099 }, 25)]).toEqual([25, 25, 25, 25])
    expect([...binned(occurrences, { from: 1050, to: 1059 }, 2)]).toEqual([2, 2, 2, 2, 2])
    expect([...binned(occurrences, { from: 0, to: 999 }, 500)]).toEqual([0, 0])
    expect([...binned(occurrences, { from: 65_530, to: 65_541 }, 6)]).toEqual([0, 0])
  })

  test('a summary shows all of the picture, each bin as many counts wide as the others', () => {
    const { span, heights, automatic } = summarise(countPixels(hundred), undefined, undefined, 65_535)
    expect(span).toEqual({ from: 990, to: 1109 })
    expect(heights).toHaveLength(120)
    expect([...heights].reduce((sum, height) => sum + height)).toBe(100)
    expect(Math.max(...heights)).toBe(1)
    expect(automatic).toEqual({ low: 1000, high: 1099 })
    const wide = summarise(countPixels(Uint16Array.of(0, 60_000)), undefined, undefined, 65_535)
    expect((wide.span.to - wide.span.from + 1) % wide.heights.length).toBe(0)
  })

  test('levels by hand are on its axis, wherever they are', () => {
    const { span } = summarise(countPixels(hundred), undefined, { low: 200, high: 5000 }, 65_535)
    expect(span.from).toBeLessThanOrEqual(200)
    expect(span.to).toBeGreaterThanOrEqual(5000)
  })
})

describe('automatic levels', () => {
  test('leave a few hot and dead pixels out', () => {
    const pixels = Uint16Array.from({ length: 100_000 }, (_, at) => 500 + (at % 100))
    pixels.fill(65_535, 0, 50)
    pixels.fill(0, 50, 100)
    expect(automaticLevels(countPixels(pixels))).toEqual({ low: 500, high: 599 })
  })

  test('an even picture does not divide by zero', () => {
    const { low, high } = automaticLevels(countPixels(new Uint16Array(64).fill(7)))
    expect([low, high]).toEqual([7, 8])
  })
})

describe('the axis', () => {
  const saturated = 65_535
  test('stands around the data, within what the camera can give', () => {
    const span = steadySpan(undefined, { from: 83, to: 15_103 }, saturated)
    expect(span).toEqual({ from: 0, to: 17_000 })
    expect(steadySpan(undefined, { from: 0, to: 65_535 }, saturated)).toEqual({ from: 0, to: saturated })
  })

  test('does not move while the data fits and fills it, and does when not', () => {
    const span = steadySpan(undefined, { from: 1000, to: 2000 }, saturated)
    expect(steadySpan(span, { from: 1010, to: 1990 }, saturated)).toBe(span)
    expect(steadySpan(span, { from: 1000, to: 2600 }, saturated).to).toBeGreaterThan(2600)
    expect(steadySpan(span, { from: 1000, to: 1100 }, saturated).to).toBeLessThan(span.to)
  })
})
