import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DatasetColumn } from '../../../../core/dataset.ts'
import { createTableWriter } from '../../../../storage/table-writer.ts'
import { RowLog } from '../../../../workers/station/runs/row-log.ts'

const COLUMNS: readonly DatasetColumn[] = [{ name: 'seq_num', type: 'int64' }]

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kymograph-rows-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function read(log: RowLog, from: number): Promise<readonly number[]> {
  const seen: number[] = []
  for await (const { rows, firstRow } of log.follow(from, AbortSignal.timeout(30_000))) {
    expect(firstRow).toBe(from + seen.length)
    seen.push(...rows.map(([cell]) => Number(cell)))
  }
  return seen
}

test('a reader that starts before the rows in memory gets the older ones from the file, none twice and none missing', async () => {
  const path = join(folder, 'table.arrow')
  const log = new RowLog(COLUMNS, path, 10)
  await using writer = await createTableWriter(path, COLUMNS, { onWritten: (rows) => log.written(rows) })
  const append = (row: number): void => {
    writer.append([row])
    log.append([row])
  }
  for (let row = 0; row < 2500; row += 1) append(row)
  const readers = [read(log, 0), read(log, 2000), read(log, 2495), read(log, 2600)]
  for (let row = 2500; row < 2700; row += 1) {
    append(row)
    if (row % 20 === 0) await new Promise(setImmediate)
  }
  await writer.close()
  log.end()
  const rows = Array.from({ length: 2700 }, (_, row) => row)
  expect(await Promise.all(readers)).toEqual([rows, rows.slice(2000), rows.slice(2495), rows.slice(2600)])
})

test('a row is shown when it is in the file, and not before', async () => {
  const log = new RowLog(COLUMNS, join(folder, 'table.arrow'))
  const follower = log.follow(0, AbortSignal.timeout(30_000))
  await follower.next()
  const next = follower.next()
  for (let row = 0; row < 3; row += 1) log.append([row])
  log.written(2)
  expect((await next).value?.rows).toEqual([[0], [1]])
  log.end() // the disk took no more
  expect((await follower.next()).value).toEqual({ columns: COLUMNS, firstRow: 2, rows: [], ended: true })
})

test('a run without rows tells its columns at once, and its end', async () => {
  const log = new RowLog([], undefined)
  const follower = log.follow(0, AbortSignal.timeout(30_000))
  expect((await follower.next()).value).toEqual({ columns: [], firstRow: 0, rows: [], ended: false })
  log.end()
  expect((await follower.next()).value).toEqual({ columns: [], firstRow: 0, rows: [], ended: true })
  expect((await follower.next()).done).toBe(true)
})

test('a reader that goes away ends its stream', async () => {
  const stop = new AbortController()
  const follower = new RowLog(COLUMNS, undefined).follow(0, stop.signal)
  await follower.next()
  const next = follower.next()
  stop.abort()
  expect((await next).done).toBe(true)
})
