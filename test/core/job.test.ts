import { expect, test } from 'vitest'
import { acquisition, exportJob } from '../../core/job.ts'

test('payloads come whole through JSON', () => {
  const payload = { jobId: 'j', datasetIds: ['a', 'b'], format: 'csv', columns: ['power'], options: { header: true } }
  expect(exportJob.parse(JSON.parse(JSON.stringify(payload)))).toEqual(payload)
  expect(exportJob.parse({ jobId: 'j', datasetIds: [], format: 'csv' })).toEqual({ jobId: 'j', datasetIds: [], format: 'csv', options: {} })
  expect(acquisition.parse({ jobId: 'j', runId: 'r', more: 1 })).toEqual({ jobId: 'j', runId: 'r' })
})

test.each([
  [exportJob, null],
  [exportJob, {}],
  [exportJob, { jobId: 'j', datasetIds: [1], format: 'csv' }],
  [exportJob, { jobId: 'j', datasetIds: ['a'] }],
  [acquisition, { jobId: 'j' }],
  [acquisition, 'j'],
])('refuses a payload that is not one', (contract, given) => {
  expect(() => contract.parse(given)).toThrow(/payload needs/)
})

test('what moves hardware is tried once and never again after a stall', () => {
  expect(acquisition).toMatchObject({ attempts: 1, maxStalledCount: 0 })
})
