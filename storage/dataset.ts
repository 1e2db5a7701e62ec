import { access } from 'node:fs/promises'
import path from 'node:path'
import type { DatasetColumn } from '../core/dataset.ts'
import { FRAMES_FILE, TABLE_FILE } from '../core/dataset.ts'
import { InvalidValue } from '../core/errors.ts'
import type { Reduction } from '../core/reduce.ts'
import { createReducer } from '../core/reduce.ts'
import type { RowCell } from '../core/row.ts'
import { formatRfc3339 } from '../core/time.ts'
import { cellAt, numberAt } from './column-chunk.ts'
import { openFrameTable } from './frame-table.ts'
import type { RowRange, TableFile } from './table-file.ts'
import { columnNamed, openTable } from './table-file.ts'

/**
 * A recorded table, or what stands beside the frames of a recording, as people ask for it: curves, rows, statistics. `folder` is the dataset's, absolute. Everything streams through bounded memory and works
 * while the table is still recorded.
 */

/** Rows [from, to); absent: from the first, to the last. */
type PartialRange = { readonly from?: number | undefined; readonly to?: number | undefined }

export type SeriesRequest = {
  readonly columns: readonly string[]
  /** The column that gives x (times in seconds since 1970); absent: the number of the row. */
  readonly x?: string
  readonly range?: PartialRange
  readonly maxPoints: number
  readonly reduce: Reduction
}

export type ColumnSeries = {
  readonly column: string
  readonly unit?: string
  readonly x: readonly number[]
  readonly values: readonly (number | null)[]
  readonly minimum?: readonly (number | null)[]
  readonly maximum?: readonly (number | null)[]
  /** How many rows the range has. */
  readonly reducedFrom: number
}

const MAX_SERIES_COLUMNS = 64 // of one request; each holds its points in memory
const MAX_TABLE_ROWS = 10_000 // of one page; whoever wants all exports them

export async function readSeries(folder: string, request: SeriesRequest, signal?: AbortSignal): Promise<readonly ColumnSeries[]> {
  const { columns, x, maxPoints, reduce } = request
  if (columns.length === 0 || columns.length > MAX_SERIES_COLUMNS)
    throw new InvalidValue(`columns: give 1 to ${MAX_SERIES_COLUMNS}, not ${columns.length}`, ['columns'])
  await using table = await openTableOf(folder, signal)
  const range = wholeRange(table, request.range)
  const total = range.to - range.from
  const series = columns.map((name) => ({ column: columnNamed(table.columns, name), reducer: createReducer(reduce, total, maxPoints) }))
  for await (const chunk of table.read(x === undefined ? columns : [...columns, x], range, signal)) {
    const xs = x === undefined ? undefined : chunk.columns.at(-1)
    for (const [index, { reducer }] of series.entries()) {
      const ys = chunk.columns[index]
      if (ys === undefined) continue
      for (let row = 0; row < chunk.rows; row += 1) reducer.push(xs === undefined ? chunk.firstRow + row : numberAt(xs, row), numberAt(ys, row))
    }
  }
  return series.map(({ column, reducer }) => {
    const { x, values, minimum, maximum } = reducer.finish()
    return {
      column: column.name,
      x,
      values,
      reducedFrom: total,
      ...(column.unit !== undefined && { unit: column.unit }),
      ...(minimum !== undefined && { minimum }),
      ...(maximum !== undefined && { maximum }),
    }
  })
}

export type TableRequest = { readonly columns?: readonly string[]; readonly range?: PartialRange; readonly first: number }

export type TableSlice = {
  readonly columns: readonly DatasetColumn[]
  readonly firstRow: number
  readonly rows: readonly (readonly RowCell[])[]
  /** Rows of the range that are not here. */
  readonly truncated: boolean
}

