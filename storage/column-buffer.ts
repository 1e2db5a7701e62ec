import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import type { ColumnChunk, FixedArray } from './column-chunk.ts'
import { cellAt } from './column-chunk.ts'

const FIRST_CAPACITY = 64 // rows; grows by doubling to the size of the batches that are really written
const TEXT_BYTES_PER_ROW = 16 // a first guess

/** The rows of one column that wait to be written, laid out as Arrow wants them. */
export class ColumnBuffer {
  readonly column: DatasetColumn
  #rows = 0
  #nulls = 0
  #capacity = FIRST_CAPACITY
  #validity = new Uint8Array(FIRST_CAPACITY / 8)
  readonly #values: Values

  constructor(column: DatasetColumn) {
    if (column.shape !== undefined) throw new Error(`column ${column.name}: arrays are written by the frame writer`)
    this.column = column
    this.#values = valuesFor(column)
  }

  get rows(): number {
    return this.#rows
  }

  get nulls(): number {
    return this.#nulls
  }

  /** Throws TypeError, and changes nothing, if the cell is not of the column's type. */
  push(cell: RowCell): void {
    this.#makeRoom(1)
    if (!this.#values.set(this.#rows, cell))
      throw new TypeError(`column ${this.column.name} is ${this.column.type}: ${typeof cell} ${String(cell)} does not fit`)
    if (cell === null) this.#nulls += 1
    else setBit(this.#validity, this.#rows)
    this.#rows += 1
  }

  /** Takes the newest row back. */
  pop(): void {
    this.#rows -= 1
    if (clearBit(this.#validity, this.#rows)) this.#values.unset?.(this.#rows)
    else this.#nulls -= 1
  }

  append(chunk: ColumnChunk): void {
    const { copy } = this.#values
    if (chunk.values.layout !== 'fixed' || chunk.validity !== undefined || copy === undefined) {
      for (let row = 0; row < chunk.rows; row += 1) this.push(cellAt(chunk, row))
      return
    }
    this.#makeRoom(chunk.rows)
    copy(this.#rows, chunk.values.array.subarray(chunk.start, chunk.start + chunk.rows))
    setBits(this.#validity, this.#rows, this.#rows + chunk.rows)
    this.#rows += chunk.rows
  }

  /** Validity and values; views, to be used before the next push. */
  buffers(): readonly Uint8Array[] {
    const validity = this.#nulls === 0 ? new Uint8Array(0) : this.#validity.subarray(0, Math.ceil(this.#rows / 8))
    return [validity, ...this.#values.buffers(this.#rows)]
  }

  clear(): void {
    this.#rows = 0
    this.#nulls = 0
    this.#validity.fill(0)
    this.#values.clear?.()
  }

  #makeRoom(rows: number): void {
    if (this.#rows + rows <= this.#capacity) return
    while (this.#rows + rows > this.#capacity) this.#capacity *= 2
    this.#validity = grown(this.#validity, this.#capacity / 8)
    this.#values.grow(this.#capacity)
  }
}

interface Values {
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

function valuesFor({ type }: DatasetColumn): Values {
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

function numbers(make: (rows: number) => Numbers, fits: (value: number) => boolean): Values {
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
function integers(make: (rows: number) => Integers, fits: (value: bigint) => boolean): Values {
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

function bits(): Values {
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

function texts(): Values {
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

function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
}

/** Whether it was set. */
function clearBit(bits: Uint8Array, index: number): boolean {
  const byte = bits[index >> 3] ?? 0
  bits[index >> 3] = byte & ~(1 << (index & 7))
  return byte !== bits[index >> 3]
}

function setBits(bits: Uint8Array, from: number, to: number): void {
  let index = from
  for (; index < to && (index & 7) !== 0; index += 1) setBit(bits, index)
  bits.fill(0xff, index >> 3, to >> 3)
  for (index = Math.max(index, to & ~7); index < to; index += 1) setBit(bits, index)
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(length)
  more.set(bytes)
  return more
}
