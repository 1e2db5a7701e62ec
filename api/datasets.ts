import { join } from 'node:path'
import type { DatasetColumn } from '../core/dataset.ts'
import { Conflict } from '../core/errors.ts'
import type { RowCell } from '../core/row.ts'
import { type ColumnSeries, type ColumnStatistics, readSeries, readStatistics, readTable, type SeriesRequest } from '../storage/dataset.ts'
import { badCursor, decodeCursor, encodeCursor } from './connection.ts'
import type { Context } from './context.ts'
import type { Dataset } from './loaders.ts'

/** Reads the recordings that lie below this api's DATA_DIR; what a GraphQL field needs of them. */

export async function seriesOf(dataset: Dataset, request: SeriesRequest, { config, signal }: Context): Promise<readonly ColumnSeries[]> {
  return readSeries(tableFolder(dataset, config.dataDir), request, signal)
}

export async function statisticsOf(
  dataset: Dataset,
  columns: readonly string[] | undefined,
  { config, signal }: Context,
): Promise<readonly ColumnStatistics[]> {
  return readStatistics(tableFolder(dataset, config.dataDir), columns, signal)
}

export type TableAnswer = {
  readonly columns: readonly DatasetColumn[]
  readonly rows: readonly (readonly RowCell[])[]
  readonly endCursor: string | undefined
  readonly truncated: boolean
  readonly elapsedMs: number
}
export type TableQuestion = {
  readonly columns: readonly string[] | undefined
  readonly from: number | undefined
  readonly to: number | undefined
  readonly first: number
  readonly after: string | undefined
}

/** The cursor is the number of the last row that was given. */
export async function tableOf(dataset: Dataset, { columns, from, to, first, after }: TableQuestion, { config }: Context): Promise<TableAnswer> {
  const startedMs = performance.now()
  const start = after === undefined ? from : rowAfter(after)
  const slice = await readTable(tableFolder(dataset, config.dataDir), { first, range: { from: start, to }, ...(columns !== undefined && { columns }) })
  return {
    columns: slice.columns,
    rows: slice.rows,
    endCursor: slice.rows.length === 0 ? undefined : encodeCursor([slice.firstRow + slice.rows.length - 1]),
    truncated: slice.truncated,
    elapsedMs: performance.now() - startedMs,
  }
}

function rowAfter(cursor: string): number {
  const [row] = decodeCursor(cursor)
  if (typeof row !== 'number') throw badCursor(cursor)
  return row + 1
}

function tableFolder({ folder, name, state }: Dataset, dataDir: string): string {
  if (state === 'ARCHIVED') throw new Conflict(`dataset ${name} is archived; its files are not here`)
  return join(dataDir, folder)
}
