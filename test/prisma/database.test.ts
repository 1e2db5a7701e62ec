import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { type Change, listenForChanges } from '../../prisma/listen.ts'
import { migrate } from '../../prisma/migrate.ts'
import { startTestDatabase, type TestDatabase } from '../harness/database.ts'
import { until } from '../until.ts'

let server: TestDatabase
let database: Database

beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: (error) => process.emitWarning(error.message) })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server.stop()
})

const event = (summary: string) => ({ time: 1_700_000_000_123_456_789n, kind: 'AUDIT' as const, summary, data: { nested: [1, null] } })

describe('the migrations', () => {
  it('are not applied twice', async () => {
    expect(await migrate(server.url)).toEqual([])
  })

  it('let a removed device give its name away, and no other', async () => {
    const { prisma } = database
    const station = await prisma.station.create({ data: { name: 'names', host: 'here' } })
    const port = await prisma.port.create({ data: { stationId: station.id, address: 'tcp://a:1', kind: 'TCP' } })
    const device = { name: 'stage', driverId: 'x', stationId: station.id, portId: port.id, settings: {}, simulated: true }
    const first = await prisma.device.create({ data: device })
    await expect(prisma.device.create({ data: device })).rejects.toThrow(/nique/)
    await prisma.device.update({ where: { id: first.id }, data: { removedAt: new Date() } })
    await expect(prisma.device.create({ data: device })).resolves.toMatchObject({ name: 'stage' })
  })

  it('bring pgvector', async () => {
    const { rows } = await database.pool.query<{ d: number }>(`SELECT '[1,2,3]'::vector <-> '[1,2,5]'::vector AS d`)
    expect(rows[0]?.d).toBe(2)
  })
})

describe('appendEvents', () => {
  it('gives consecutive ids, keeps nanoseconds and JSON, from Prisma and from the pool', async () => {
    const last = await appendEvents(database.prisma, [event('first'), event('second')])
    const next = await appendEvents(database.pool, [event('third')])
    expect(next).toBe((last ?? 0n) + 1n)
    const rows = await database.prisma.event.findMany({ where: { id: { gte: (last ?? 0n) - 1n } }, orderBy: { id: 'asc' } })
    expect(rows.map((row) => row.summary)).toEqual(['first', 'second', 'third'])
    expect(rows[0]).toMatchObject({ time: 1_700_000_000_123_456_789n, data: { nested: [1, null] }, cause: null })
  })

  it('is undone with its transaction', async () => {
    const failing = database.prisma.$transaction(async (tx) => {
      await appendEvents(tx, [event('never')])
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await database.prisma.event.count({ where: { summary: 'never' } })).toBe(0)
  })

  it('does nothing for nothing', async () => {
    expect(await appendEvents(database.prisma, [])).toBeUndefined()
  })
})

describe('listenForChanges', () => {
  it('tells each table by the id of the row, and events by their last id', async () => {
    using stopping = stopper()
    const seen: Change[] = []
    await listenForChanges(server.url, (change) => seen.push(change), { signal: stopping.signal, onGap: () => undefined })
    const session = await database.prisma.session.create({ data: { title: 't', operator: 'o' } })
    const last = await appendEvents(database.prisma, [event('a'), event('b')])
    const station = await database.prisma.station.create({ data: { name: 'quiet', host: 'h' } })
    await database.prisma.station.update({ where: { id: station.id }, data: { lastSeen: new Date() } })
    await database.prisma.station.update({ where: { id: station.id }, data: { queueHeld: true } })
    await until(() => seen.filter(({ table }) => table === 'station').length === 2)
    expect(seen.filter(({ table }) => table !== 'graph')).toEqual([
      { table: 'session', id: session.id },
      { table: 'event', id: String(last) },
      { table: 'station', id: station.id },
      { table: 'station', id: station.id },
    ])
    expect(seen.filter(({ table }) => table === 'graph')).toHaveLength(2) // the session and the new station, and not what beats in it
  })

  it('connects again and says that there was a gap', async () => {
    const own = await startTestDatabase()
    using stopping = stopper()
    const seen: Change[] = []
    let gaps = 0
    await listenForChanges(own.url, (change) => seen.push(change), { signal: stopping.signal, onGap: () => gaps++, onError: () => undefined })
    const other = openDatabase(own.url, { onError: () => undefined })
    try {
      await own.dropClients()
      await until(() => gaps === 1)
      await other.prisma.session.create({ data: { title: 'after', operator: 'o' } })
      await until(() => seen.some((change) => change.table === 'session'))
    } finally {
      await other[Symbol.asyncDispose]()
      await own.stop()
    }
  })
})

function stopper(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  return { signal: controller.signal, [Symbol.dispose]: () => controller.abort() }
}
