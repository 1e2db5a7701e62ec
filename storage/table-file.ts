import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import type { DatasetColumn } from '../core/dataset.ts'
import { HardwareFault, NotFound } from '../core/errors.ts'
import { batchLayout, PREFIX_BYTES, readExactly } from './arrow-message.ts'
import { decodeSchema } from './arrow-schema.ts'
import type { ColumnChunk, TableChunk } from './column-chunk.ts'
import { bufferCount, chunkOf, sliceOf } from './column-chunk.ts'
import type { BatchPlace, StreamIndex } from './stream-index.ts'
import { indexStream } from './stream-index.ts'

/** Rows [from, to). */
export type RowRange = { readonly from: number; readonly to: number }

/** A recorded table, complete, cut, or still growing: as many rows as there were whole when it was opened. */
export interface TableFile extends AsyncDisposable {
  readonly columns: readonly DatasetColumn[]
  readonly metadata: Readonly<Record<string, string>>
  readonly rows: number
  /** The recording was closed in order; false while it grows and where it was cut. */
  readonly ended: boolean
  /** In order, a batch or a part of one at a time, with the columns asked for; some megabytes in memory whatever the length. */
  read(columns: readonly string[], range: RowRange, signal?: AbortSignal): AsyncGenerator<TableChunk>
}

const READ_BYTES = 1024 * 1024 // of one read from the disk, while batches are small

export async function openTable(path: string, signal?: AbortSignal): Promise<TableFile> {
  const handle = await open(path, 'r')
  try {
    const index = await indexStream(path, handle, signal)
    const { columns, metadata } = decodeSchema(index.schema)
    const { rows, ended } = index
    return {
      columns,
      metadata,
      rows,
      ended,
      read: (names, range, signal) => readRows(path, handle, index, columns, names, { from: Math.max(0, range.from), to: Math.min(rows, range.to) }, signal),
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

export function columnNamed(columns: readonly DatasetColumn[], name: string): DatasetColumn {
  const column = columns.find((candidate) => candidate.name === name)
  if (column === undefined) throw new NotFound(`column ${name}; there are ${columns.map((each) => each.name).join(', ')}`)
  return column
}

async function* readRows(
  path: string,
  file: FileHandle,
  index: StreamIndex,
  all: readonly DatasetColumn[],
  names: readonly string[],
  range: RowRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<TableChunk> {
  const wanted = names.map((name) => all.indexOf(columnNamed(all, name)))
  if (range.to <= range.from) return
  const last = index.batchOfRow(range.to - 1)
  for (let first = index.batchOfRow(range.from); first <= last; ) {
    const places = adjacent(index, first, last)
    const start = places[0]?.start ?? 0
    const end = endOf(places.at(-1))
    const bytes = await readExactly(file, start, end - start)
    for (const place of places) {
      signal?.throwIfAborted()
      yield trimmed(soundBatch(path, bytes.subarray(place.start - start, endOf(place) - start), place, all, wanted), place, range)
    }
    first += places.length
  }
}

function endOf(place: BatchPlace | undefined): number {
  return place === undefined ? 0 : place.start + place.headBytes + place.bodyBytes
}

/** As many batches as one read brings, at least one. */
function adjacent(index: StreamIndex, first: number, last: number): readonly BatchPlace[] {
  const places = [index.batch(first)]
  const limit = index.batch(first).start + READ_BYTES
  for (let next = first + 1; next <= last; next += 1) {
    const place = index.batch(next)
    if (endOf(place) > limit) break
    places.push(place)
  }
  return places
}

function soundBatch(path: string, message: Uint8Array, place: BatchPlace, all: readonly DatasetColumn[], wanted: readonly number[]): readonly ColumnChunk[] {
  try {
    return decode(message, place, all, wanted)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const rows = `rows ${place.firstRow} to ${place.firstRow + place.rows - 1} of ${path}`
    throw new HardwareFault(`${rows} are damaged: ${error.message}`, 'NONE', {}, { cause: error })
  }
}

function decode(
  message: Uint8Array,
  { headBytes, rows }: Pick<BatchPlace, 'headBytes' | 'rows'>,
  all: readonly DatasetColumn[],
  wanted: readonly number[],
): readonly ColumnChunk[] {
  const { nullCounts, buffers } = batchLayout(message.subarray(PREFIX_BYTES, headBytes))
  const body = message.subarray(headBytes)
  const firstBuffer: number[] = []
  all.reduce((at, column) => {
    firstBuffer.push(at)
    return at + bufferCount(column)
  }, 0)
  return wanted.map((number) => {
    const column = all[number]
    const at = firstBuffer[number]
    if (column === undefined || at === undefined) throw new RangeError(`there is no column ${number}`)
    return chunkOf(column, body, buffers.slice(at, at + bufferCount(column)), nullCounts[number] ?? 0, rows)
  })
}

/** What one record batch message of these columns holds, all of them and all of its rows. */
export function chunkIn(message: Uint8Array, place: Pick<BatchPlace, 'headBytes' | 'firstRow' | 'rows'>, columns: readonly DatasetColumn[]): TableChunk {
  return { firstRow: place.firstRow, rows: place.rows, columns: decode(message, place, columns, [...columns.keys()]) }
}

function trimmed(columns: readonly ColumnChunk[], { firstRow, rows }: BatchPlace, range: RowRange): TableChunk {
  const from = Math.max(0, range.from - firstRow)
  const to = Math.min(rows, range.to - firstRow)
  return { firstRow: firstRow + from, rows: to - from, columns: from === 0 && to === rows ? columns : columns.map((chunk) => sliceOf(chunk, from, to)) }
}
