import { expect, test } from 'vitest'
import { mainParameter } from '../../web/src/model/main-parameter.ts'

const parameters = [{ id: '1' }, { id: '2' }, { id: '3' }]
const motion = { parameter: { id: '2' } }
const readout = { parameter: { id: '3' } }

test('the position of what moves, the reading of what measures, nothing otherwise', () => {
  expect(mainParameter({ motion, readout, parameters })).toEqual({ id: '2' })
  expect(mainParameter({ motion: null, readout, parameters })).toEqual({ id: '3' })
  expect(mainParameter({ motion: { parameter: null }, readout: null, parameters })).toBeUndefined()
})
