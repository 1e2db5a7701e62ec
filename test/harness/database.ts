import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { QueueConnection } from '../../link/queues.ts'
import { openEngine } from '../../local/database/engine.ts'
import { serveWire } from '../../local/database/wire-server.ts'
import { MIGRATIONS_FOLDER, migrate } from '../../prisma/migrate.ts'
import { createServerDatabase } from './server-database.ts'
import { type Services, services } from './services.ts'

export type TestDatabase = {
  readonly url: string
  /** Where the queues are; undefined: in this database. */
  readonly redisUrl: string | undefined
  /** Breaks every connection, as a restart of the server would. */
  dropClients(): Promise<void>
  stop(): Promise<void>
}

/** A database of its own with every migration applied: in memory behind the same wire server as the real one, or on the servers of the services profile. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const servers = services()
  return servers === undefined ? serveDump(await migratedDump()) : onServer(servers, { migrated: true })
}

/** The same without a single table: for what makes the tables. */
export async function startEmptyDatabase(): Promise<TestDatabase> {
  const servers = services()
  return servers === undefined ? serveDump(undefined) : onServer(servers, { migrated: false })
}

async function onServer(servers: Services, options: { readonly migrated: boolean }): Promise<TestDatabase> {
  const { drop, ...database } = await createServerDatabase(servers, options)
  return { ...database, stop: drop }
}

export function queuesOf({ url, redisUrl }: Pick<TestDatabase, 'url' | 'redisUrl'>): QueueConnection {
  return redisUrl === undefined ? { databaseUrl: url } : { redisUrl }
}

async function serveDump(load: Blob | undefined): Promise<TestDatabase> {
  const engine = await openEngine(load === undefined ? {} : { load })
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-db-'))
  const server = await serveWire(engine, {
    listen: { path: path.join(folder, '.s.PGSQL.5432') },
    onFailure: (error) => process.emitWarning(`the test database failed: ${error.message}`),
  })
  return {
    url: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`,
    redisUrl: undefined,
    dropClients: async () => server.endClients('57P01', 'dropped by a test'),
    async stop() {
      await server[Symbol.asyncDispose]()
      await engine[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const CACHE = path.join(import.meta.dirname, '../../node_modules/.cache/kymograph')

/** Creating and migrating takes seconds, loading a dump a third of one: made once per state of the migrations. */
async function migratedDump(): Promise<Blob> {
  const hash = createHash('sha256')
  for (const file of (await readdir(MIGRATIONS_FOLDER, { recursive: true })).sort()) {
    if (file.endsWith('.sql')) hash.update(file).update(await readFile(path.join(MIGRATIONS_FOLDER, file)))
  }
  hash.update(await readFile(path.join(import.meta.dirname, '../../local/package.json')))
  const cached = path.join(CACHE, `database-${hash.digest('hex').slice(0, 16)}.tar`)
  if (existsSync(cached)) return new Blob([await readFile(cached)])

  const engine = await openEngine({})
  try {
    await using folder = await temporaryFolder()
    await using _server = await serveWire(engine, {
      listen: { path: path.join(folder.path, '.s.PGSQL.5432') },
      onFailure: (error) => process.emitWarning(error.message),
    })
    await migrate(`postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder.path)}`)
    const dump = await engine.dump()
    await mkdir(CACHE, { recursive: true })
    const partial = `${cached}.${process.pid}`
    await writeFile(partial, Buffer.from(await dump.arrayBuffer()))
    await rename(partial, cached) // whole or not at all: another worker may be making the same
    return dump
  } finally {
    await engine[Symbol.asyncDispose]()
  }
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-db-'))
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
