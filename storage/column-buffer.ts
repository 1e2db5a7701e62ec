import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import { clearBit, grown, setBit, setBits } from './bitmap.ts'
import type { ColumnChunk } from './column-chunk.ts'
import { cellAt } from './column-chunk.ts'
import { type ColumnValues, FIRST_CAPACITY, valuesFor } from './column-values.ts'

/** The rows of one column that wait to be written, laid out as Arrow wants them. */
export class ColumnBuffer {
  readonly column: DatasetColumn
  #rows = 0
  #nulls = 0
  #capacity = FIRST_CAPACITY
  #validity = new Uint8Array(FIRST_CAPACITY / 8)
  readonly #values: ColumnValues

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
