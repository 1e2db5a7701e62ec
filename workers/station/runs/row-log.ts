import type { DatasetColumn } from '../../../core/dataset.ts'
import type { RowCell } from '../../../core/row.ts'
import type { RunRowsItem } from '../../../link/protocol.ts'
import { cellAt } from '../../../storage/column-chunk.ts'
import { openTable } from '../../../storage/table-file.ts'
import { Bell } from '../host/bell.ts'
import { pause } from '../host/deadline.ts'

const KEPT_ROWS = 10_000 // of the newest, in memory: a few megabytes; who starts earlier reads the file first
const ROWS_PER_ITEM = 1000
const FILE_POLL_MS = 250 // a little more than the table writer holds rows back
type Row = readonly RowCell[]

/**
 * The rows of one run as they arrive, for any number of readers that may start anywhere. A row is shown once it is in the file: what somebody has seen is not
 * lost with the process.
 */
export class RowLog {
  readonly #columns: readonly DatasetColumn[]
  readonly #path: string | undefined
  readonly #kept: number
  readonly #ring: Row[] = []
  readonly #bell = new Bell()
  #count = 0
  #written = 0
  #ended = false

  /** `path`: the table that holds them all; absent where a run writes no table. */
  constructor(columns: readonly DatasetColumn[], path: string | undefined, keptRows = KEPT_ROWS) {
    this.#columns = columns
    this.#path = path
    this.#kept = keptRows
  }

  append(row: Row): void {
    this.#ring[this.#count % this.#kept] = row
    this.#count += 1
  }

  /** So many of them are in the file. */
  written(rows: number): void {
    this.#written = rows
    this.#bell.ring()
  }

  end(): void {
    this.#ended = true
    this.#bell.ring()
  }

  /** From `fromRow` to the last row of the run; the first item comes at once, so that a reader knows the columns. The item that says `ended` is the last. */
  async *follow(fromRow: number, signal: AbortSignal): AsyncGenerator<RunRowsItem> {
    let next = fromRow
    for (let first = true; !signal.aborted; first = false) {
      const oldest = this.#count - Math.min(this.#count, this.#kept)
      if (next < oldest && this.#path !== undefined) {
        for await (const item of tableRows(this.#path, { from: next, to: oldest }, signal)) {
          next = item.firstRow + item.rows.length
          yield item
        }
        continue // by now the ring may begin later
      }
      const to = Math.min(this.#written, next + ROWS_PER_ITEM)
      const rows = Array.from({ length: Math.max(0, to - next) }, (_, index) => this.#ring[(next + index) % this.#kept] ?? [])
      const ended = this.#ended && to >= this.#written
      if (first || ended || rows.length > 0) yield { columns: this.#columns, firstRow: next, rows, ended }
      if (ended) return
      next = Math.max(next, to)
      if (next >= this.#written && !this.#ended) await this.#bell.rung(signal)
    }
  }
}

/** Rows of a table on disk, in batches; waits for rows that its writer still holds back. */
async function* tableRows(path: string, { from, to }: { readonly from: number; readonly to: number }, signal: AbortSignal): AsyncGenerator<RunRowsItem> {
  let next = from
  while (next < to && !signal.aborted) {
    for await (const item of readTable(path, { from: next, to }, signal)) {
      next = item.firstRow + item.rows.length
      yield item
    }
    if (next < to) await pause(FILE_POLL_MS, signal)
  }
}

/** What the file holds of these rows. */
export async function* readTable(path: string, range: { readonly from: number; readonly to: number }, signal: AbortSignal): AsyncGenerator<RunRowsItem> {
  const table = await openTable(path, signal)
  try {
    const names = table.columns.map(({ name }) => name)
    for await (const { firstRow, rows, columns } of table.read(names, range, signal))
      for (let at = 0; at < rows; at += ROWS_PER_ITEM) {
        const length = Math.min(ROWS_PER_ITEM, rows - at)
        yield {
          columns: table.columns,
          firstRow: firstRow + at,
          rows: Array.from({ length }, (_, row) => columns.map((chunk) => cellAt(chunk, at + row))),
          ended: false,
        }
      }
  } finally {
    await table[Symbol.asyncDispose]()
  }
}
