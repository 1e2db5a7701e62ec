import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import type { BufferRegion } from './arrow-message.ts'
import { bitAt } from './bitmap.ts'

/** Some rows of one column as they lie in an Arrow record batch: views on its body, nothing copied. */
export type ColumnChunk = {
  readonly column: DatasetColumn
  /** Index in the views of the first of `rows` rows. */
  readonly start: number
  readonly rows: number
  /** One bit a row, least significant first; undefined: every row has a value. */
  readonly validity: Uint8Array | undefined
  readonly values: ChunkValues
}

export type FixedArray = Float64Array | BigInt64Array | BigUint64Array | Uint16Array
type ChunkValues =
  | { readonly layout: 'fixed'; readonly array: FixedArray }
  | { readonly layout: 'bits'; readonly bits: Uint8Array }
  | { readonly layout: 'texts'; readonly offsets: Int32Array; readonly bytes: Uint8Array }

export type TableChunk = { readonly firstRow: number; readonly rows: number; readonly columns: readonly ColumnChunk[] }

/** How many buffers a scalar column has in a record batch: validity, values, and for texts the offsets between. */
export function bufferCount(column: DatasetColumn): number {
  return column.type === 'utf8' ? 3 : 2
}

/** `body` must begin at a multiple of 8 in its ArrayBuffer; Arrow aligns what is in it. RangeError: its buffers are too short for so many rows. */
export function chunkOf(column: DatasetColumn, body: Uint8Array, regions: readonly BufferRegion[], nulls: number, rows: number): ColumnChunk {
  const [validity, first, second] = regions
  if (validity === undefined || first === undefined) throw new RangeError(`column ${column.name} lacks buffers`)
  const bits = nulls > 0 ? bytesOf(body, validity) : undefined
  const short = (nulls > 0 && validity.length * BITS < rows) || first.length * BITS < rows * valueBits(column)
  if (short) throw new RangeError(`column ${column.name} has fewer values than its ${rows} rows`)
  return { column, start: 0, rows, validity: bits, values: valuesOf(column, body, first, second) }
}

const BITS = 8

/** Of a row in the buffer behind the validity. */
function valueBits({ type }: DatasetColumn): number {
  if (type === 'bool') return 1
  if (type === 'uint16') return 16
  return type === 'utf8' ? 32 : 64
}

export function sliceOf(chunk: ColumnChunk, from: number, to: number): ColumnChunk {
  return { ...chunk, start: chunk.start + from, rows: to - from }
}

function valuesOf(column: DatasetColumn, body: Uint8Array, first: BufferRegion, second: BufferRegion | undefined): ChunkValues {
  const at = body.byteOffset + first.offset
  switch (column.type) {
    case 'float64':
      return { layout: 'fixed', array: new Float64Array(body.buffer, at, first.length / 8) }
    case 'int64':
    case 'timestamp[ns]':
      return { layout: 'fixed', array: new BigInt64Array(body.buffer, at, first.length / 8) }
    case 'uint64':
      return { layout: 'fixed', array: new BigUint64Array(body.buffer, at, first.length / 8) }
    case 'uint16':
      return { layout: 'fixed', array: new Uint16Array(body.buffer, at, first.length / 2) }
    case 'bool':
      return { layout: 'bits', bits: bytesOf(body, first) }
    case 'utf8':
      return {
        layout: 'texts',
        offsets: new Int32Array(body.buffer, at, first.length / 4),
        bytes: second === undefined ? new Uint8Array(0) : bytesOf(body, second),
      }
  }
}

function bytesOf(body: Uint8Array, region: BufferRegion): Uint8Array {
  return body.subarray(region.offset, region.offset + region.length)
}

const texts = new TextDecoder()

export function cellAt({ start, validity, values }: ColumnChunk, row: number): RowCell {
  const index = start + row
  if (validity !== undefined && !bitAt(validity, index)) return null
  switch (values.layout) {
    case 'fixed':
      return values.array[index] ?? null
    case 'bits':
      return bitAt(values.bits, index)
    case 'texts':
      return texts.decode(values.bytes.subarray(values.offsets[index], values.offsets[index + 1]))
  }
}

const NS_PER_SECOND = 1e9

/** For plots and statistics: times in seconds since 1970, booleans as 0 and 1; NaN where there is no value or it is a text. */
export function numberAt(chunk: ColumnChunk, row: number): number {
  const index = chunk.start + row
  if (chunk.validity !== undefined && !bitAt(chunk.validity, index)) return Number.NaN
  const { values } = chunk
  if (values.layout === 'texts') return Number.NaN
  if (values.layout === 'bits') return bitAt(values.bits, index) ? 1 : 0
  const value = values.array[index]
  if (typeof value === 'number') return value
  if (value === undefined) return Number.NaN
  return chunk.column.type === 'timestamp[ns]' ? secondsOf(value) : Number(value)
}

/** Whole seconds and the rest apart, so that a double keeps what it can. */
function secondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000_000n) + Number(nanoseconds % 1_000_000_000n) / NS_PER_SECOND
}
