import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeCursor } from '../../api/connection.ts'
import { decodeStreamCursor, encodeStreamCursor } from '../../api/cursor.ts'
import { globalId, parameterId } from '../../api/global-id.ts'
import { until } from '../until.ts'
import { METER, STAGE } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'
import { listenTo, type Received } from './listen.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())
const listen = <Item>(query: string, variables?: Record<string, unknown>, field?: string): Received<Item> => listenTo(lab, query, variables, field)

type Batch = {
  cursor: string
  snapshot: boolean
  dropped: number
  gap: { from: string; reason: string } | null
  series: { parameterId: string; unit: string; numbers: number[]; qualities: string[] }[]
}
const READINGS = `subscription ($select: [ParameterSelector!]!, $delivery: Delivery, $rate: Float, $after: Cursor) {
  readings(select: $select, delivery: $delivery, maxRateHz: $rate, after: $after) { cursor snapshot dropped gap { from reason } series { parameterId unit numbers qualities } } }`
const POWER = parameterId(METER, 'power')
const power = (batches: readonly Batch[]): number[] =>
  batches.flatMap(({ series }) => series.filter(({ parameterId: id }) => id === POWER).flatMap(({ numbers }) => numbers))
const executions = async (): Promise<number> =>
  Number(/^kymograph_subscription_executions (\d+)$/m.exec(await (await fetch(`${lab.api.url}/metrics`)).text())?.[1])

/** Whoever has stopped has left once the server has read it. */
const nobodyListens = () => until(async () => (await executions()) === 0, { what: 'the end of what others have asked for' })

describe('readings, LATEST', () => {
  it('begin with a snapshot, then bring the newest, coalesced and counted, in the unit asked for', async () => {
    const { items, stop } = listen<Batch>(READINGS, { select: [{ deviceId: globalId('Device', METER), names: ['power'], unit: 'mW' }], rate: 20 })
    await until(() => items.length > 0)
    expect(items[0]).toMatchObject({ snapshot: true, dropped: 0, gap: null, series: [{ parameterId: POWER, unit: 'mW', qualities: ['GOOD'] }] })
    const beganMs = performance.now()
    for (let value = 1; value <= 50; value += 1) lab.station.publish([3, value])
    await until(() => power(items).at(-1) === 50_000)
    expect(items.length).toBeLessThanOrEqual(3 + (performance.now() - beganMs) / 50) // the snapshot, the first, and one every 50 ms
    const dropped = items.reduce((sum, batch) => sum + batch.dropped, 0)
    expect(dropped + power(items).length - 1).toBe(50)
    stop()
  })

  it('go on after a cursor with what has changed since', async () => {
    const select = [
      { deviceId: globalId('Device', METER), names: ['power'] },
      { deviceId: globalId('Device', STAGE), names: ['position'] },
    ]
    const first = listen<Batch>(READINGS, { select, rate: 100 })
    await until(() => first.items.length > 0)
    first.stop()
    const after = first.items.at(-1)?.cursor
    lab.station.publish([3, 77])
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.reading(METER, 'power', 'reading')?.value === 77)
    const second = listen<Batch>(READINGS, { select, rate: 100, after })
    await until(() => second.items.length > 0)
    expect(second.items[0]).toMatchObject({ snapshot: false, gap: null, series: [{ parameterId: POWER, numbers: [77] }] })
    second.stop()
  })

  it('say STALE when the station goes away, and GOOD with the next value', async () => {
    const { items, stop } = listen<Batch>(READINGS, { select: [{ deviceId: globalId('Device', METER), names: ['power'] }], rate: 100 })
    await until(() => items.length > 0)
    await lab.station.stop()
    await until(() => items.at(-1)?.series[0]?.qualities[0] === 'STALE')
    await lab.station.start()
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.online)
    lab.station.publish([3, 5])
    await until(() => items.at(-1)?.series[0]?.qualities[0] === 'GOOD' && power(items).at(-1) === 5)
    stop()
  })

  it('of the same selection share one execution, and a late one gets the present first', async () => {
    const variables = { select: [{ deviceId: globalId('Device', STAGE), names: ['velocity'] }], rate: 50 }
    await nobodyListens()
    const clients = Array.from({ length: 5 }, () => listen<Batch>(READINGS, variables))
    await until(() => clients.every(({ items }) => items.length > 0))
    expect(await executions()).toBe(1)
    lab.station.publish([2, 4.5])
    await until(() => clients.every(({ items }) => items.at(-1)?.series[0]?.numbers[0] === 4.5))
    const late = listen<Batch>(READINGS, variables)
    await until(() => late.items.length > 0)
    expect(late.items[0]).toMatchObject({ snapshot: true, series: [{ numbers: [4.5] }] })
    for (const { stop } of [...clients, late]) stop()
    await nobodyListens()
  })

  it('are refused for what is not there', async () => {
    const wrong = listen<Batch>(READINGS, { select: [{ deviceId: globalId('Device', METER), names: ['colour'] }] })
    await until(() => wrong.ended())
    expect(JSON.stringify(wrong.errors)).toContain('there is no parameter colour of meter')
    const fast = listen<Batch>(READINGS, { select: [{ deviceId: globalId('Device', METER) }], rate: 1e9 })
    await until(() => fast.ended())
    expect(JSON.stringify(fast.errors)).toContain('maxRateHz')
  })
})

