import { describe, expect, test } from 'vitest'
import type { DatasetColumn } from '../../core/dataset.ts'
import { TABLE_FILE } from '../../core/dataset.ts'
import type { RowCell } from '../../core/row.ts'
import { plainCell, readSeries, readStatistics, readTable } from '../../storage/dataset.ts'
import { createTableWriter } from '../../storage/table-writer.ts'
import type { TemporaryFolder } from './folder.ts'
import { temporaryFolder } from './folder.ts'

const COLUMNS: readonly DatasetColumn[] = [
  { name: 'time', type: 'timestamp[ns]' },
  { name: 'position', type: 'float64', unit: 'mm' },
  { name: 'power', type: 'float64', unit: 'W' },
  { name: 'mode', type: 'utf8' },
]
const START = 1_700_000_000_000_000_000n
const ROWS = 5000

function power(index: number): number | null {
  if (index === 4000) return 99
  return index >= 1000 && index < 1500 ? null : Math.sin(index / 100)
}

async function recorded(
  folder: TemporaryFolder,
  row: (index: number) => RowCell[] = (index) => [START + BigInt(index) * 1_000_000_000n, index / 10, power(index), 'x'],
  count = ROWS,
): Promise<string> {
  await using writer = await createTableWriter(folder.file(TABLE_FILE), COLUMNS)
  for (let index = 0; index < count; index += 1) writer.append(row(index))
  return folder.path
}

describe('series', () => {
  test('reduces on the way, with x from a column, a unit, and the peak in it', async () => {
    await using folder = await temporaryFolder()
    const path = await recorded(folder)
    const [series] = await readSeries(path, { columns: ['power'], x: 'position', maxPoints: 100, reduce: 'MIN_MAX' })
    expect(series).toMatchObject({ column: 'power', unit: 'W', reducedFrom: ROWS })
    expect(series?.values.length).toBeLessThanOrEqual(100)
    expect(series?.values).toContain(99)
    expect(series?.x[series.values.indexOf(99)]).toBe(400)
    expect(series?.values).toContain(null)
  })

  test('takes row numbers or seconds for x, and a range', async () => {
    await using folder = await temporaryFolder()
    const path = await recorded(folder)
    const range = { from: 10, to: 13 }
    expect((await readSeries(path, { columns: ['power'], range, maxPoints: 10, reduce: 'NONE' }))[0]?.x).toEqual([10, 11, 12])
    const [position, seconds] = await readSeries(path, { columns: ['position', 'power'], x: 'time', range, maxPoints: 10, reduce: 'LTTB' })
    expect(position?.values).toEqual([1, 1.1, 1.2])
    expect(seconds?.x).toEqual([1_700_000_010, 1_700_000_011, 1_700_000_012])
    expect((await readSeries(path, { columns: ['power'], range: { from: 9999 }, maxPoints: 10, reduce: 'MEAN' }))[0]).toMatchObject({ x: [], reducedFrom: 0 })
  })

  test('names the columns there are when one is asked for that is not', async () => {
    await using folder = await temporaryFolder()
    const path = await recorded(folder)
    await expect(readSeries(path, { columns: ['volts'], maxPoints: 10, reduce: 'NONE' })).rejects.toThrow(/no column volts; there are time, position/)
    await expect(readSeries(path, { columns: [], maxPoints: 10, reduce: 'NONE' })).rejects.toThrow(/give 1 to/)
  })
})

test('a page of rows says whether there are more', async () => {
  await using folder = await temporaryFolder()
  const path = await recorded(folder)
  const page = await readTable(path, { columns: ['position', 'mode'], range: { from: 4998 }, first: 1 })
  expect(page).toMatchObject({ firstRow: 4998, rows: [[499.8, 'x']], truncated: true })
  expect(page.columns.map(({ unit }) => unit)).toEqual(['mm', undefined])
  expect((await readTable(path, { range: { from: 4999 }, first: 10 })).truncated).toBe(false)
  await expect(readTable(path, { first: 1e6 })).rejects.toThrow(/first/)
})

test('statistics are those of the textbook, stable far from zero', async () => {
  await using folder = await temporaryFolder()
  const offset = 1e9
  const path = await recorded(folder, (index) => [START, offset + (index % 4), index === 2 ? null : 7, 'x'], 8)
  const [position, seven, mode] = await readStatistics(path, ['position', 'power', 'mode'])
  expect(position).toMatchObject({ count: 8, nulls: 0, minimum: offset, maximum: offset + 3 })
  expect(position?.mean).toBeCloseTo(offset + 1.5, 5)
  expect(position?.standardDeviation).toBeCloseTo(Math.sqrt(10 / 7), 6)
  expect(seven).toMatchObject({ count: 7, nulls: 1, mean: 7, standardDeviation: 0 })
  expect(mode).toEqual({ column: 'mode', count: 8, nulls: 0 })
  await using empty = await temporaryFolder()
  expect((await readStatistics(await recorded(empty, () => [], 0), undefined)).map(({ count }) => count)).toEqual([0, 0, 0, 0])
})

test('cells become what JSON can say', () => {
  const time: DatasetColumn = { name: 't', type: 'timestamp[ns]' }
  const count: DatasetColumn = { name: 'n', type: 'uint64' }
  expect(plainCell(time, START + 1n)).toBe('2023-11-14T22:13:20.000000001Z')
  expect(plainCell(count, 7n)).toBe(7)
  expect(plainCell(count, 2n ** 63n)).toBe('9223372036854775808')
  expect(plainCell({ name: 'x', type: 'float64' }, Number.NaN)).toBeNull()
})
