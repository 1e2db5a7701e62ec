import { expect, it } from 'vitest'
import { ParameterTable } from '../../../../workers/station/host/parameter-table.ts'
import { ReadingsHub } from '../../../../workers/station/host/readings-hub.ts'
import { Sampler } from '../../../../workers/station/host/sampler.ts'

it('an answer to a question that was asked before a set does not overwrite what the set has confirmed', () => {
  const note = (): void => undefined
  const clock = { wallNs: () => 1n, monotonicNs: () => 1n }
  const table = new ParameterTable('1', 'meter', {
    clock,
    note,
    hub: new ReadingsHub({ epoch: 1, onBatch: note }),
    sampler: new Sampler(note),
    nextHandle: () => 1,
  })
  table.describe([{ name: 'wavelength', description: '', kind: 'FLOAT', access: 'READ_WRITE', unit: 'nm' }])
  table.measured('wavelength', { value: 700 })
  const { sets } = table
  table.confirmed('wavelength', 850)
  expect(table.answered('wavelength', { value: 700 }, sets)).toMatchObject({ value: 850 })
  expect(table.reading('wavelength')).toMatchObject({ value: 850 })
  expect(table.answered('wavelength', { value: 851 }, table.sets)).toMatchObject({ value: 851 })
})
