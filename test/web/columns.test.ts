import { expect, test } from 'vitest'
import { firstAxes, toCell } from '../../web/src/model/columns.ts'

const column = (name: string, type = 'float64') => ({ name, type, unit: null })

test('the scanned axis and the first signal, where the dataset says which', () => {
  const columns = [column('time'), column('stage'), column('stage_setpoint'), column('power')]
  expect(firstAxes(columns, ['stage_setpoint'], ['power'])).toEqual({ x: 'stage_setpoint', y: 'power' })
})

test('else the first measured column and the last one', () => {
  expect(firstAxes([column('seq', 'int64'), column('time'), column('stage'), column('power'), column('note', 'utf8')])).toEqual({ x: 'stage', y: 'power' })
})

test('a single measured column stands over the time', () => {
  expect(firstAxes([column('time'), column('power')])).toEqual({ x: 'time', y: 'power' })
  expect(firstAxes([column('power')])).toEqual({ x: undefined, y: 'power' })
  expect(firstAxes([])).toEqual({ x: undefined, y: undefined })
})

test('cells become numbers or gaps', () => {
  expect([1.5, true, null, 'x', '2026-03-01T00:00:00Z'].map(toCell)).toEqual([1.5, 1, null, null, Date.parse('2026-03-01T00:00:00Z') / 1000])
})