describe('readings, EVERY', () => {
  const variables = { select: [{ deviceId: globalId('Device', METER), names: ['power'] }], delivery: 'EVERY' }

  it('bring each value in order, also across a lost connection', async () => {
    const { items, stop } = listen<Batch>(READINGS, variables)
    await until(() => items.some(({ snapshot }) => snapshot))
    const start = power(items).length
    for (let value = 0; value < 200; value += 1) lab.station.publish([3, value])
    await until(() => power(items).length - start >= 200)
    await lab.station.stop()
    for (let value = 200; value < 300; value += 1) lab.station.publish([3, value])
    await lab.station.start()
    await until(() => power(items).length - start >= 300)
    expect(power(items).slice(start)).toEqual(Array.from({ length: 300 }, (_, value) => value))
    expect(items.every(({ gap }) => gap === null)).toBe(true)
    stop()
  })

  it('go on after a cursor without a hole, from Lab.cursor too', async () => {
    const { data } = await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')
    for (let value = 0; value < 5; value += 1) lab.station.publish([3, value])
    const first = listen<Batch>(READINGS, { ...variables, after: data.lab.cursor })
    await until(() => power(first.items).length >= 5)
    expect(power(first.items)).toEqual([0, 1, 2, 3, 4])
    first.stop()
    const middle = first.items.find((batch) => batch.series[0]?.numbers.includes(2))?.cursor
    const second = listen<Batch>(READINGS, { ...variables, after: middle })
    await until(() => power(second.items).length >= 2)
    expect(power(second.items)).toEqual([3, 4])
    second.stop()
  })

  it('begin for one who joins late with the present, and go on from exactly there', async () => {
    const select = [{ deviceId: globalId('Device', STAGE), names: ['velocity'] }]
    const values = (batches: readonly Batch[]): number[] => batches.flatMap(({ series }) => series.flatMap(({ numbers }) => numbers))
    await nobodyListens()
    const first = listen<Batch>(READINGS, { ...variables, select })
    await until(() => first.items.length > 0)
    const late: Received<Batch>[] = []
    for (let value = 1000; value < 1300; value += 1) {
      lab.station.publish([2, value])
      if (value % 30 === 0) {
        late.push(listen<Batch>(READINGS, { ...variables, select }))
        await until(() => late.every(({ items }) => items.length > 0))
      }
    }
    await until(() => [first, ...late].every(({ items }) => values(items).at(-1) === 1299))
    expect(await executions()).toBe(1)
    for (const { items } of late) {
      expect(items[0]).toMatchObject({ snapshot: true })
      const came = values(items)
      expect(came).toEqual(Array.from({ length: came.length }, (_, at) => (came[0] ?? 0) + at))
    }
    for (const { stop } of [first, ...late]) stop()
  })

  it('of a device that is only now connected come from the first one on', async () => {
    const { items, stop } = listen<Batch>(READINGS, { ...variables, select: [...variables.select, { deviceId: globalId('Device', STAGE) }] })
    await until(() => items.some(({ snapshot }) => snapshot))
    lab.station.publish([3, 1])
    await until(() => power(items).at(-1) === 1)
    const stage = lab.station.device(STAGE)
    const load = { name: 'load', description: 'on the axis', kind: 'FLOAT', access: 'READ_ONLY', unit: 'N' } as const
    lab.station.change({ ...stage, parameters: [...stage.parameters, { spec: load, handle: 9 }] })
    for (let value = 0; value < 20; value += 1) lab.station.publish([9, value], [3, value])
    await until(() => power(items).at(-1) === 19)
    const loads = items.flatMap(({ series }) => series.filter(({ parameterId: id }) => id === parameterId(STAGE, 'load')).flatMap(({ numbers }) => numbers))
    expect(loads).toEqual(Array.from({ length: 20 }, (_, value) => value))
    expect(power(items).slice(-20)).toEqual(loads)
    lab.station.change(stage)
    stop()
  })

  it('say a gap after a cursor that knows nothing of the station', async () => {
    const { items, stop } = listen<Batch>(READINGS, { ...variables, after: encodeStreamCursor({ stations: new Map() }) })
    await until(() => items.length >= 2)
    expect(items[0]).toMatchObject({ gap: { reason: expect.stringContaining('says nothing of this station') }, series: [] })
    expect(items[1]).toMatchObject({ snapshot: true })
    stop()
  })

  it('say a gap when the station has started again', async () => {
    const { data } = await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')
    await lab.station.stop()
    lab.station.epoch += 1
    await lab.station.start()
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.epoch === lab.station.epoch)
    const { items, stop } = listen<Batch>(READINGS, { ...variables, after: data.lab.cursor })
    await until(() => items.length >= 2)
    expect(items[0]).toMatchObject({ gap: { reason: 'the station has started again' }, series: [] })
    expect(items[1]).toMatchObject({ snapshot: true })
    stop()
  })
})

