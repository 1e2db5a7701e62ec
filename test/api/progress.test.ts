import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeStreamCursor } from '../../api/cursor.ts'
import { until } from '../until.ts'
import { startTestLab, type TestLab } from './lab.ts'
import { listenTo, type Received } from './listen.ts'

/** Subscriptions to what goes on: runs, frames, commands, health. */

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())
const listen = <Item>(query: string, variables?: Record<string, unknown>, field?: string): Received<Item> => listenTo(lab, query, variables, field)

describe('runs', () => {
  const begin = async (): Promise<{ id: string; local: string }> => {
    const { data } = await lab.ask<{ startRun: { id: string } }>(
      'mutation { startRun(input: { plan: { count: { num: 3, detectors: [{ role: "meter" }] } } }) { ... on Run { id } } }',
    )
    return { id: data.startRun.id, local: Buffer.from(data.startRun.id, 'base64url').toString().slice('Run:'.length) }
  }
  const set = (id: string, data: Record<string, unknown>) => lab.api.services.database.prisma.run.update({ where: { id }, data })

  it('tell their state, then each change, and end when they have ended', async () => {
    const { id, local } = await begin()
    const { items, ended } = listen<{ run: { state: string; points: number } }>(
      'subscription ($id: ID!) { run(id: $id) { cursor run { state points progress } } }',
      { id },
    )
    await until(() => items.length === 1)
    await set(local, { state: 'RUNNING', points: 1 })
    await until(() => items.length === 2)
    await set(local, { state: 'COMPLETED', points: 3, endedAt: new Date() })
    await until(() => ended())
    expect(items.map(({ run }) => run)).toEqual([
      { state: 'QUEUED', points: 0, progress: 0 },
      { state: 'RUNNING', points: 1, progress: 1 / 3 },
      { state: 'COMPLETED', points: 3, progress: 1 },
    ])
  })

  it('bring their rows as they are recorded, from the first or after a cursor', async () => {
    const ROWS = 'subscription ($id: ID!, $after: Cursor) { runRows(id: $id, after: $after) { cursor gap { reason } columns { name unit } rows } }'
    const { id, local } = await begin()
    lab.station.rows = []
    const columns = [
      { name: 'power', type: 'float64', unit: 'W' },
      { name: 'time', type: 'timestamp[ns]' },
    ] as const
    const first = listen<{ cursor: string; columns: unknown; rows: unknown[][] }>(ROWS, { id })
    await set(local, { state: 'RUNNING' })
    lab.station.addRows({
      columns,
      firstRow: 0,
      rows: [
        [1.5, 1_700_000_000_123_456_789n],
        [null, null],
      ],
      ended: false,
    })
    await until(() => first.items.length === 1)
    expect(first.items[0]).toMatchObject({
      columns: [{ name: 'power', unit: 'W' }, { name: 'time' }],
      rows: [
        [1.5, '2023-11-14T22:13:20.123456789Z'],
        [null, null],
      ],
    })
    const second = listen<{ rows: unknown[][] }>(ROWS, { id, after: first.items[0]?.cursor })
    lab.station.addRows({ columns, firstRow: 2, rows: [[3, null]], ended: true })
    await until(() => first.ended() && second.ended())
    expect(first.items.flatMap(({ rows }) => rows)).toHaveLength(3)
    expect(second.items.flatMap(({ rows }) => rows)).toEqual([[3, null]])

    const other = await begin()
    const after = first.items[0]?.cursor
    for (const variables of [
      { id: other.id, after },
      { id, after: encodeStreamCursor({ event: 1n }) },
    ]) {
      const refused = listen(ROWS, variables)
      await until(() => refused.ended())
      expect(refused.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
    const { data } = await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')
    const whole = listen<{ rows: unknown[][] }>(ROWS, { id, after: data.lab.cursor })
    await until(() => whole.ended())
    expect(whole.items.flatMap(({ rows }) => rows)).toHaveLength(3)
  })
})

describe('commands and health', () => {
  it('tell the progress of a command, and that nobody knows one', async () => {
    const known = listen<{ state: string; done: boolean }>(
      'subscription { command(requestId: "known") { state done readings { reading { number } } } }',
      {},
      'command',
    )
    await until(() => known.ended())
    expect(known.items.at(-1)).toMatchObject({ state: 'DONE', done: true })
    const unknown = listen('subscription { command(requestId: "other") { state } }', {}, 'command')
    await until(() => unknown.ended())
    expect(JSON.stringify(unknown.errors)).toContain('NOT_FOUND')
  })

  it('tell how the lab is, at the interval asked for', async () => {
    const { items, stop } = listen<{ state: string; components: { name: string; state: string }[] }>(
      'subscription { health(intervalMs: 250) { state components { name state } diskFreeBytes } }',
      {},
      'health',
    )
    await until(() => items.length >= 2)
    expect(items[0]?.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['database', 'queue', 'disk', 'station fake', 'station fake: journal']))
    stop()
    const busy = listen('subscription { health(intervalMs: 1) { state } }', {}, 'health')
    await until(() => busy.ended())
    expect(JSON.stringify(busy.errors)).toContain('intervalMs')
  })
})
