import { execFile } from 'node:child_process'
import { appendFile, readFile, stat, truncate } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DatasetColumn } from '../../core/dataset.ts'
import type { RowCell } from '../../core/row.ts'
import { cellAt, numberAt } from '../../storage/column-chunk.ts'
import { explained } from '../../storage/durable.ts'
import { recoverStream } from '../../storage/recover.ts'
import { openTable } from '../../storage/table-file.ts'
import { createTableWriter } from '../../storage/table-writer.ts'
import { until } from '../until.ts'
import { temporaryFolder } from './folder.ts'

const COLUMNS: readonly DatasetColumn[] = [
  { name: 'time', type: 'timestamp[ns]' },
  { name: 'power', type: 'float64', unit: 'W', deviceId: 'd-1', parameter: 'power' },
  { name: 'count', type: 'int64' },
  { name: 'total', type: 'uint64' },
  { name: 'open', type: 'bool' },
  { name: 'note', type: 'utf8' },
]

const NAMES = COLUMNS.map(({ name }) => name)

function row(index: number): RowCell[] {
  const gap = index % 7 === 3
  return [
    1_700_000_000_123_456_789n + BigInt(index),
    gap ? null : index / 3,
    gap ? null : -BigInt(index),
    2n ** 63n + BigInt(index),
    gap ? null : index % 2 === 0,
    gap ? null : `row ${index} µ`,
  ]
}

async function rowsOf(path: string, from = 0, to = Number.MAX_SAFE_INTEGER, names: readonly string[] = NAMES): Promise<RowCell[][]> {
  await using table = await openTable(path)
  const rows: RowCell[][] = []
  for await (const chunk of table.read(names, { from, to }))
    for (let at = 0; at < chunk.rows; at += 1) rows.push(chunk.columns.map((column) => cellAt(column, at)))
  return rows
}

async function write(path: string, count: number, flushEvery = Number.MAX_SAFE_INTEGER): Promise<void> {
  await using writer = await createTableWriter(path, COLUMNS, { metadata: { runId: 'r-1' } })
  for (let index = 0; index < count; index += 1) {
    writer.append(row(index))
    if (index % flushEvery === flushEvery - 1) await writer.flush()
  }
}

