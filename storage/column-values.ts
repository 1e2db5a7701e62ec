import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import { clearBit, grown, setBit } from './bitmap.ts'
import type { FixedArray } from './column-chunk.ts'

export const FIRST_CAPACITY = 64 // rows; grows by doubling to the size of the batches that are really written
const TEXT_BYTES_PER_ROW = 16 // a first guess

/** The values of the rows of a column buffer; validity is kept beside. */
export interface ColumnValues {
  /** False if the cell is not of the column's type. null leaves zero in its place. */
  set(row: number, cell: RowCell): boolean
  /** Only where rows are of fixed width. */
  copy?(row: number, source: FixedArray): void
  grow(rows: number): void
  buffers(rows: number): Uint8Array[]
  /** Only where `set` counts on finding zeros. */
  unset?(row: number): void
  clear?(): void
}

export function valuesFor({ type }: DatasetColumn): ColumnValues {
  switch (type) {
    case 'float64':
      return numbers(
        (rows) => new Float64Array(rows),
        () => true,
      )
    case 'uint16':
      return numbers(
        (rows) => new Uint16Array(rows),
        (value) => Number.isInteger(value) && value >= 0 && value <= 0xffff,
      )
    case 'int64':
    case 'timestamp[ns]':
      return integers(
        (rows) => new BigInt64Array(rows),
        (value) => BigInt.asIntN(64, value) === value,
      )
    case 'uint64':
      return integers(
        (rows) => new BigUint64Array(rows),
        (value) => BigInt.asUintN(64, value) === value,
      )
    case 'bool':
      return bits()
    case 'utf8':
      return texts()
  }
}

type Numbers = Float64Array | Uint16Array
type Integers = BigInt64Array | BigUint64Array

function numbers(make: (rows: number) => Numbers, fits: (value: number) => boolean): ColumnValues {
  let values = make(FIRST_CAPACITY)
  return {
    set(row, cell) {
      if (cell !== null && (typeof cell !== 'number' || !fits(cell))) return false
      values[row] = cell ?? 0
      return true
    },
    copy: (row, source) => values.set(source as Numbers, row),
    grow(rows) {
      const more = make(rows)
      more.set(values)
      values = more
    },
    buffers: (rows) => [bytesOf(values.subarray(0, rows))],
  }
}

/** Of 64 bits; a plain number is taken where it is whole and exact. */
function integers(make: (rows: number) => Integers, fits: (value: bigint) => boolean): ColumnValues {
  let values = make(FIRST_CAPACITY)
  return {
    set(row, cell) {
      const whole = typeof cell === 'number' && Number.isSafeInteger(cell) ? BigInt(cell) : cell
      if (whole !== null && (typeof whole !== 'bigint' || !fits(whole))) return false
      values[row] = whole ?? 0n
      return true
    },
    copy: (row, source) => values.set(source as Integers, row),
    grow(rows) {
      const more = make(rows)
      more.set(values)
      values = more
    },
    buffers: (rows) => [bytesOf(values.subarray(0, rows))],
  }
}

function bits(): ColumnValues {
  let values = new Uint8Array(FIRST_CAPACITY / 8)
  return {
    set(row, cell) {
      if (cell !== null && typeof cell !== 'boolean') return false
      if (cell === true) setBit(values, row)
      return true
    },
    grow(rows) {
      values = grown(values, rows / 8)
    },
    buffers: (rows) => [values.subarray(0, Math.ceil(rows / 8))],
    unset: (row) => void clearBit(values, row),
    clear: () => void values.fill(0),
  }
}

function texts(): ColumnValues {
  const encoder = new TextEncoder()
  let offsets = new Int32Array(FIRST_CAPACITY + 1)
  let bytes = new Uint8Array(FIRST_CAPACITY * TEXT_BYTES_PER_ROW)
  return {
    set(row, cell) {
      if (cell !== null && typeof cell !== 'string') return false
      const encoded = encoder.encode(cell ?? '')
      const start = offsets[row] ?? 0
      const end = start + encoded.byteLength
      if (end > bytes.byteLength) bytes = grown(bytes, Math.max(end, bytes.byteLength * 2))
      bytes.set(encoded, start)
      offsets[row + 1] = end
      return true
    },
    grow(rows) {
      const more = new Int32Array(rows + 1)
      more.set(offsets)
      offsets = more
    },
    buffers: (rows) => [bytesOf(offsets.subarray(0, rows + 1)), bytes.subarray(0, offsets[rows])],
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
