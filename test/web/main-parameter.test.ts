import { expect, test } from 'vitest'
import { mainParameter } from '../../web/src/model/main-parameter.ts'

const parameters = [
  { id: '1', name: 'velocity' },
  { id: '2', name: 'position' },
  { id: '3', name: 'power' },
]

test('the position of what moves, the reading of what measures, nothing otherwise', () => {
  expect(mainParameter({ capabilities: ['MOVABLE', 'READABLE'], readout: { parameter: { id: '3' } }, parameters })?.name).toBe('position')
  expect(mainParameter({ capabilities: ['READABLE'], readout: { parameter: { id: '3' } }, parameters })?.name).toBe('power')
  expect(mainParameter({ capabilities: ['REGISTER_BANK'], readout: null, parameters })).toBeUndefined()
})