describe('events', () => {
  const EVENTS =
    'subscription ($after: Cursor, $filter: EventFilter) { events(after: $after, filter: $filter) { cursor gap { reason } events { kind summary cursor subject { __typename id } cause { kind actor } } } }'
  type Events = { cursor: string; gap: unknown; events: { kind: string; summary: string; cursor: string; subject: { __typename: string } | null }[] }
  const start = (title: string) => lab.ask('mutation ($title: String!) { startSession(input: { title: $title }) { __typename } }', { title })

  it('come as they happen, and again after any cursor', async () => {
    await nobodyListens()
    const live = listen<Events>(EVENTS)
    await until(async () => (await executions()) === 1)
    await start('one')
    await until(() => live.items.flatMap(({ events }) => events).length === 1)
    await start('two')
    await until(() => live.items.flatMap(({ events }) => events).length === 2)
    const [one, two] = live.items.flatMap(({ events }) => events)
    expect(one).toMatchObject({ kind: 'SESSION', summary: 'session one started', subject: { __typename: 'Session' }, cause: { kind: 'PERSON', actor: 'ada' } })
    const replay = listen<Events>(EVENTS, { after: one?.cursor })
    await until(() => replay.items.length > 0)
    expect(replay.items[0]?.events).toEqual([two])
    const other = listen<Events>(EVENTS, { after: one?.cursor, filter: { kinds: ['RUN'] } })
    await start('three')
    await until(() => replay.items.length > 1)
    expect(other.items).toEqual([])
    for (const each of [live, replay, other]) each.stop()
  })
})

