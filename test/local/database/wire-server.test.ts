import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../../../local/database/engine.ts'
import { type Message, rowValues } from '../../../local/database/framing.ts'
import { serveWire, type WireServer } from '../../../local/database/wire-server.ts'
import { until } from '../../until.ts'
import { bind, describeStatement, execute, flush, parse, query, RawClient, sync } from './raw-client.ts'

let engine: Engine
let server: WireServer
let folder: string
let socket: string
let url: string
const open: (pg.Pool | pg.Client)[] = []

beforeAll(async () => {
  engine = await openEngine({})
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-wire-'))
  socket = path.join(folder, '.s.PGSQL.5432')
  url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`
  server = await serveWire(engine, { listen: { path: socket }, onFailure: (error) => process.emitWarning(error) })
})
afterAll(async () => {
  await Promise.all(open.map((client) => client.end()))
  await server[Symbol.asyncDispose]()
  await engine[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const values = (messages: readonly Message[]): (string | undefined)[] => messages.filter(({ type }) => type === 'D').flatMap(({ bytes }) => rowValues(bytes))
const types = (messages: readonly Message[]): string => messages.map(({ type }) => type).join('')

function pool(config: pg.PoolConfig = {}): pg.Pool {
  const made = new pg.Pool({ connectionString: url, ...config })
  made.on('error', () => undefined)
  open.push(made)
  return made
}

async function client(): Promise<pg.Client> {
  const made = new pg.Client({ connectionString: url })
  made.on('error', () => undefined)
  await made.connect()
  open.push(made)
  return made
}

describe('two clients in one session', () => {
  it('each get the answer to their own unnamed statement, when their messages interleave', async () => {
    const [a, b] = [await RawClient.open(socket), await RawClient.open(socket)]
    a.send(parse('', "SELECT 'A-secret'"))
    b.send(parse('', "SELECT 'B-value'"), bind(''), execute(), sync)
    expect(values(await b.until('Z'))).toEqual(['B-value'])
    a.send(bind(''), execute(), sync)
    expect(values(await a.until('Z'))).toEqual(['A-secret'])
    await Promise.all([a.end(), b.end()])
  })

  it('keep their unnamed statement across a Sync, and see one ParseComplete for one Parse', async () => {
    const [a, b] = [await RawClient.open(socket), await RawClient.open(socket)]
    a.send(parse('', "SELECT 'A'"), sync)
    expect(types(await a.until('Z'))).toBe('1Z')
    b.send(parse('', "SELECT 'B'"), bind(''), execute(), sync)
    await b.until('Z')
    a.send(bind(''), execute(), sync)
    const answer = await a.until('Z')
    expect(types(answer)).toBe('2DCZ')
    expect(values(answer)).toEqual(['A'])
    await Promise.all([a.end(), b.end()])
  })

  it('cannot use an unnamed statement of the other', async () => {
    const [a, b] = [await RawClient.open(socket), await RawClient.open(socket)]
    a.send(parse('', "SELECT 'A'"), sync)
    await a.until('Z')
    b.send(bind(''), execute(), sync)
    const answer = await b.until('Z')
    expect(types(answer)).toBe('EZ')
    expect(answer[0]?.bytes.toString()).toContain('26000')
    await Promise.all([a.end(), b.end()])
  })

  it('hold the session between a Flush and its Sync', async () => {
    const [a, b] = [await RawClient.open(socket), await RawClient.open(socket)]
    a.send(parse('', "SELECT 'A'"), describeStatement(''), flush)
    expect(types(await a.until('T'))).toBe('1tT')
    b.send(query("SELECT 'B'"))
    a.send(bind(''), execute(), sync)
    expect(values(await a.until('Z'))).toEqual(['A'])
    expect(values(await b.until('Z'))).toEqual(['B'])
    await Promise.all([a.end(), b.end()])
  })

  it('give the session back when a client vanishes behind a failed Flush', async () => {
    const [a, b] = [await RawClient.open(socket), await RawClient.open(socket)]
    a.send(parse('', 'SELECT nonsense from nowhere'), flush)
    await a.until('E')
    await a.end()
    b.send(query("SELECT 'B'"))
    expect(values(await b.until('Z'))).toEqual(['B'])
    await b.end()
  })

  it('use the same statement names for different statements', async () => {
    const [one, two] = [pool({ max: 4 }), pool({ max: 4 })]
    const asked = Array.from({ length: 200 }, (_, index) => {
      const [from, sign] = index % 2 === 0 ? [one, ''] : [two, '-']
      return from.query<{ n: number }>({ name: 'same', text: `SELECT ${sign}$1::int AS n`, values: [index] })
    })
    const answers = await Promise.all(asked)
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? index : -index)))
  })

  it('have settings of their own, from the start-up packet and from SET', async () => {
    const db = await client()
    await db.query('CREATE SCHEMA corner')
    await db.query("CREATE TABLE corner.thing AS SELECT 'in the corner' AS place")
    const inCorner = pool({ options: '-c search_path=corner', max: 1 })
    const inUtc = await client()
    const inTokyo = await client()
    await inUtc.query("SET TIME ZONE 'UTC'")
    await inTokyo.query("SET timezone = 'Asia/Tokyo'")
    await inTokyo.query('BEGIN')
    await inTokyo.query("SET LOCAL timezone = 'Europe/Paris'")
    await inTokyo.query('COMMIT')
    expect((await inCorner.query('SELECT place FROM thing')).rows).toEqual([{ place: 'in the corner' }])
    await expect(db.query('SELECT place FROM thing')).rejects.toThrow('does not exist')
    expect((await inUtc.query('SHOW timezone')).rows).toEqual([{ TimeZone: 'UTC' }])
    expect((await inTokyo.query('SHOW timezone')).rows).toEqual([{ TimeZone: 'Asia/Tokyo' }])
  })

  it('are told when a setting of theirs is refused', async () => {
    const wrong = new pg.Client({ connectionString: url, options: '-c no_such_thing=1' })
    wrong.on('error', () => undefined)
    await wrong.connect()
    await expect(wrong.query('SELECT 1')).rejects.toThrow(/no_such_thing|terminated/)
    expect((await (await client()).query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  })
})

describe('transactions', () => {
  it('make the others wait, and hide what is not committed', async () => {
    const [a, b] = [await client(), await client()]
    await a.query('CREATE TABLE entry (n int)')
    await a.query('BEGIN')
    await a.query('INSERT INTO entry VALUES (1)')
    let answered = false
    const count = b.query<{ n: string }>('SELECT count(*) AS n FROM entry').then(({ rows }) => {
      answered = true
      return rows[0]?.n
    })
    await a.query('INSERT INTO entry VALUES (2)')
    expect(answered).toBe(false)
    await a.query('ROLLBACK')
    expect(await count).toBe('0')
  })

  it('of a client that vanishes are rolled back', async () => {
    const [a, b] = [await RawClient.open(socket), await client()]
    await b.query('CREATE TABLE lost (n int)')
    a.send(query('BEGIN; INSERT INTO lost VALUES (1)'))
    await a.until('Z')
    await a.end()
    expect((await b.query('SELECT * FROM lost')).rows).toEqual([])
  })

  it('that are left idle are ended, and the others go on', async () => {
    // A server of its own: on a busy machine 300 ms may also pass between two statements of one who is not idle.
    const path = `${socket}-impatient`
    await using _impatient = await serveWire(engine, { listen: { path }, idleTransactionMs: 300, onFailure: (error) => process.emitWarning(error) })
    const [a, b] = [await RawClient.open(path), await RawClient.open(path)]
    b.send(query('CREATE TABLE idle (n int)'))
    await b.until('Z')
    a.send(query('BEGIN; INSERT INTO idle VALUES (1)'))
    await a.until('Z')
    b.send(query('SELECT count(*) FROM idle'))
    expect(values(await b.until('Z'))).toEqual(['0'])
    const said = await a.until('E')
    expect(said.at(-1)?.bytes.toString()).toContain('idle')
    await until(() => a.closed)
    await b.end()
  })
})

describe('notifications', () => {
  it('reach exactly the clients that listen to the channel, whoever sends them', async () => {
    const [one, two, other, sender] = [await client(), await client(), await client(), await client()]
    const heard: string[] = []
    one.on('notification', ({ channel, payload }) => heard.push(`one ${channel} ${payload}`))
    two.on('notification', ({ channel, payload }) => heard.push(`two ${channel} ${payload}`))
    other.on('notification', ({ channel, payload }) => heard.push(`other ${channel} ${payload}`))
    await one.query('LISTEN news')
    await two.query('listen "news"')
    await other.query('LISTEN elsewhere')
    await sender.query("NOTIFY news, 'hello'")
    await until(() => heard.length === 2)
    expect(heard.sort()).toEqual(['one news hello', 'two news hello'])

    await one.query('UNLISTEN *') // of one client: the other still hears
    heard.length = 0
    await sender.query("SELECT pg_notify('news', 'again')")
    await until(() => heard.length === 1)
    expect(heard).toEqual(['two news again'])
  })

  it('of a transaction come after its commit, and none after a rollback', async () => {
    const [listener, sender] = [await client(), await client()]
    const heard: (string | undefined)[] = []
    listener.on('notification', ({ payload }) => heard.push(payload))
    await listener.query('LISTEN deeds')
    await sender.query("BEGIN; NOTIFY deeds, 'undone'; ROLLBACK")
    await sender.query("BEGIN; NOTIFY deeds, 'done'; COMMIT")
    await until(() => heard.length > 0)
    expect(heard).toEqual(['done'])
  })
})

describe('what one session cannot give is refused in words', () => {
  it.each([
    ['COPY FROM STDIN', 'COPY pg_class FROM STDIN'],
    ['COPY FROM STDIN', 'SELECT 1; copy a(b) from stdin with (format csv)'],
    ['DISCARD', 'DISCARD ALL'],
    ['DEALLOCATE ALL', 'DEALLOCATE ALL'],
  ])('%s: %s', async (what, sql) => {
    const db = await client()
    await expect(db.query(sql)).rejects.toThrow(`${what} is not available on the embedded database`)
    if (!sql.includes(';')) await expect(db.query({ text: sql, values: [], name: what })).rejects.toThrow(`${what} is not available`)
    expect((await db.query("SELECT 'copy x from stdin; discard all' AS text")).rows).toEqual([{ text: 'copy x from stdin; discard all' }])
  })

  it('another database, an old protocol, a foreign encoding', async () => {
    await expect(new pg.Client({ host: folder, user: 'postgres', database: 'other' }).connect()).rejects.toThrow('database "other" does not exist')
    const old = await RawClient.bare(socket)
    old.send(Buffer.from([0, 0, 0, 8, 0, 2, 0, 0]))
    expect((await old.until('E')).at(-1)?.bytes.toString()).toContain('protocol version 2.0')
  })
})

describe('volume', () => {
  it('carries a value of 20 MB each way', async () => {
    const db = await client()
    const bytes = Buffer.alloc(20 * 1024 * 1024, 7)
    const { rows } = await db.query<{ back: Buffer }>('SELECT $1::bytea AS back', [bytes])
    expect(rows[0]?.back.equals(bytes)).toBe(true)
  })

  it('serves a hundred clients at once', async () => {
    const many = pool({ max: 100 })
    const answers = await Promise.all(Array.from({ length: 400 }, (_, n) => many.query<{ n: number }>('SELECT $1::int + 1 AS n', [n])))
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 400 }, (_, n) => n + 1))
  })
})

describe('a server that stops', () => {
  it('lets its clients leave first, and ends who stays', async () => {
    const own = await serveWire(engine, { listen: { path: `${socket}-farewell` }, farewellMs: 300, onFailure: (error) => process.emitWarning(error) })
    const [leaves, stays] = [await RawClient.open(`${socket}-farewell`), await RawClient.open(`${socket}-farewell`)]
    const stopped = own[Symbol.asyncDispose]()
    leaves.send(query("SELECT 'last word'"))
    expect(values(await leaves.until('Z'))).toEqual(['last word'])
    await leaves.end()
    expect(types(await stays.until('E'))).toContain('E')
    await stopped
  })
})
