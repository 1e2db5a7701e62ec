export type Column = { readonly name: string; readonly type: string; readonly unit: string | null; readonly parameter?: string | null }

/** Columns that say when and which row, not what was measured. */
const BOOKKEEPING = /^(time|timestamp|seq|seq_num|sequence|index|row|point|frame|ts_.*|.*_time|.*_timestamp)$/i
const TEXTUAL = /utf8|string|text|bool/i

export function isNumeric(column: Column): boolean {
  return !TEXTUAL.test(column.type)
}

/** What to draw at first: over the scanned axis if there is one (it comes first), else over the row's number; the last measured column as the curve. */
export function firstAxes(
  columns: readonly Column[],
  axes: readonly string[] = [],
  signals: readonly string[] = [],
): { x: string | undefined; y: string | undefined } {
  const numeric = columns.filter(isNumeric)
  const has = (name: string) => numeric.some((column) => column.name === name)
  const measured = numeric.filter((column) => !BOOKKEEPING.test(column.name))
  const y = signals.find(has) ?? measured.at(-1)?.name
  const x = axes.find(has) ?? (measured.length > 1 ? measured[0]?.name : undefined) ?? numeric.find((column) => column.name !== y)?.name
  return { x: x === y ? undefined : x, y }
}

/** A table cell as a number: a time becomes seconds since 1970. */
export function toCell(value: number | string | boolean | readonly number[] | null): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return null
  const timeMs = /^\d{4}-\d{2}-\d{2}T/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(timeMs) ? null : timeMs / 1000
}