export async function readTable(folder: string, { columns, range, first }: TableRequest, signal?: AbortSignal): Promise<TableSlice> {
  if (!Number.isSafeInteger(first) || first < 0 || first > MAX_TABLE_ROWS)
    throw new InvalidValue(`first: ${first} is not a whole number from 0 to ${MAX_TABLE_ROWS}`, ['first'])
  await using table = await openTableOf(folder, signal)
  const names = columns ?? table.columns.map(({ name }) => name)
  const { from, to } = wholeRange(table, range)
  const rows: RowCell[][] = []
  for await (const chunk of table.read(names, { from, to: Math.min(to, from + first) }, signal))
    for (let row = 0; row < chunk.rows; row += 1) rows.push(chunk.columns.map((column) => cellAt(column, row)))
  return { columns: names.map((name) => columnNamed(table.columns, name)), firstRow: from, rows, truncated: from + rows.length < to }
}

export type ColumnStatistics = {
  readonly column: string
  /** Rows with a value. */
  readonly count: number
  readonly nulls: number
  readonly minimum?: number
  readonly maximum?: number
  readonly mean?: number
  /** Of a sample (n - 1); absent with fewer than two values. */
  readonly standardDeviation?: number
}

/** Absent columns: all. Texts are only counted. */
export async function readStatistics(folder: string, columns: readonly string[] | undefined, signal?: AbortSignal): Promise<readonly ColumnStatistics[]> {
  await using table = await openTableOf(folder, signal)
  const names = columns ?? table.columns.map(({ name }) => name)
  const sums = names.map((name) => new Welford(columnNamed(table.columns, name)))
  for await (const chunk of table.read(names, { from: 0, to: table.rows }, signal))
    for (const [index, column] of chunk.columns.entries())
      for (let row = 0; row < chunk.rows; row += 1) sums[index]?.push(cellAt(column, row), numberAt(column, row))
  return sums.map((sum) => sum.finish())
}

/** Mean and variance in one pass, without the loss of digits that a sum of squares has (Welford 1962). */
class Welford {
  readonly #column: DatasetColumn
  #count = 0
  #nulls = 0
  #numbers = 0
  #mean = 0
  #squares = 0
  #minimum = Number.POSITIVE_INFINITY
  #maximum = Number.NEGATIVE_INFINITY

  constructor(column: DatasetColumn) {
    this.#column = column
  }

  push(cell: RowCell, value: number): void {
    if (cell === null) this.#nulls += 1
    else this.#count += 1
    if (!Number.isFinite(value)) return
    this.#numbers += 1
    const step = value - this.#mean
    this.#mean += step / this.#numbers
    this.#squares += step * (value - this.#mean)
    this.#minimum = Math.min(this.#minimum, value)
    this.#maximum = Math.max(this.#maximum, value)
  }

  finish(): ColumnStatistics {
    const counted = { column: this.#column.name, count: this.#count, nulls: this.#nulls }
    if (this.#numbers === 0) return counted
    const spread = this.#numbers > 1 && { standardDeviation: Math.sqrt(this.#squares / (this.#numbers - 1)) }
    return { ...counted, minimum: this.#minimum, maximum: this.#maximum, mean: this.#mean, ...spread }
  }
}

/** As JSON has it: times in RFC 3339, whole numbers that a double cannot hold as text, null for what is not a number. */
export function plainCell(column: DatasetColumn, cell: RowCell): number | string | boolean | null {
  if (typeof cell === 'bigint') {
    if (column.type === 'timestamp[ns]') return formatRfc3339(cell)
    const number = Number(cell)
    return Number.isSafeInteger(number) ? number : String(cell)
  }
  return typeof cell === 'number' && !Number.isFinite(cell) ? null : cell
}

/** A dataset has one of the two; of frames these are the columns beside the pixels. */
async function openTableOf(folder: string, signal: AbortSignal | undefined): Promise<TableFile> {
  const frames = path.join(folder, FRAMES_FILE)
  return (await isThere(frames)) ? openFrameTable(frames) : openTable(path.join(folder, TABLE_FILE), signal)
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function wholeRange(table: TableFile, range: PartialRange = {}): RowRange {
  const from = Math.min(table.rows, Math.max(0, range.from ?? 0))
  return { from, to: Math.max(from, Math.min(table.rows, range.to ?? table.rows)) }
}
