import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { appendEvents } from '../../prisma/events.ts'
import { until } from '../until.ts'
import { startTestLab, type TestLab } from './lab.ts'

const FILLER = 'x'.repeat(500_000)
const EVENTS = 60 // 30 MB: more than a socket and a client's queue hold

type Gap = { readonly from: string; readonly to: string; readonly reason: string }
type Batch = { readonly cursor: string; readonly gap: Gap | null; readonly events: readonly { readonly summary: string }[] }
type Message = { readonly type: string; readonly payload?: { readonly data?: { readonly events: Batch } } }

/** The embedded database takes a minute and more for so many bytes; the rule is the same on both. */
const onServer = process.env['TEST_PROFILE'] === 'services'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())

/** Speaks graphql-transport-ws by hand, so that it can stop to read. */
async function follow(after: string): Promise<{ readonly socket: WebSocket; readonly batches: Batch[]; readonly isComplete: () => boolean }> {
  const socket = new WebSocket(`${lab.api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const batches: Batch[] = []
  const types: string[] = []
  socket.on('message', (data: Buffer) => {
    const { type, payload } = JSON.parse(data.toString()) as Message
    types.push(type)
    if (payload?.data !== undefined) batches.push(payload.data.events)
  })
  await new Promise((resolve) => socket.on('open', resolve))
  socket.send(JSON.stringify({ type: 'connection_init' }))
  await until(() => types.includes('connection_ack'))
  const query = 'subscription ($after: Cursor) { events(after: $after) { cursor gap { from to reason } events { summary data } } }'
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { after } } }))
  return { socket, batches, isComplete: () => types.includes('complete') }
}

it.skipIf(!onServer)(
  '(on a database server only) a client that stops reading is told where the feed broke off, and goes on from there without a hole',
  { timeout: 200_000 },
  async () => {
    const { prisma } = lab.api.services.database
    const { data } = await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')
    const stalled = await follow(data.lab.cursor)
    stalled.socket.pause()
    for (let number = 1; number <= EVENTS; number += 1)
      await appendEvents(prisma, [{ time: BigInt(number), kind: 'AUDIT', summary: `event ${number}`, data: { filler: FILLER } }])
    const last = (await lab.ask<{ lab: { cursor: string } }>('{ lab { cursor } }')).data.lab.cursor
    expect(last).not.toBe(data.lab.cursor)
    stalled.socket.resume()
    await until(stalled.isComplete, { deadlineMs: 60_000, what: 'the end of the subscription' })
    stalled.socket.close()

    const delivered = stalled.batches.slice(0, -1)
    const gap = stalled.batches.at(-1)?.gap
    expect(delivered.every((batch) => batch.gap === null)).toBe(true)
    expect(gap).toMatchObject({ from: delivered.at(-1)?.cursor ?? data.lab.cursor, reason: expect.stringContaining('did not keep up') })

    const again = await follow(gap?.from ?? '')
    const summaries = () => [...delivered, ...again.batches].flatMap(({ events }) => events.map(({ summary }) => summary))
    await until(() => summaries().length >= EVENTS, { deadlineMs: 60_000, what: 'the rest of the feed' })
    expect(summaries()).toEqual(Array.from({ length: EVENTS }, (_, at) => `event ${at + 1}`))
    expect(again.batches.every((batch) => batch.gap === null)).toBe(true)
    again.socket.close()
  },
)
