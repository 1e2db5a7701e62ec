import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { DatasetColumn } from '../../core/dataset.ts'
import { createTableWriter } from '../../storage/table-writer.ts'
import { temporaryFolder } from './folder.ts'
import { writeFrames } from './recorded-frames.ts'

const HEAP_MEGABYTES = 64
const MAX_GROWTH_BYTES = 200e6

async function exportInChild(format: string, kind: string, source: string, target: string): Promise<{ bytes: number; grownBytes: number }> {
  const script = fileURLToPath(new URL('./export-child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--max-old-space-size=${HEAP_MEGABYTES}`,
    '--import',
    'tsx',
    script,
    format,
    kind,
    source,
    target,
  ])
  return JSON.parse(stdout) as { bytes: number; grownBytes: number }
}

test('frames of 400 MB pass a heap of 64 MB', { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder()
  await writeFrames(folder.file('frames.arrow'), 1024, 1024, 200)
  const { bytes, grownBytes } = await exportInChild('arrow', 'FRAMES', folder.file('frames.arrow'), folder.file('out.arrow'))
  expect(bytes).toBeGreaterThan(400e6)
  expect(grownBytes).toBeLessThan(MAX_GROWTH_BYTES)
})

test.each(['csv', 'arrow'])('a table of two million rows passes a heap of 64 MB as %s', { timeout: 120_000 }, async (format) => {
  await using folder = await temporaryFolder()
  const columns: DatasetColumn[] = [
    { name: 'time', type: 'timestamp[ns]' },
    ...['a', 'b', 'c'].map((name): DatasetColumn => ({ name, type: 'float64', unit: 'V' })),
    { name: 'mode', type: 'utf8' },
  ]
  const writer = await createTableWriter(folder.file('table.arrow'), columns)
  for (let index = 0; index < 2_000_000; index += 1) {
    writer.append([BigInt(index), index / 7, index % 3 === 0 ? null : index, -index, 'scan'])
    if (index % 100_000 === 0) await writer.flush()
  }
  await writer.close()
  const { bytes, grownBytes } = await exportInChild(format, 'TABLE', folder.file('table.arrow'), folder.file('out'))
  expect(bytes).toBeGreaterThan(80e6)
  expect(grownBytes).toBeLessThan(MAX_GROWTH_BYTES)
})
