import { expect, test } from 'vitest'
import {
  counted,
  decimalsOf,
  displayScale,
  formatBound,
  formatBytes,
  formatDuration,
  formatNumber,
  formatQuantity,
  formatRange,
  positionStep,
  unitLabel,
} from '../../web/src/model/format.ts'

test.each([
  ['um', 'µm'],
  ['Cel', '°C'],
  ['deg', '°'],
  ['mm/s2', 'mm/s²'],
  ['W/cm2', 'W/cm²'],
  ['{count}/s', 'count/s'],
  ['kOhm', 'kΩ'],
  ['N.m', 'N·m'],
  ['1', ''],
  [null, ''],
])('the unit %s is printed as %s', (code, label) => expect(unitLabel(code)).toBe(label))

test('numbers have as many decimals as their step, else five digits', () => {
  expect(formatNumber(12.3, 0.001)).toBe('12.300')
  expect(formatNumber(-0.00001, 0.01)).toBe('0.00')
  expect(formatNumber(-0.00001)).toBe('−1.000e−5')
  expect(formatNumber(-0.001, 0.01)).toBe('0.00')
  expect(formatNumber(12.34567)).toBe('12.346')
  expect(formatNumber(5)).toBe('5')
  expect(formatNumber(1.5e9)).toBe('1.500e+9')
  expect(formatNumber(Number.NaN)).toBe('–')
  expect(formatBound(-0.01)).toBe('−0.01')
})

test('bare units take a prefix, others stay as they are', () => {
  expect(formatQuantity(1.2e-5, 'W')).toBe('12 µW')
  expect(formatQuantity(0.0125, 'A')).toBe('12.500 mA')
  expect(formatQuantity(0.0125, 'mm')).toBe('0.012500 mm')
  expect(formatQuantity(0, 'W')).toBe('0 W')
  expect(displayScale(1234, 'mm')).toEqual({ factor: 1, unit: 'mm' })
  expect(displayScale(90, 's')).toEqual({ factor: 1, unit: 's' })
})

test('a range has the ends that are known', () => {
  expect(formatRange({ minimum: -0.01, maximum: 25 })).toBe('−0.01…25')
  expect(formatRange({ minimum: 0, maximum: null })).toBe('≥ 0')
  expect(formatRange({ minimum: null, maximum: 25 })).toBe('≤ 25')
  expect(formatRange({ minimum: null, maximum: null })).toBe('')
  expect(formatRange(null)).toBe('')
})

test('decimals of a step', () => {
  expect([1, 0.1, 0.25, 0.0005, 10].map(decimalsOf)).toEqual([0, 1, 2, 4, 0])
})

test('a position without a step is shown in a fixed part of its travel', () => {
  expect(positionStep({ minimum: 0, maximum: 25 })).toBeCloseTo(1e-4)
  expect(positionStep({ minimum: -180, maximum: 180 })).toBeCloseTo(1e-3)
  expect(positionStep({ minimum: 0, maximum: null })).toBeUndefined()
  expect(positionStep(null)).toBeUndefined()
})

test('sizes and durations', () => {
  expect(formatBytes(999)).toBe('999 B')
  expect(formatBytes(48_231)).toBe('48.2 kB')
  expect(formatBytes(4.2e9)).toBe('4.20 GB')
  expect([4000, 243_000, 7_500_000, 266_400_000].map(formatDuration)).toEqual(['4 s', '4 min 03 s', '2 h 05 min', '3 d 2 h'])
})

test('counts in words', () => {
  expect([counted(0, 'command'), counted(1, 'command'), counted(4, 'command')]).toEqual(['0 commands', '1 command', '4 commands'])
})
