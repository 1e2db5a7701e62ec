import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../../prisma/migrate.ts'
import type { Services } from './services.ts'

/** A database and a Redis database that no other test uses. */
export type ServerDatabase = {
  readonly url: string
  readonly redisUrl: string
  dropClients(): Promise<void>
  drop(): Promise<void>
}

const SEQUENCE_LOCK = 561_226_704 // any number that nobody else takes
const REDIS_DATABASES = 1024 // as .ci/servers starts it; number 0 is left to others

export async function createServerDatabase({ databaseUrl, redisUrl }: Services, { migrated }: { readonly migrated: boolean }): Promise<ServerDatabase> {
  const name = `kymograph_${randomBytes(6).toString('hex')}`
  await withClient(databaseUrl, (client) => client.query(`CREATE DATABASE ${name}`))
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  if (migrated) await migrate(url.href)
  const redis = new URL(redisUrl)
  redis.pathname = `/${await redisDatabase(databaseUrl)}`
  return {
    url: url.href,
    redisUrl: redis.href,
    dropClients: () => withClient(databaseUrl, (client) => client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])),
    drop: () => withClient(databaseUrl, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)),
  }
}

/** Numbered by PostgreSQL, which all tests share. */
async function redisDatabase(databaseUrl: string): Promise<number> {
  let number = 0
  await withClient(databaseUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [SEQUENCE_LOCK])
    await client.query(`CREATE SEQUENCE IF NOT EXISTS redis_database MINVALUE 1 MAXVALUE ${REDIS_DATABASES - 1} CYCLE`)
    const { rows } = await client.query<{ number: string }>(`SELECT nextval('redis_database') AS number`)
    number = Number(rows[0]?.number)
  })
  return number
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
