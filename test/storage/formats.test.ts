import { createHash } from 'node:crypto'
import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import path from 'node:path'
import { RecordBatchReader, tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import type { DatasetColumn, DatasetKind } from '../../core/dataset.ts'
import type { RowCell } from '../../core/row.ts'
import { createFileSink } from '../../storage/file-sink.ts'
import { FORMATS, formatNamed } from '../../storage/formats/index.ts'
import { createTableWriter } from '../../storage/table-writer.ts'
import type { TemporaryFolder } from './folder.ts'
import { temporaryFolder } from './folder.ts'
import { writeFrames } from './recorded-frames.ts'

const COLUMNS: readonly DatasetColumn[] = [
  { name: 'time', type: 'timestamp[ns]' },
  { name: 'power', type: 'float64', unit: 'W', parameter: 'power' },
  { name: 'a "b", c', type: 'utf8', unit: '{count}/s' },
  { name: 'open', type: 'bool' },
  { name: 'total', type: 'uint64' },
]
const ROWS: RowCell[][] = [
  [1_700_000_000_000_000_001n, 1.5, 'plain', true, 2n ** 64n - 1n],
  [1_700_000_000_000_000_000n, null, 'with "quotes", commas', false, 0n],
  [-1n, -1e-9, 'two\r\nlines', null, 1n],
  [1_700_000_001_000_000_000n, Number.NaN, '', true, 2n],
  [null, 1e21, null, true, null],
]

async function record(folder: TemporaryFolder, rows: readonly (readonly RowCell[])[], flushEvery = 2): Promise<string> {
  const file = folder.file('table.arrow')
  await using writer = await createTableWriter(file, COLUMNS, { metadata: { runId: 'r-7' } })
  for (const [index, row] of rows.entries()) {
    writer.append(row)
    if (index % flushEvery === 0) await writer.flush()
  }
  return file
}

async function exported(folder: TemporaryFolder, format: string, file: string, kind: DatasetKind, columns?: readonly string[]): Promise<Buffer> {
  const target = folder.file(`out.${formatNamed(format).extension}`)
  await using sink = await createFileSink(target)
  const fractions: number[] = []
  await formatNamed(format).write({ kind, file }, sink, {
    signal: new AbortController().signal,
    progress: (fraction) => void fractions.push(fraction),
    ...(columns && { columns }),
  })
  const { bytes, sha256 } = await sink.finish()
  const content = await readFile(target)
  expect(content.byteLength).toBe(bytes)
  expect(createHash('sha256').update(content).digest('hex')).toBe(sha256)
  expect(fractions.at(-1) ?? 1).toBe(1)
  return content
}

test('the list names every format of the folder', async () => {
  const files = await readdir(path.join(import.meta.dirname, '../../storage/formats'))
  const own = files.filter((file) => file.endsWith('.ts') && !['index.ts', 'format.ts', 'arrow-footer.ts'].includes(file))
  expect(FORMATS.map(({ id }) => `${id}.ts`).sort()).toEqual(own.sort())
  expect(() => formatNamed('xls')).toThrow(/no export format xls; there are csv, arrow/)
})

describe('csv', () => {
  test('is RFC 4180 with units in the header and times to the nanosecond', async () => {
    await using folder = await temporaryFolder()
    const text = (await exported(folder, 'csv', await record(folder, ROWS), 'TABLE')).toString('utf8')
    expect(text).toBe(
      [
        'time,power [W],"a ""b"", c [{count}/s]",open,total',
        '2023-11-14T22:13:20.000000001Z,1.5,plain,true,18446744073709551615',
        '2023-11-14T22:13:20.000000000Z,,"with ""quotes"", commas",false,0',
        '1969-12-31T23:59:59.999999999Z,-1e-9,"two\r\nlines",,1',
        '2023-11-14T22:13:21.000000000Z,NaN,"",true,2',
        ',1e+21,,true,',
        '',
      ].join('\r\n'),
    )
  })

  test('writes the columns asked for, in that order, and refuses frames', async () => {
    await using folder = await temporaryFolder()
    const file = await record(folder, ROWS)
    expect((await exported(folder, 'csv', file, 'TABLE', ['open', 'power'])).toString('utf8').split('\r\n').slice(0, 2)).toEqual(['open,power [W]', 'true,1.5'])
    await using sink = await createFileSink(folder.file('frames.csv'))
    const options = { signal: new AbortController().signal, progress: () => undefined }
    await expect(formatNamed('csv').write({ kind: 'FRAMES', file }, sink, options)).rejects.toThrow(/no place for frames/)
    await expect(formatNamed('csv').write({ kind: 'TABLE', file }, sink, { ...options, columns: ['volts'] })).rejects.toThrow(/no column volts/)
  })
})

describe('arrow', () => {
  test('is an IPC file with the same cells, units and metadata, in large batches', async () => {
    await using folder = await temporaryFolder()
    const rows = Array.from({ length: 70_000 }, (_, index): RowCell[] => ROWS[index % ROWS.length]?.with(1, index % 5 === 1 ? null : index) ?? [])
    const content = await exported(folder, 'arrow', await record(folder, rows, 999), 'TABLE')
    expect(RecordBatchReader.from(content).isFile()).toBe(true)
    const table = tableFromIPC(content)
    expect(table.numRows).toBe(70_000)
    expect(table.batches.length).toBeLessThanOrEqual(2)
    expect(table.schema.metadata.get('runId')).toBe('r-7')
    expect(table.schema.fields[1]?.metadata.get('unit')).toBe('W')
    for (const index of [0, 1, 2, 4, 65_535, 65_536, 69_999])
      expect([...(table.get(index) ?? [])].slice(1).map(([, value]) => value)).toEqual(rows[index]?.slice(1))
  })

  test('has any batch at hand through its footer, and an empty table too', async () => {
    await using folder = await temporaryFolder()
    const content = await exported(folder, 'arrow', await record(folder, []), 'TABLE', ['power'])
    expect(tableFromIPC(content)).toMatchObject({ numRows: 0, numCols: 1 })
  })

  test('copies frames as they were recorded', async () => {
    await using folder = await temporaryFolder()
    await writeFrames(folder.file('frames.arrow'), 37, 3, 150)
    const content = await exported(folder, 'arrow', folder.file('frames.arrow'), 'FRAMES')
    const reader = RecordBatchReader.from(content)
    if (!reader.isFile() || !reader.isSync()) throw new Error('it is not an Arrow file')
    reader.open()
    expect(reader.numRecordBatches).toBe(150)
    const batch = reader.readRecordBatch(77)
    expect(batch?.getChild('sequence')?.get(0)).toBe(77n)
    expect(batch?.getChild('frame')?.get(0)?.toArray()).toEqual(Uint16Array.from({ length: 37 * 3 }, (_, pixel) => 77 * 7 + pixel))
  })

  test('of a cut recording has its whole frames', async () => {
    await using folder = await temporaryFolder()
    await writeFrames(folder.file('frames.arrow'), 64, 64, 5)
    await truncate(folder.file('frames.arrow'), (await stat(folder.file('frames.arrow'))).size - 5000)
    expect(tableFromIPC(await exported(folder, 'arrow', folder.file('frames.arrow'), 'FRAMES')).numRows).toBe(4)
  })
})

test.each(FORMATS.map(({ id }) => id))('%s stops midway when told', async (id) => {
  await using folder = await temporaryFolder()
  const file = await record(
    folder,
    Array.from({ length: 5000 }, () => ROWS[0] ?? []),
    10,
  )
  await using sink = await createFileSink(folder.file('out'))
  const stop = new AbortController()
  const progress = (fraction: number): void => {
    if (fraction > 0.5) stop.abort(new Error('a person changed their mind'))
  }
  await expect(formatNamed(id).write({ kind: 'TABLE', file }, sink, { signal: stop.signal, progress })).rejects.toThrow('a person changed their mind')
})
