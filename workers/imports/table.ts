import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import type { DatasetColumn } from '../../core/dataset.ts'
import { TABLE_FILE } from '../../core/dataset.ts'
import { asProblem, InvalidValue } from '../../core/errors.ts'
import type { DatasetRecord } from '../../core/journal.ts'
import type { WallNs } from '../../core/time.ts'
import { sha256OfFile } from '../../storage/hash.ts'
import type { ImportedTable } from '../../storage/importers/importer.ts'
import { writeManifest } from '../../storage/manifest.ts'
import { createTableWriter } from '../../storage/table-writer.ts'

const ROWS_AT_ONCE = 5_000 // between two looks at the signal; also what may wait in memory for the disk
const ARROW = 'application/vnd.apache.arrow.stream'

export type TableTarget = {
  readonly id: string
  readonly name: string
  readonly sessionId: string | undefined
  /** Where it is written, absolute. */
  readonly partial: string
  /** Where it will stand, below DATA_DIR. */
  readonly folder: string
  readonly units: Readonly<Record<string, string>>
  readonly now: WallNs
  readonly signal: AbortSignal
  readonly progress: (rows: number) => void
}

/** Writes one table with its manifest, as a station writes a recording. Throws InvalidValue that names the row. */
export async function writeTable(table: ImportedTable, target: TableTarget): Promise<DatasetRecord> {
  const { id, name, sessionId, partial, now } = target
  const columns = withUnits(table, target.units)
  await mkdir(partial, { recursive: true })
  const file = path.join(partial, TABLE_FILE)
  const rows = await writeRows(file, table, columns, target)
  const { sha256, bytes } = await sha256OfFile(file, target.signal)
  const times = columns.filter(({ type }) => type === 'timestamp[ns]').map((column) => column.name)
  const record: DatasetRecord = {
    id,
    name,
    kind: 'TABLE',
    state: 'COMPLETE',
    ...(sessionId !== undefined && { sessionId }),
    axes: times.slice(0, 1),
    signals: columns.filter(({ type }) => type === 'float64').map((column) => column.name),
    shape: [rows],
    createdAt: now,
    completedAt: now,
    rows,
    bytes,
    dropped: 0,
    columns,
    sha256,
    folder: target.folder,
    files: [{ name: TABLE_FILE, bytes, sha256, mediaType: ARROW }],
  }
  await writeManifest(partial, { dataset: record })
  return record
}

async function writeRows(file: string, table: ImportedTable, columns: readonly DatasetColumn[], { signal, progress }: TableTarget): Promise<number> {
  await using writer = await createTableWriter(file, columns)
  for (const row of table.rows()) {
    try {
      writer.append(row)
    } catch (error) {
      throw new InvalidValue(`table ${table.name}, row ${writer.rows + 1}: ${asProblem(error).message}`, ['input', 'url'])
    }
    if (writer.rows % ROWS_AT_ONCE !== 0) continue
    await writer.flush()
    await breathe()
    signal.throwIfAborted()
    progress(writer.rows)
  }
  await writer.close()
  return writer.rows
}

function withUnits(table: ImportedTable, units: Readonly<Record<string, string>>): readonly DatasetColumn[] {
  return table.columns.map((column) => {
    const unit = Object.hasOwn(units, column.name) ? units[column.name] : undefined
    return unit === undefined ? column : { ...column, unit }
  })
}
