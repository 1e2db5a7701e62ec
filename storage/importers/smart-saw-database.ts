import type { ColumnType, DatasetColumn } from '../../core/dataset.ts'
import type { ReadTime } from '../../core/local-time.ts'
import type { RowCell } from '../../core/row.ts'
import { type ImportedEvent, type ImportedSession, type ImportedTable, type Importer, type ImportFile, imported, refuse, timesOf } from './importer.ts'
import { TABLES, TIME_COLUMNS, UNITS } from './smart-saw-tables.ts'
import { openSqlite, type RowSpan, type SqliteCell, type SqliteColumn, type SqliteFile } from './sqlite-file.ts'

const MAX_SESSIONS = 100_000 // twenty years of a saw that cuts a piece every half hour; they are in memory while they are imported
const MAX_EVENTS = 10_000 // the rest is in the table, and the feed is for reading

/**
 * Any of smart-saw's databases (raw, total, log, ml, anomaly, camera, alarm): a table of ours for each of its tables, a session for each cut, and its alarms
 * as events. Values stay as smart-saw decoded them.
 */
export const smartSawDatabase: Importer = {
  id: 'smart-saw-database',
  label: 'smart-saw database (SQLite: raw, total, log, ml, anomaly, camera, alarm)',
  async read(file) {
    const times = timesOf(file)
    const database = await openSqlite(file)
    try {
      const known = database.tables.filter((table) => TABLES.includes(table))
      if (known.length === 0) refuse(file, 'the whole', `it has none of the tables of smart-saw (${TABLES.join(', ')})`)
      const left = database.tables.filter((table) => !TABLES.includes(table))
      const filled = known.filter((table) => database.count(table) > 0)
      return imported({
        tables: filled.map((table) => tableOf(file, database, table, times)),
        sessions: filled.includes('cutting_sessions') ? cuts(file, database, times) : [],
        notes: [
          ...left.map((table) => `${file.name}: table ${table} is none of smart-saw's and left out`),
          ...known.filter((table) => !filled.includes(table)).map((table) => `${file.name}: table ${table} is empty`),
        ],
        [Symbol.asyncDispose]: async () => database[Symbol.dispose](),
      })
    } catch (error) {
      database[Symbol.dispose]()
      throw error
    }
  },
}

function tableOf(file: ImportFile, database: SqliteFile, table: string, times: ReadTime): ImportedTable {
  const columns = database.columns(table).map(columnOf)
  const names = columns.map(({ name }) => name)
  return {
    name: table,
    columns,
    expectedRows: database.count(table),
    ...(table === 'alarm_events' && { events: alarms(file, database, times) }),
    *rows() {
      let number = 0
      for (const row of database.rows(table, names)) {
        number += 1
        yield columns.map((column) => cellOf(file, column, row[column.name] ?? null, `table ${table}, row ${number}`, times))
      }
    },
  }
}

function columnOf({ name, declared }: SqliteColumn): DatasetColumn {
  const unit = UNITS[name]
  return { name, type: typeOf(name, declared), ...(unit !== undefined && { unit }) }
}

function typeOf(name: string, declared: string): ColumnType {
  if (TIME_COLUMNS.has(name)) return 'timestamp[ns]'
  if (declared.startsWith('INT')) return 'int64'
  return ['REAL', 'FLOA', 'DOUB', 'NUME'].includes(declared.slice(0, 4)) ? 'float64' : 'utf8'
}

function cellOf(file: ImportFile, { name, type }: DatasetColumn, value: SqliteCell, where: string, times: ReadTime): RowCell {
  if (value === null) return null
  const wrong = (what: string): never =>
    refuse(file, `${where}, ${name}`, `${value instanceof Uint8Array ? 'a blob' : JSON.stringify(String(value))} is not ${what}`)
  switch (type) {
    case 'timestamp[ns]':
      return (typeof value === 'string' ? times(value) : undefined) ?? wrong('a time like 2026-01-31T08:15:00.250')
    case 'int64':
      return typeof value === 'bigint' ? value : typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : wrong('a whole number')
    case 'float64':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : wrong('a number')
    default:
      return value instanceof Uint8Array ? wrong('a text') : String(value)
  }
}

const SAMPLES = 'sensor_data'
const CUT = 'kesim_id'

/** One session for each cut. Its key is its number and its beginning: numbers start again with a new database. */
function cuts(file: ImportFile, database: SqliteFile, times: ReadTime): readonly ImportedSession[] {
  const columns = database.columns('cutting_sessions').map(columnOf)
  const hasSamples = database.tables.includes(SAMPLES) && database.columns(SAMPLES).some(({ name }) => name === CUT)
  const spans = hasSamples ? database.spans(SAMPLES, CUT) : new Map<string, RowSpan>()
  const sessions: ImportedSession[] = []
  for (const row of database.rows(
    'cutting_sessions',
    columns.map(({ name }) => name),
  )) {
    const where = `table cutting_sessions, row ${sessions.length + 1}`
    if (sessions.length >= MAX_SESSIONS) return refuse(file, where, `more than ${MAX_SESSIONS} cuts in one file`)
    const id = row.kesim_id ?? row.session_id ?? null
    const startedAt = typeof row.start_time === 'string' ? times(row.start_time) : undefined
    const endedAt = typeof row.end_time === 'string' ? times(row.end_time) : undefined
    if (id === null) return refuse(file, `${where}, kesim_id`, 'missing')
    if (startedAt === undefined) return refuse(file, `${where}, start_time`, `${String(row.start_time)} is not a time`)
    const span = spans.get(String(id))
    sessions.push({
      key: `${String(id)} ${startedAt}`,
      title: `Cut ${String(id)}`,
      startedAt,
      ...(endedAt !== undefined && { endedAt }),
      tags: ['smart-saw', 'cut'],
      ...(span !== undefined && { recorded: [{ table: SAMPLES, ...span }] }),
      metadata: Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value])),
    })
  }
  return sessions
}

function alarms(file: ImportFile, database: SqliteFile, times: ReadTime): readonly ImportedEvent[] {
  const names = database.columns('alarm_events').map(({ name }) => name)
  const events: ImportedEvent[] = []
  let number = 0
  for (const row of database.rows('alarm_events', names)) {
    number += 1
    const time = typeof row.timestamp === 'string' ? times(row.timestamp) : undefined
    if (time === undefined) return refuse(file, `table alarm_events, row ${number}, timestamp`, `${String(row.timestamp)} is not a time`)
    const text = row.description === null || row.description === undefined ? '' : `: ${String(row.description)}`
    events.push({
      time,
      summary: `alarm ${String(row.code)} of the saw${text}`,
      data: { code: String(row.code), resolvedAt: row.resolved_at === null ? null : String(row.resolved_at) },
    })
    if (events.length > MAX_EVENTS) events.shift() // the newest
  }
  return events
}
