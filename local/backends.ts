import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import pg from 'pg'
import { messageOf } from '../core/errors.ts'
import { type Neo4jServer, reachNeo4j } from '../graph/neo4j/store.ts'
import { CannotStart } from '../link/child.ts'
import { withoutPassword } from './config.ts'

/** Servers that a person named by URL must answer before anything starts: a wrong URL is an error that names it, never a reason to fall back. */

const REACH_TIMEOUT_MS = 5_000
const OLDEST_POSTGRESQL = 16 // what the tests run on; the embedded one is newer

export async function checkDatabase(url: string, oldest = OLDEST_POSTGRESQL): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: REACH_TIMEOUT_MS })
  client.on('error', () => undefined) // told by the query below
  try {
    await client.connect()
    const { rows } = await client.query<{ version: number; vector: boolean }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS "version", EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS "vector"`,
    )
    const [server] = rows
    if (server !== undefined && server.version < oldest)
      throw new CannotStart(`DATABASE_URL ${withoutPassword(url)} names PostgreSQL ${server.version}; ${oldest} or newer is needed`)
    if (server?.vector !== true)
      throw new CannotStart(`DATABASE_URL ${withoutPassword(url)} names a server without the extension pgvector; install it there first`)
  } catch (error) {
    if (error instanceof CannotStart) throw error
    throw new CannotStart(`DATABASE_URL ${withoutPassword(url)} cannot be used: ${reasonOf(error)}`)
  } finally {
    await client.end().catch(() => undefined) // it may never have been open
  }
}

export async function checkRedis(url: string): Promise<void> {
  const { hostname, port, protocol, username, password } = new URL(url)
  const address = { host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(port) || 6379 }
  const socket = protocol === 'rediss:' ? connectTls(address) : connect(address)
  try {
    const words = password === '' ? [] : [username, password].filter((word) => word !== '').map(decodeURIComponent)
    if (words.length > 0) socket.write(command('AUTH', ...words))
    socket.write(command('PING'))
    const signal = AbortSignal.timeout(REACH_TIMEOUT_MS)
    for (let answer = ''; !answer.includes('+PONG'); ) {
      const [chunk] = (await once(socket, 'data', { signal })) as [Buffer]
      answer += chunk.toString('utf8')
      const refused = /^-(.*)\r\n/m.exec(answer)
      if (refused !== null) throw new Error(refused[1])
    }
  } catch (error) {
    throw new CannotStart(`REDIS_URL ${withoutPassword(url)} cannot be used: ${reasonOf(error)}`)
  } finally {
    socket.destroy()
  }
}

export async function checkNeo4j(server: Neo4jServer): Promise<void> {
  try {
    await reachNeo4j(server)
  } catch (error) {
    throw new CannotStart(`NEO4J_URL ${server.url} cannot be used by ${server.user}: ${reasonOf(error)}`)
  }
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  if (error instanceof Error && error.name === 'AbortError') return `no answer within ${REACH_TIMEOUT_MS} ms`
  return messageOf(error)
}
