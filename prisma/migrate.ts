import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { messageOf } from '../core/errors.ts'

/**
 * Applies the migrations as Prisma's own engine would (its table, its lock, its checksums), without the engine: nothing to download, and the same on the
 * embedded database and on a server.
 */

/** Beside this file in the sources; the compile step copies it beside the built one. */
export const MIGRATIONS_FOLDER = path.join(import.meta.dirname, 'migrations')

const PRISMA_ADVISORY_LOCK = 72707369 // the key of Prisma's engine, so that both exclude each other
const CONNECT_TIMEOUT_MS = 5_000

/** Returns the names of the migrations that were applied now. Refuses when an applied one was edited since, or one has failed halfway. */
export async function migrate(url: string, folder: string = MIGRATIONS_FOLDER): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_ADVISORY_LOCK])
    await client.query(CREATE_HISTORY)
    const applied = await readHistory(client)
    const now: string[] = []
    for (const migration of await readMigrations(folder)) {
      const before = applied.get(migration.name)
      if (before === undefined) {
        await apply(client, migration)
        now.push(migration.name)
      } else if (before.finished_at === null) {
        throw new Error(`migration ${migration.name} failed before and must be resolved first`)
      } else if (before.checksum !== migration.checksum) {
        throw new Error(`migration ${migration.name} was edited after it was applied`)
      }
    }
    return now
  } finally {
    await client.end() // releases the lock on a server; on the embedded database one session serves all, so the lock there excludes nobody
  }
}

type Migration = { readonly name: string; readonly sql: string; readonly checksum: string }
type HistoryRow = { readonly migration_name: string; readonly checksum: string; readonly finished_at: Date | null }

const CREATE_HISTORY = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ, "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT, "rolled_back_at" TIMESTAMPTZ, "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`

async function readHistory(client: pg.Client): Promise<Map<string, HistoryRow>> {
  const { rows } = await client.query<HistoryRow>('SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL')
  return new Map(rows.map((row) => [row.migration_name, row]))
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/** Whole or not at all. */
async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(sql)
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), now(), 1)`,
      [randomUUID(), checksum, name],
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw new Error(`migration ${name}: ${messageOf(error)}`, { cause: error })
  }
}
