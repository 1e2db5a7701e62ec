import { expect, test } from 'vitest'
import { decodeColumn, fromReading } from '../../web/src/model/reading-batch.ts'

const column = {
  parameterId: 'p',
  unit: 'mm',
  start: '2026-03-01T09:15:00.500Z',
  offsetsMs: [0, 100, 250],
  numbers: null,
  texts: null,
  booleans: null,
  qualities: null,
}
const startMs = Date.parse(column.start)

test('decodes numbers with their times and qualities', () => {
  expect(decodeColumn({ ...column, numbers: [1, null, 3], qualities: ['GOOD', 'BAD', 'STALE'] })).toEqual([
    { timeMs: startMs, quality: 'GOOD', value: 1, unit: 'mm' },
    { timeMs: startMs + 100, quality: 'BAD', unit: 'mm' },
    { timeMs: startMs + 250, quality: 'STALE', value: 3, unit: 'mm' },
  ])
})

test('zero, false and the empty text are values', () => {
  expect(decodeColumn({ ...column, numbers: [0, 0, 0] }).map((each) => each.value)).toEqual([0, 0, 0])
  expect(decodeColumn({ ...column, booleans: [false, true, false] }).map((each) => each.value)).toEqual([false, true, false])
  expect(decodeColumn({ ...column, unit: null, texts: ['', 'a', 'b'] })[0]).toEqual({ timeMs: startMs, quality: 'GOOD', value: '' })
})

test('a BAD reading has no value, whatever text says why', () => {
  const reading = { time: column.start, unit: 'W', number: null, text: 'no answer', boolean: null }
  expect(fromReading({ ...reading, quality: 'BAD' })).toEqual({ timeMs: startMs, quality: 'BAD', unit: 'W' })
  expect(fromReading({ ...reading, quality: 'GOOD', text: null, number: 0 }).value).toBe(0)
  expect(fromReading({ ...reading, quality: 'GOOD', text: null, boolean: false }).value).toBe(false)
  expect(fromReading({ ...reading, quality: 'GOOD', text: null, list: [1, 2] }).value).toBe('1, 2')
})
