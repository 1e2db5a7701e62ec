import type { ColumnType, DatasetColumn } from '../../core/dataset.ts'
import type { ReadTime } from '../../core/local-time.ts'
import type { RowCell } from '../../core/row.ts'
import type { WallNs } from '../../core/time.ts'
import { type ImportedTable, type Importer, type ImportFile, imported, refuse, timesOf } from './importer.ts'
import { isObject, type JsonObject, objectAt, readJson } from './json-file.ts'

const VERSION = '1.0'
const LOGS = ['corrections_log', 'position_log', 'goto_log'] as const
const TIME = 'timestamp'
/** Of every number in its logs that is an angle; others have no unit. */
const ANGLES = ['azimut', 'altitude', 'dome_position', 'position', 'correction', 'start_position', 'target_position', 'delta', 'encoder_position', 'target']

/** A session file of DriftApp, format "1.0": one session, and a table for each of its logs that has entries. */
export const driftAppSession: Importer = {
  id: 'driftapp-session',
  label: 'DriftApp session (JSON, format 1.0)',
  async read(file) {
    const json = await readJson(file)
    if (json.version !== VERSION) return refuse(file, 'version', `${JSON.stringify(json.version)} is not known; only "${VERSION}" is`)
    if (typeof json.session_id !== 'string' || json.session_id === '') return refuse(file, 'session_id', 'missing')
    const times = timesOf(file)
    const object = objectAt(file, json, 'object')
    const timing = objectAt(file, json, 'timing')
    const key = json.session_id
    const endedAt = timing.end_time == null ? undefined : timeAt(file, timing, 'end_time', 'timing', times)
    return imported({
      sessions: [
        {
          key,
          title: typeof object.name === 'string' ? object.name : key,
          startedAt: timeAt(file, timing, 'start_time', 'timing', times),
          ...(endedAt !== undefined && { endedAt }),
          tags: ['driftapp'],
          metadata: { session_id: key, object, summary: json.summary ?? null, duration_seconds: timing.duration_seconds ?? null },
        },
      ],
      tables: LOGS.flatMap((log) => tableOf(file, json[log], log, key, times)),
    })
  },
}

function tableOf(file: ImportFile, log: unknown, name: string, sessionKey: string, times: ReadTime): readonly ImportedTable[] {
  if (log === undefined) return []
  if (!Array.isArray(log)) return refuse(file, name, 'not a list')
  const entries = log.map((entry, index) => (isObject(entry) ? entry : refuse(file, `${name}[${index}]`, 'not an object')))
  if (entries.length === 0) return []
  const columns = columnsOf(file, entries, name)
  const rows = entries.map((entry, index) => columns.map((column) => cellOf(file, entry, column, `${name}[${index}]`, times)))
  return [{ name, columns, sessionKey, expectedRows: rows.length, rows: () => rows }]
}

/** Every key of any entry is a column; its first value says of which type. */
function columnsOf(file: ImportFile, entries: readonly JsonObject[], log: string): readonly DatasetColumn[] {
  const names = new Set(entries.flatMap((entry) => Object.keys(entry)))
  return [TIME, ...[...names].filter((name) => name !== TIME)].map((name): DatasetColumn => {
    if (name === TIME) return { name, type: 'timestamp[ns]' }
    const first = entries.find((entry) => entry[name] != null)?.[name]
    const type = typeOf(first) ?? refuse(file, `${log}, ${name}`, `${JSON.stringify(first)} is neither a number, a text nor true or false`)
    return { name, type, ...(type === 'float64' && ANGLES.includes(name) && { unit: 'deg' }) }
  })
}

function typeOf(value: unknown): ColumnType | undefined {
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  return value == null || typeof value === 'string' ? 'utf8' : undefined
}

function cellOf(file: ImportFile, entry: JsonObject, { name, type }: DatasetColumn, where: string, times: ReadTime): RowCell {
  const value = entry[name]
  if (type === 'timestamp[ns]') return timeAt(file, entry, name, where, times)
  if (value == null) return null
  if (typeOf(value) !== type) return refuse(file, `${where}.${name}`, `${JSON.stringify(value)} is not of the kind of the entries before it`)
  return value as RowCell
}

function timeAt(file: ImportFile, parent: JsonObject, key: string, where: string, times: ReadTime): WallNs {
  const text = parent[key]
  return (
    (typeof text === 'string' ? times(text) : undefined) ??
    refuse(file, `${where}.${key}`, `${JSON.stringify(text)} is not a time like 2025-12-25T18:19:20.884905`)
  )
}
