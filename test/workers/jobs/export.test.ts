import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { exportFileNames } from '../../../workers/jobs/export-names.ts'
import { COMPUTE_JOBS } from '../../../workers/jobs/index.ts'

test('the list names every job of the folder', async () => {
  const files = await readdir(path.join(import.meta.dirname, '../../../workers/jobs'))
  const own = files.filter((file) => file.endsWith('.ts') && !['index.ts', 'job.ts', 'export-names.ts'].includes(file))
  expect(COMPUTE_JOBS.map(({ name }) => `${name}.ts`).sort()).toEqual(own.sort())
})

test('files get names that every system takes, each its own', () => {
  const names = ['Scan 1', 'scan 1', 'Überlagerung/../x', '...', '=cmd|x', 'a'.repeat(300)].map((name, index) => ({ id: `id-${index}`, name }))
  expect(exportFileNames(names, 'csv')).toEqual(['Scan-1.csv', 'scan-1-2.csv', 'U-berlagerung-..-x.csv', 'id-3.csv', 'cmd-x.csv', `${'a'.repeat(100)}.csv`])
})