describe('a recorded table', () => {
  test('is an Arrow IPC stream that apache-arrow reads, with types, units and nulls', async () => {
    await using folder = await temporaryFolder()
    await write(folder.file('table.arrow'), 2500, 900)
    const table = tableFromIPC(await readFile(folder.file('table.arrow')))
    expect(table.numRows).toBe(2500)
    expect(table.schema.metadata.get('runId')).toBe('r-1')
    expect(table.schema.fields.map((field) => String(field.type))).toEqual(['Timestamp<NANOSECOND, UTC>', 'Float64', 'Int64', 'Uint64', 'Bool', 'Utf8'])
    expect(table.schema.fields[1]?.metadata.get('unit')).toBe('W')
    for (const index of [0, 3, 899, 900, 1000, 2499]) {
      const [, power, count, total, open, note] = row(index)
      expect([...(table.get(index) ?? [])].slice(1).map(([, value]) => value)).toEqual([power, count, total, open, note])
    }
    expect(table.getChild('time')?.data[0]?.values[5]).toBe(row(5)[0])
  })

  test('gives back every cell, any range, any choice of columns', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('table.arrow')
    await write(path, 3210, 70)
    await using table = await openTable(path)
    expect(table).toMatchObject({ rows: 3210, ended: true, columns: COLUMNS, metadata: { runId: 'r-1' } })
    expect(await rowsOf(path)).toEqual(Array.from({ length: 3210 }, (_, index) => row(index)))
    await fc.assert(
      fc.asyncProperty(fc.nat(3300), fc.nat(3300), fc.subarray(NAMES, { minLength: 1 }), async (from, to, names) => {
        const expected = Array.from({ length: Math.max(0, Math.min(to, 3210) - from) }, (_, index) =>
          names.map((name) => row(from + index)[NAMES.indexOf(name)]),
        )
        expect(await rowsOf(path, from, to, names)).toEqual(expected)
      }),
      { numRuns: 25 },
    )
    await expect(rowsOf(path, 0, 1, ['volts'])).rejects.toThrow(/no column volts; there are time, power/)
  })

  test('can be read while it grows', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('table.arrow')
    await using writer = await createTableWriter(path, COLUMNS)
    expect(await rowsOf(path)).toEqual([])
    for (let index = 0; index < 5; index += 1) {
      writer.append(row(index))
      await writer.flush()
      expect(await rowsOf(path)).toHaveLength(index + 1)
    }
    writer.append(row(5))
    await until(async () => (await rowsOf(path)).length === 6, { what: 'a row to be written without a flush' })
    await using table = await openTable(path)
    expect(table.ended).toBe(false)
  })

  test('tells how many rows are in the file, and is never ahead of it', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('table.arrow')
    const written: number[] = []
    await using writer = await createTableWriter(path, COLUMNS, { onWritten: (rows) => written.push(rows) })
    writer.append(row(0))
    expect(written).toEqual([])
    await until(() => written.length > 0, { what: 'the first row is written at once' })
    for (let index = 1; index < 2500; index += 1) writer.append(row(index))
    await until(async () => {
      expect((await rowsOf(path)).length).toBeGreaterThanOrEqual(written.at(-1) ?? 0)
      return written.at(-1) === 2500
    })
    expect(written).toEqual([1, 1001, 2001, 2500])
  })

  test('cut at any byte keeps exactly its whole batches, and recovery ends it in order', async () => {
    await using folder = await temporaryFolder()
    const whole = folder.file('whole.arrow')
    await write(whole, 60, 10)
    const bytes = await readFile(whole)
    await using table = await openTable(whole)
    let cuts = 0
    for (let cut = bytes.byteLength - 1; cut > 2500; cut -= 137) {
      const path = folder.file(`cut-${cut}.arrow`)
      await appendFile(path, bytes.subarray(0, cut))
      const kept = await rowsOf(path)
      expect(kept.length % 10).toBe(0)
      const recovered = await recoverStream(path)
      expect(recovered.rows).toBe(kept.length)
      expect((await stat(path)).size).toBe(recovered.bytes)
      expect(await rowsOf(path)).toEqual(kept)
      expect(tableFromIPC(await readFile(path)).numRows).toBe(kept.length)
      expect((await recoverStream(path)).lostBytes).toBe(0)
      cuts += 1
    }
    expect(cuts).toBeGreaterThan(10)
    expect(table.rows).toBe(60)
    await truncate(whole, 20)
    await expect(recoverStream(whole)).rejects.toThrow(/does not begin with a whole Arrow schema/)
  })

  test('refuses a row of other types, whole, and a file that is there', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('table.arrow')
    const writer = await createTableWriter(path, COLUMNS)
    writer.append(row(0))
    const wrong = row(1).with(4, 'yes')
    expect(() => writer.append(wrong)).toThrow(/column open is bool: string yes does not fit/)
    expect(() => writer.append(row(1).slice(1))).toThrow(/6 cells, not 5/)
    writer.append(row(1))
    expect(writer.rows).toBe(2)
    const { bytes } = await writer.close()
    expect((await stat(path)).size).toBe(bytes)
    expect(await rowsOf(path)).toEqual([row(0), row(1)])
    expect(() => writer.append(row(2))).toThrow(/closed/)
    await expect(createTableWriter(path, COLUMNS)).rejects.toThrow(/EEXIST/)
  })

  test('ends with its last whole batch when the disk takes no more, and says so to whoever goes on', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('table.arrow')
    const child = fileURLToPath(new URL('./limited-child.ts', import.meta.url))
    const { stdout } = await promisify(execFile)('bash', ['-c', 'ulimit -f 1024; exec "$@"', 'limited', process.execPath, '--import', 'tsx', child, path])
    const { flushed, refused, after } = JSON.parse(stdout) as { flushed: number; refused: string; after: string }
    expect(flushed).toBeGreaterThan(1000)
    expect(refused).toMatch(/EFBIG/)
    expect(after).toBe(refused)
    await using table = await openTable(path)
    expect(table.rows).toBe(flushed)
    expect((await recoverStream(path)).lostBytes).toBe(0)
  })

  test('a full disk is a problem that says how much is free', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    await using folder = await temporaryFolder()
    expect(await explained(full, folder.file('x'), 4096)).toMatchObject({ code: 'STORAGE_FULL', facts: { neededBytes: 4096, freeBytes: expect.any(Number) } })
    const other = new Error('EIO')
    expect(await explained(other, folder.file('x'), 1)).toBe(other)
  })

  test('shows numbers for plots: seconds for times, NaN where nothing is', async () => {
    await using folder = await temporaryFolder()
    await write(folder.file('table.arrow'), 4)
    await using table = await openTable(folder.file('table.arrow'))
    for await (const chunk of table.read(NAMES, { from: 3, to: 4 })) {
      const [time, power, , total, , note] = chunk.columns.map((column) => numberAt(column, 0))
      expect(time).toBeCloseTo(1_700_000_000.123457, 6)
      expect(power).toBeNaN()
      expect(total).toBe(2 ** 63)
      expect(note).toBeNaN()
    }
  })
})
