import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import { batchLayout, PREFIX_BYTES } from './arrow-message.ts'
import { bufferCount, cellAt, chunkOf } from './column-chunk.ts'

/** What stands beside the pixels of a frame: one value a column. */

/** A column, and where it begins in the lists of nodes and of buffers that a record batch has. */
export type CellPlace = { readonly column: DatasetColumn; readonly node: number; readonly buffer: number }

const LIST_NODES = 2 // the list and its items
const LIST_BUFFERS = 3 // validity of the list; validity and data of its items

/** The scalar ones among the columns of a schema. */
export function cellPlaces(columns: readonly DatasetColumn[]): readonly CellPlace[] {
  const places: CellPlace[] = []
  let node = 0
  let buffer = 0
  for (const column of columns) {
    const scalar = column.shape === undefined
    if (scalar) places.push({ column, node, buffer })
    node += scalar ? 1 : LIST_NODES
    buffer += scalar ? bufferCount(column) : LIST_BUFFERS
  }
  return places
}

/** Before each buffer of a compressed batch: that it stands as it is, which those of these columns do. */
const LENGTH_BYTES = 8

/** Of the first row of a record batch. `message` is the message from its start until at least the end of these columns. */
export function cellsIn(message: Uint8Array, headBytes: number, places: readonly CellPlace[], isCompressed: boolean): readonly RowCell[] {
  const { nullCounts, buffers } = batchLayout(message.subarray(PREFIX_BYTES, headBytes))
  const body = message.subarray(headBytes)
  const skipped = isCompressed ? LENGTH_BYTES : 0
  const regionsOf = (first: number, count: number) =>
    buffers
      .slice(first, first + count)
      .map(({ offset, length }) => (length === 0 ? { offset, length } : { offset: offset + skipped, length: length - skipped }))
  return places.map(({ column, node, buffer }) => cellAt(chunkOf(column, body, regionsOf(buffer, bufferCount(column)), nullCounts[node] ?? 0, 1), 0))
}
