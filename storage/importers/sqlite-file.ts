import { constants, copyFile, lstat } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { type ImportFile, refuse } from './importer.ts'

export type SqliteCell = number | bigint | string | Uint8Array | null
export type SqliteColumn = { readonly name: string /** As it was declared; SQLite itself holds nobody to it. */; readonly declared: string }

export type RowSpan = { readonly firstRow: number; readonly lastRow: number }

/** A SQLite file, read row by row: its size does not matter to memory. */
export interface SqliteFile extends Disposable {
  readonly tables: readonly string[]
  columns(table: string): readonly SqliteColumn[]
  count(table: string): number
  /** Of each value of the column, the first and the last row that has it, counted from 0 in the order of `rows`. */
  spans(table: string, column: string): ReadonlyMap<string, RowSpan>
  rows(table: string, columns: readonly string[]): Iterable<Readonly<Record<string, SqliteCell>>>
}

const JOURNALS = ['-wal', '-journal'] // rows that a program which is still running, or was killed, has not put into the file itself

/**
 * Opens a copy: the program that owns the file may be writing to it, and reading one in WAL mode changes it. On a file system with reflinks the copy costs
 * nothing. Throws InvalidValue for what is no database, and for one that is broken.
 */
export async function openSqlite(file: ImportFile): Promise<SqliteFile> {
  const { default: sqlite } = await import('node-sqlite3-wasm') // half a megabyte of machine code that only an import needs
  const copy = path.join(file.scratch, 'copy.db')
  await copyFile(file.path, copy, constants.COPYFILE_FICLONE)
  for (const journal of JOURNALS) if (await isFile(file.path + journal)) await copyFile(file.path + journal, copy + journal, constants.COPYFILE_FICLONE)
  const database = new sqlite.Database(copy, { fileMustExist: true })
  const read = <T>(where: string, ask: () => T): T => {
    try {
      return ask()
    } catch (error) {
      return error instanceof sqlite.SQLite3Error ? refuse(file, where, `SQLite says: ${messageOf(error)}`) : raise(error)
    }
  }
  try {
    const tables = read('the whole', () => {
      database.exec('PRAGMA locking_mode = EXCLUSIVE') // there is no shared memory here, which WAL needs otherwise
      return database.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid").map((row) => String(row.name))
    })
    return {
      tables,
      columns: (table) =>
        read(table, () =>
          database.all(`PRAGMA table_info(${quoted(table)})`).map((row) => ({ name: String(row.name), declared: String(row.type).toUpperCase() })),
        ),
      count: (table) => read(table, () => Number(database.get(`SELECT count(*) AS n FROM ${quoted(table)}`)?.n ?? 0)),
      spans: (table, column) =>
        read(table, () => {
          const numbered = `SELECT ${quoted(column)} AS value, row_number() OVER (ORDER BY rowid) - 1 AS row FROM ${quoted(table)}`
          const found = database.all(`SELECT value, min(row) AS firstRow, max(row) AS lastRow FROM (${numbered}) WHERE value IS NOT NULL GROUP BY value`)
          return new Map(found.map(({ value, firstRow, lastRow }) => [String(value), { firstRow: Number(firstRow), lastRow: Number(lastRow) }]))
        }),
      *rows(table, columns) {
        const statement = read(table, () => database.prepare(`SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(table)} ORDER BY rowid`))
        try {
          const rows = statement.iterate() as IterableIterator<Record<string, SqliteCell>>
          for (let next = read(table, () => rows.next()); next.done !== true; next = read(table, () => rows.next())) yield next.value
        } finally {
          statement.finalize()
        }
      },
      [Symbol.dispose]: () => database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** No link: what stands beside a file that may be read is not always meant to be. */
async function isFile(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => undefined))?.isFile() === true
}

function raise(error: unknown): never {
  throw error
}
