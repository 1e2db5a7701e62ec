import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from './generated/client.ts'

export type { Prisma, PrismaClient } from './generated/client.ts'

/** The client inside `database.$transaction(async (tx) => …)`. */
export type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

/** Prisma for the rows, and the pool below it for what Prisma cannot say. One per process. */
export type Database = AsyncDisposable & { readonly prisma: PrismaClient; readonly pool: pg.Pool }

export type DatabaseOptions = {
  /** Told of connections that break while idle; the pool opens new ones by itself. */
  readonly onError: (error: Error) => void
  readonly maxConnections?: number
  /** A statement that every new connection begins with. */
  readonly prepare?: string
  /** Shown in pg_stat_activity. */
  readonly name?: string
}

/** Enough for one process; the embedded database runs one statement at a time anyway. */
const DEFAULT_MAX_CONNECTIONS = 8
/** A server that does not answer by then is away: the caller must hear it rather than hang. */
const CONNECT_TIMEOUT_MS = 5_000
/** On the embedded database one open transaction makes all the others wait, so they wait longer than Prisma's 2 s before they give up. */
const TRANSACTION_WAIT_MS = 10_000
const TRANSACTION_TIMEOUT_MS = 15_000

/** Connects at the first query, so it can be opened while the server is away. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const { prepare } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    ...(prepare !== undefined && { onConnect: (client) => client.query(prepare) }), // awaited before anybody gets the connection
    ...(options.name !== undefined && { application_name: options.name }),
  })
  pool.on('error', options.onError)
  // a connection that breaks while somebody holds it fails the query on it; without a listener it would end the process
  pool.on('connect', (client) => client.on('error', () => undefined))
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { onConnectionError: options.onError }),
    transactionOptions: { maxWait: TRANSACTION_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
  })
  return {
    prisma,
    pool,
    async [Symbol.asyncDispose]() {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
