import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabEvent } from '../../core/event.ts'
import { type Database, openDatabase } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { type Change, listenForChanges } from '../../prisma/listen.ts'
import { migrate } from '../../prisma/migrate.ts'
import { startEmptyDatabase, startTestDatabase, type TestDatabase } from '../harness/database.ts'
import { services } from '../harness/services.ts'
import { until } from '../until.ts'

/** What only a server does: transactions that overlap. The embedded database runs one at a time. */
const skipped = services() === undefined
const why = skipped ? ' (skipped: TEST_DATABASE_URL or TEST_REDIS_URL is not set; .ci/servers sets them)' : ''

/** Of this database: others on the same server have theirs. */
const WAITING_FOR_A_TURN = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

const event = (summary: string): LabEvent => ({ time: 1n, kind: 'AUDIT', summary })

describe.skipIf(skipped)(`transactions that overlap${why}`, () => {
  let server: TestDatabase
  let database: Database
  beforeAll(async () => {
    server = await startTestDatabase()
    database = openDatabase(server.url, { onError: (error) => process.emitWarning(error.message), maxConnections: 20 })
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server.stop()
  })

  async function transaction(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query('BEGIN')
    return client
  }

  it('of migrations: whoever comes first applies them, the others wait and find nothing to do', async () => {
    const empty = await startEmptyDatabase()
    try {
      const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(empty.url)))
      expect(applied.filter((names) => names.length > 0)).toHaveLength(1)
      expect(await migrate(empty.url)).toEqual([])
    } finally {
      await empty.stop()
    }
  })

  it('of events: the second waits for the first, and nobody sees the later before the earlier', async () => {
    const [one, two] = [await transaction(), await transaction()]
    try {
      const first = await appendEvents(one, [event('one')])
      const waiting = appendEvents(two, [event('two')])
      await until(async () => (await database.pool.query(WAITING_FOR_A_TURN)).rows.length === 1)
      expect(await database.prisma.event.count()).toBe(0)
      await one.query('COMMIT')
      expect(await waiting).toBe((first ?? 0n) + 1n)
      expect(await database.prisma.event.count()).toBe(1)
      await two.query('COMMIT')
    } finally {
      for (const client of [one, two]) await client.end()
    }
  })

  it('of many events: a reader who goes on from the last id it has seen misses none and sees none twice', async () => {
    const start = (await database.prisma.event.aggregate({ _max: { id: true } }))._max.id ?? 0n
    let writing = true
    const seen: bigint[] = []
    const reading = (async () => {
      for (let cursor = start, last = false; !last; ) {
        last = !writing
        const rows = await database.prisma.event.findMany({ where: { id: { gt: cursor } }, orderBy: { id: 'asc' }, select: { id: true } })
        for (const { id } of rows) seen.push(id)
        cursor = rows.at(-1)?.id ?? cursor
      }
    })()
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      for (let round = 0; round < 40; round += 1) {
        await client.query('BEGIN')
        await appendEvents(
          client,
          Array.from({ length: 1 + (round % 3) }, (__, index) => event(`${writer} ${round} ${index}`)),
        )
        if (round % 5 === writer % 5) await client.query('SELECT pg_sleep(0.002)') // holds the lock a little
        await client.query(round % 7 === 0 ? 'ROLLBACK' : 'COMMIT')
      }
      await client.end()
    })
    await Promise.all(writers)
    writing = false
    await reading
    const rows = await database.prisma.event.findMany({ where: { id: { gt: start } }, orderBy: { id: 'asc' }, select: { id: true } })
    expect(rows.length).toBeGreaterThan(400)
    expect(seen).toEqual(rows.map(({ id }) => id))
  })

  it('of a change: it is told after the commit, and never when it is taken back', async () => {
    const stopping = new AbortController()
    const seen: Change[] = []
    await listenForChanges(server.url, (change) => void (change.table === 'session' && seen.push(change)), { signal: stopping.signal, onGap: () => undefined })
    const [kept, undone] = [await transaction(), await transaction()]
    try {
      for (const client of [kept, undone])
        await client.query(`INSERT INTO "session" ("id", "title", "operator") VALUES (gen_random_uuid(), 'overlapping', 'ana')`)
      const other = await database.prisma.session.create({ data: { title: 'at once', operator: 'ana' } })
      await until(() => seen.length > 0)
      expect(seen).toEqual([{ table: 'session', id: other.id }])
      await undone.query('ROLLBACK')
      await kept.query('COMMIT')
      await until(() => seen.length > 1)
      const row = await database.prisma.session.findFirstOrThrow({ where: { title: 'overlapping' } })
      expect(seen.slice(1)).toEqual([{ table: 'session', id: row.id }])
    } finally {
      stopping.abort()
      for (const client of [kept, undone]) await client.end()
    }
  })
})