describe('events after a cursor', () => {
  it.each([
    ['beyond the last', (feed: string, present: bigint) => ({ feed, event: present + 1_000n })],
    ['beyond the last, from before feeds had an identity', (_feed: string, present: bigint) => ({ event: present + 1_000n })],
    ['with an id that this feed has, too', () => ({ feed: randomUUID(), event: 1n })],
  ] as const)('of another feed (%s) begin with an explicit gap, and go on after it', async (_, cursor) => {
    const { data } = await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')
    const { feed = '', event: present = 0n } = decodeStreamCursor(data.lab.cursor)
    const after = encodeStreamCursor(cursor(feed, present))
    const { items, stop } = listen<{ cursor: string; gap: { from: string; to: string } | null; events: { summary: string }[] }>(
      'subscription ($after: Cursor) { events(after: $after) { cursor gap { from to reason } events { summary } } }',
      { after },
    )
    await until(() => items.length === 1)
    const to = encodeStreamCursor({ feed, event: present })
    expect(items[0]).toEqual({ cursor: to, gap: { from: after, to, reason: expect.stringContaining('another feed') }, events: [] })
    await lab.ask('mutation { startSession(input: { title: "after the gap" }) { __typename } }')
    await until(() => items.length === 2)
    expect(items[1]).toMatchObject({ gap: null, events: [{ summary: 'session after the gap started' }] })
    stop()
  })

  it('from before feeds had an identity go on without a gap', async () => {
    await lab.ask('mutation { startSession(input: { title: "of old" }) { __typename } }')
    const { data } = await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')
    const { event: present = 0n } = decodeStreamCursor(data.lab.cursor)
    const { items, stop } = listen<{ gap: object | null; events: { summary: string }[] }>(
      'subscription ($after: Cursor) { events(after: $after) { gap { reason } events { summary } } }',
      { after: encodeStreamCursor({ event: present - 1n }) },
    )
    await until(() => items.length === 1)
    expect(items).toEqual([{ gap: null, events: [{ summary: 'session of old started' }] }])
    stop()
  })

  it('say a gap when the database is replaced while they run', async () => {
    const { pool } = lab.api.services.database
    await nobodyListens()
    const { items, stop } = listen<{ gap: { from: string; to: string } | null; events: { summary: string; cursor: string }[] }>(
      'subscription { events { gap { from to reason } events { summary cursor } } }',
    )
    await until(async () => (await executions()) === 1)
    const another = randomUUID()
    await pool.query('UPDATE "feed" SET "identity" = $1', [another])
    await lab.ask('mutation { startSession(input: { title: "unseen" }) { __typename } }')
    await until(() => items.length === 1)
    expect(items[0]?.events).toEqual([])
    expect(decodeStreamCursor(items[0]?.gap?.to ?? '').feed).toBe(another)
    await lab.ask('mutation { startSession(input: { title: "seen" }) { __typename } }')
    await until(() => items.length === 2)
    expect(items[1]).toMatchObject({ gap: null, events: [{ summary: 'session seen started' }] })
    expect(decodeStreamCursor(items[1]?.events[0]?.cursor ?? '').feed).toBe(another)
    stop()
  })
})

describe('a cursor of another stream', () => {
  const select = [{ deviceId: globalId('Device', METER), names: ['power'] }]
  const event = encodeStreamCursor({ event: 1n })
  const readings = encodeStreamCursor({ stations: new Map() })
  const rows = encodeStreamCursor({ row: 0 })
  const events = 'subscription ($after: Cursor) { events(after: $after) { cursor } }'
  it.each([
    ['of readings, given to events', events, { after: readings }, 'a cursor of readings, not of events'],
    ['of rows, given to events', events, { after: rows }, 'a cursor of runRows, not of events'],
    ['of events, given to the latest readings', READINGS, { select, after: event }, 'a cursor of events, not of readings'],
    ['of events, given to every reading', READINGS, { select, delivery: 'EVERY', after: event }, 'a cursor of events, not of readings'],
    ['of a list, given to events', events, { after: encodeCursor(['x']) }, 'is not a cursor of this list'],
  ])('%s, is refused', async (_, query, variables, words) => {
    const { items, errors, ended } = listen(query, variables)
    await until(() => ended())
    expect(items).toEqual([])
    expect(errors).toMatchObject([{ message: expect.stringContaining(words), extensions: { code: 'BAD_USER_INPUT' } }])
  })
})
