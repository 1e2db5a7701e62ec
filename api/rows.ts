import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import { formatRfc3339 } from '../core/time.ts'

/** Rows as people read them: a time is RFC 3339 like every other time of the API, not a count of nanoseconds. */
export function readableRows(columns: readonly DatasetColumn[], rows: readonly (readonly RowCell[])[]): RowCell[][] {
  const times = columns.map(({ type }) => type === 'timestamp[ns]')
  return rows.map((row) =>
    row.map((cell, at) => (times[at] === true && (typeof cell === 'bigint' || typeof cell === 'number') ? formatRfc3339(BigInt(cell)) : cell)),
  )
}
