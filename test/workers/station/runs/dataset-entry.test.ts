import { createHash } from 'node:crypto'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Manifest } from '../../../../core/dataset.ts'
import type { DatasetRecord } from '../../../../core/journal.ts'
import { readManifest } from '../../../../storage/manifest.ts'
import { systemClock } from '../../../../workers/station/clock.ts'
import type { Journal } from '../../../../workers/station/journal/journal.ts'
import { openJournal } from '../../../../workers/station/journal/journal.ts'
import { DatasetEntry, datasetFolder } from '../../../../workers/station/runs/dataset-entry.ts'

const GIVEN = { name: 'run 1', kind: 'FRAMES', axes: ['time'], signals: ['frame'], shape: [0, 2, 2], columns: [] } as const

const LAB: Manifest = { takenAt: 5n, parameters: [], software: { version: '0', commit: '', drivers: {}, node: '' } }

let folder: string
let journal: Journal
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kymograph-dataset-'))
  journal = await openJournal(join(folder, 'journal'), { log: () => undefined })
})
afterEach(async () => {
  await journal[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function told(): Promise<readonly DatasetRecord[]> {
  await journal.flush()
  const records: DatasetRecord[] = []
  for await (const { entry } of journal.readFrom(0)) if (entry.type === 'dataset') records.push(entry.dataset)
  return records
}

test('lies by year and month of its start, in UTC', () => {
  expect(datasetFolder('id', 1_767_225_599_999_999_999n)).toBe('datasets/2025/12/id')
  expect(datasetFolder('id', 1_767_225_600_000_000_000n)).toBe('datasets/2026/01/id')
})

test('a small file has its checksum when it is complete, a large one afterwards; the manifest has it too', async () => {
  const place = { journal, clock: systemClock(), dataDir: folder }
  const small = await DatasetEntry.begin(place, 'frames.arrow', GIVEN, LAB)
  await writeFile(small.path, 'abc')
  await small.end('COMPLETE', { rows: 1, bytes: 3, dropped: 0 })
  await small.hash(new AbortController().signal) // nothing left to do
  const sha256 = createHash('sha256').update('abc').digest('hex')
  expect((await told()).map(({ state, sha256 }) => [state, sha256])).toEqual([
    ['RECORDING', undefined],
    ['COMPLETE', sha256],
  ])
  expect(await readManifest(join(folder, small.record.folder))).toEqual({ dataset: small.record, lab: LAB })

  const bytes = 65 * 1024 * 1024
  const large = await DatasetEntry.begin(place, 'frames.arrow', GIVEN, LAB)
  await writeFile(large.path, '')
  await truncate(large.path, bytes)
  await large.end('COMPLETE', { rows: 9, bytes, dropped: 2 })
  expect((await told()).at(-1)).toMatchObject({ state: 'COMPLETE', rows: 9, dropped: 2, files: [{ name: 'frames.arrow', bytes }] })
  expect(large.record.sha256).toBeUndefined()
  await large.hash(new AbortController().signal)
  expect((await told()).at(-1)?.sha256).toBe(createHash('sha256').update(Buffer.alloc(bytes)).digest('hex'))
  expect((await readManifest(join(folder, large.record.folder))).dataset.sha256).toBe(large.record.sha256)
})
