import type { DatasetColumn } from '../../core/dataset.ts'
import { NotSupported } from '../../core/errors.ts'
import type { ColumnChunk, TableChunk } from '../column-chunk.ts'
import { cellAt } from '../column-chunk.ts'
import type { ExportSink } from '../file-sink.ts'
import { columnNamed, openTable } from '../table-file.ts'
import type { ExportFormat } from './format.ts'

const WRITE_CHARACTERS = 64 * 1024 // of one write to the disk

/**
 * RFC 4180: CRLF, quotes where they are needed, a header with units in brackets. Times are RFC 3339 in UTC with all nine digits, so that every row has the
 * same form. An empty field is no value; an empty text is "".
 */
export const csv: ExportFormat = {
  id: 'csv',
  label: 'CSV',
  extension: 'csv',
  mediaType: 'text/csv; charset=utf-8; header=present',
  kinds: ['TABLE'],

  async write(source, sink, { signal, progress, columns }) {
    if (source.kind !== 'TABLE') throw new NotSupported('CSV has no place for frames; export them as arrow')
    await using table = await openTable(source.file, signal)
    const names = columns ?? table.columns.map(({ name }) => name)
    const text = new TextSink(sink)
    text.add(csvHead(names.map((name) => columnNamed(table.columns, name))))
    for await (const chunk of table.read(names, { from: 0, to: table.rows }, signal)) {
      text.add(csvRows(chunk))
      await text.drain(WRITE_CHARACTERS)
      progress((chunk.firstRow + chunk.rows) / table.rows)
    }
    await text.drain(1)
  },
}

/** The first line. */
export function csvHead(columns: readonly DatasetColumn[]): string {
  return `${columns.map((column) => quoted(heading(column))).join(',')}\r\n`
}

export function csvRows(chunk: TableChunk): string {
  const fields = chunk.columns.map(fieldsOf)
  let text = ''
  for (let row = 0; row < chunk.rows; row += 1) {
    for (const [index, field] of fields.entries()) text += index === 0 ? field(row) : `,${field(row)}`
    text += '\r\n'
  }
  return text
}

function heading({ name, unit }: DatasetColumn): string {
  return unit === undefined ? name : `${name} [${unit}]`
}

function quoted(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** How a row of this column is written. */
function fieldsOf(chunk: ColumnChunk): (row: number) => string {
  const write = chunk.column.type === 'timestamp[ns]' ? timeWriter() : plain
  return (row) => {
    const cell = cellAt(chunk, row)
    return cell === null ? '' : write(cell)
  }
}

function plain(cell: unknown): string {
  return typeof cell === 'string' ? quoted(cell) : String(cell)
}

const NS_PER_SECOND = 1_000_000_000n

/** Rows follow each other closely: most share the second of the one before, and its text. */
function timeWriter(): (cell: unknown) => string {
  let second: bigint | undefined
  let text = ''
  return (cell) => {
    const time = BigInt(cell as bigint)
    const fraction = BigInt.asUintN(64, ((time % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND)
    const whole = (time - fraction) / NS_PER_SECOND
    if (whole !== second) {
      second = whole
      text = new Date(Number(whole) * 1000).toISOString().slice(0, 19)
    }
    return `${text}.${fraction.toString().padStart(9, '0')}Z`
  }
}

/** Gathers lines to larger writes. */
class TextSink {
  readonly #sink: ExportSink
  readonly #encoder = new TextEncoder()
  #text = ''

  constructor(sink: ExportSink) {
    this.#sink = sink
  }

  add(text: string): void {
    this.#text += text
  }

  async drain(atLeast: number): Promise<void> {
    if (this.#text.length < atLeast) return
    const bytes = this.#encoder.encode(this.#text)
    this.#text = ''
    await this.#sink.write(bytes)
  }
}
