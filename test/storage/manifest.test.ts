import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { sha256OfFile } from '../../storage/hash.ts'
import type { DatasetManifest } from '../../storage/manifest.ts'
import { readManifest, writeManifest } from '../../storage/manifest.ts'
import { temporaryFolder } from './folder.ts'

test('a manifest comes back as it was, to the nanosecond', async () => {
  await using folder = await temporaryFolder()
  const manifest: DatasetManifest = {
    dataset: {
      id: 'a',
      name: 'scan',
      kind: 'TABLE',
      state: 'COMPLETE',
      axes: ['position'],
      signals: ['power'],
      shape: [11],
      createdAt: 1_700_000_000_123_456_789n,
      completedAt: 1_700_000_001_000_000_000n,
      rows: 11,
      bytes: 2048,
      dropped: 0,
      columns: [{ name: 'time', type: 'timestamp[ns]' }],
      folder: 'datasets/a',
      files: [],
    },
    lab: {
      takenAt: 1_699_999_999_000_000_001n,
      parameters: [{ deviceId: 'd', deviceName: 'stage', parameter: 'position', unit: 'mm', reading: { time: 5n, quality: 'GOOD', value: 1.25 } }],
      software: { version: '0.1.0', commit: '', drivers: { 'newport-esp300': '1' }, node: 'v20' },
    },
  }
  await writeManifest(folder.path, manifest)
  await writeManifest(folder.path, manifest)
  expect(await readManifest(folder.path)).toEqual(manifest)
  await writeFile(folder.file('manifest.json'), '{"kymograph": 2}')
  await expect(readManifest(folder.path)).rejects.toThrow(/version 2; this software reads version 1/)
})

test('a hash is that of the whole file, and stops when told', async () => {
  await using folder = await temporaryFolder()
  const bytes = Buffer.alloc(3_000_001, 'kymograph')
  await writeFile(folder.file('x'), bytes)
  expect(await sha256OfFile(folder.file('x'))).toEqual({ sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength })
  await expect(sha256OfFile(folder.file('x'), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})
