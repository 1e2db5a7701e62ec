import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeStreamCursor } from '../../api/cursor.ts'
import { parseRfc3339 } from '../../core/time.ts'
import { seededRandom } from '../../drivers/simulation/random.ts'
import type { ReadingsPosition } from '../../link/protocol.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { type Severable, severable } from '../harness/severable.ts'
import { until } from '../until.ts'
import { kill } from './lab-at-work.ts'
import { followPublished, type Published, type PublishedReading } from './published.ts'
import { type Resuming, resumingClient, type Subscription } from './resuming.ts'

/** Clients that are cut off again and again have the same record as one that never was: of events to the last one, of readings but for what they are told. */

const CUTS = Number(process.env['SURVIVAL_CUTS'] ?? 100)
const LONGEST_BETWEEN_CUTS_MS = 150
const SEED = Number(process.env['SURVIVAL_SEED'] ?? 1)
const FOLLOWED = ['power-meter.power', 'power-meter.wavelength', 'stage-x.position', 'stage-x.moving', 'saw.cutting_speed_target']

type EventBatch = { readonly cursor: string; readonly gap: Gap | null; readonly events: readonly { readonly cursor: string; readonly summary: string }[] }
type Gap = { readonly from: string | null; readonly to: string; readonly reason: string }
type ReadingBatch = { readonly cursor: string; readonly gap: Gap | null; readonly snapshot: boolean; readonly series: readonly Series[] }
type Series = {
  readonly parameterId: string
  readonly start: string
  readonly offsetsMs: readonly number[]
  readonly numbers: readonly (number | null)[] | null
  readonly booleans: readonly (boolean | null)[] | null
  readonly qualities: readonly string[]
}

const EVENTS: Subscription<EventBatch> = {
  field: 'events',
  document: 'subscription ($after: Cursor) { events(after: $after) { cursor gap { from to reason } events { cursor summary } } }',
}
const READINGS: Subscription<ReadingBatch> = {
  field: 'readings',
  document: `subscription ($after: Cursor, $select: [ParameterSelector!]!) { readings(select: $select, delivery: EVERY, after: $after) {
    cursor snapshot gap { from to reason } series { parameterId start offsetsMs numbers booleans qualities } } }`,
}

let lab: WholeLab
let database: pg.Client
let published: Published
let stationId: string
let deviceIds: ReadonlyMap<string, string>
let nameOf: ReadonlyMap<string, string>
let select: readonly { readonly deviceId: string; readonly names: readonly string[] }[]

beforeAll(async () => {
  lab = await startWholeLab()
  database = new pg.Client(lab.databaseUrl)
  database.on('error', () => undefined)
  await database.connect()
  type Device = {
    readonly id: string
    readonly name: string
    readonly connection: string
    readonly parameters: readonly { readonly id: string; readonly name: string }[]
  }
  const devices = await until(
    async () => {
      const answer = await query<{ devices: { edges: readonly { node: Device }[] } }>(
        lab.url,
        '{ devices { edges { node { id name connection parameters { id name } } } } }',
      )
      const nodes = answer.devices.edges.map(({ node }) => node)
      return nodes.every(({ connection }) => connection === 'CONNECTED') && nodes
    },
    { deadlineMs: 90_000, what: 'every device is connected' },
  )
  deviceIds = new Map(devices.map(({ name, id }) => [name, id]))
  nameOf = new Map(devices.flatMap(({ name: device, parameters }) => parameters.map(({ id, name }) => [id, `${device}.${name}`] as const)))
  expect([...nameOf.values()]).toEqual(expect.arrayContaining(FOLLOWED))
  select = FOLLOWED.map((parameter) => {
    const [device = '', name = ''] = parameter.split('.')
    return { deviceId: idOf(device), names: [name] }
  })
  const { rows } = await database.query<{ id: string; linkAddress: string }>('SELECT "id", "linkAddress" FROM "station"')
  const [station] = rows
  if (station === undefined) throw new Error('no station is registered')
  stationId = station.id
  published = await followPublished(lab.dataDir, station)
})

afterAll(async () => {
  await published?.[Symbol.asyncDispose]()
  await database?.end()
  await lab?.stop()
})

describe('one resumable feed', () => {
  it(`is whole for a client that is cut off ${CUTS} times, over a restart of the api and one of the station`, async () => {
    await using way = await severable(lab.url)
    await using client = resumingClient(way.url.replace(/\/$/, ''))
    await using work = beBusy(SEED)
    const after = await presentCursor()
    const stop = new AbortController()
    const events = record(client, { ...EVENTS, after }, stop.signal)
    const readings = record(client, { ...READINGS, variables: { select }, after }, stop.signal)
    try {
      await cutAgainAndAgain(way, client)
      await until(() => readings.batches.some(({ gap }) => gap !== null) && lastOf(readings).epoch === published.at.epoch, {
        deadlineMs: 30_000,
        what: 'the readings of the restarted station',
      })
      await until(() => work.accepted > 10, { what: 'work between and after the cuts' })
      await work.done()
      await until(async () => eventId(events.batches.at(-1)?.cursor) === (await lastEventId()), { what: 'the last event' })
      const end = published.at
      await until(() => lastOf(readings).position >= end.position, { what: 'the last reading' })
    } finally {
      stop.abort()
      await Promise.all([events.ended, readings.ended])
    }
    expect(client.losses).toBeGreaterThanOrEqual(CUTS / 2) // a cut may come while it connects again

    expect(events.batches.filter(({ gap }) => gap !== null)).toEqual([])
    const seen = events.batches.flatMap((batch) => batch.events.map(({ cursor, summary }) => `${eventId(cursor)} ${summary}`))
    expect(seen).toEqual(await eventTable(eventId(after), eventId(events.batches.at(-1)?.cursor)))
    expect(seen.length).toBeGreaterThanOrEqual(work.accepted)
    expectWhole(readings.batches, after)
    // Who is cut off between the gap and the snapshot after it is told of the gap again.
    expect(new Set(readings.batches.flatMap(({ gap }) => gap?.from ?? [])).size).toBe(1)
  }, 300_000)

  it('misses nothing between a query and the subscription after its cursor', async () => {
    await using client = resumingClient(lab.url)
    await using _work = beBusy(SEED + 1)
    for (let round = 0; round < 5; round += 1) {
      type Answer = {
        readonly lab: { readonly cursor: string }
        readonly sessions: { readonly edges: readonly { readonly node: { readonly title: string } }[] }
      }
      const { lab: here, sessions } = await query<Answer>(lab.url, '{ lab { cursor } sessions(first: 100) { edges { node { title } } } }')
      const known = new Set(sessions.edges.map(({ node }) => node.title))
      await startSession(`between ${round}`)
      await pause(round * 40) // nobody subscribes at once
      const stop = new AbortController()
      const events = record(client, { ...EVENTS, after: here.cursor }, stop.signal)
      const readings = record(client, { ...READINGS, variables: { select }, after: here.cursor }, stop.signal)
      await startSession(`last ${round}`)
      await until(() => events.batches.some((batch) => batch.events.some(({ summary }) => summary.includes(`last ${round}`))), { what: 'the last event' })
      const end = published.at
      await until(() => lastOf(readings).position >= end.position, { what: 'the readings so far' })
      stop.abort()
      await Promise.all([events.ended, readings.ended])
      const told = events.batches.flatMap((batch) => batch.events)
      const upTo = eventId(events.batches.at(-1)?.cursor)
      const missed = (await newestSessions(upTo)).filter((title) => !known.has(title) && !told.some(({ summary }) => summary === `session ${title} started`))
      expect(missed).toEqual([])
      expect(told.map(({ cursor, summary }) => `${eventId(cursor)} ${summary}`)).toEqual(await eventTable(eventId(here.cursor), upTo))
      expect(upTo).toBe(eventId(told.at(-1)?.cursor))
      expect(readings.batches.filter(({ gap, snapshot }) => gap !== null || snapshot)).toEqual([])
      expectWhole(readings.batches, here.cursor)
    }
  }, 120_000)
})

async function cutAgainAndAgain(way: Severable, client: Resuming): Promise<void> {
  const random = seededRandom(SEED)
  for (let cut = 1; cut <= CUTS; cut += 1) {
    await pause(random() * LONGEST_BETWEEN_CUTS_MS)
    await way.cut()
    await way.mend()
    if (cut === Math.ceil(CUTS / 3)) await killAndAwait('api', client)
    if (cut === Math.ceil((2 * CUTS) / 3)) await killAndAwait('station', client)
  }
}

/** With cuts going on while it starts again. */
async function killAndAwait(name: 'api' | 'station', client: Resuming): Promise<void> {
  const { losses } = client
  await kill(lab, name)
  await until(async () => (await lab.processes())[name] !== undefined, { what: `another ${name}` })
  if (name === 'api') await until(() => client.losses > losses, { what: 'the client notices' })
}

type Recorded<Batch> = { readonly batches: readonly Batch[]; readonly ended: Promise<void> }

function record<Batch extends { readonly cursor: string }>(client: Resuming, subscription: Subscription<Batch>, signal: AbortSignal): Recorded<Batch> {
  const batches: Batch[] = []
  const ended = (async () => {
    for await (const batch of client.follow(subscription, signal)) batches.push(batch)
  })()
  ended.catch(() => undefined) // whoever waits for it is told
  return { batches, ended }
}

/** Nothing twice and nothing missing up to a gap, and from its end on; what follows the gap first is the present. */
function expectWhole(batches: readonly ReadingBatch[], after: string): void {
  let from = positionIn(after)
  let stretch: ReadingBatch[] = []
  const stretches: { from: ReadingsPosition; to: ReadingsPosition; batches: ReadingBatch[] }[] = []
  for (const batch of batches) {
    if (batch.gap === null) {
      stretch.push(batch)
      continue
    }
    if (stretch.length > 0 || stretches.length === 0) stretches.push({ from, to: positionIn(batch.gap.from), batches: stretch })
    from = positionIn(batch.gap.to)
    stretch = []
  }
  stretches.push({ from, to: positionIn(batches.at(-1)?.cursor), batches: stretch })
  const all = published.readings
  for (const [index, { from: begin, to, batches: delivered }] of stretches.entries()) {
    const live = delivered.filter(({ snapshot }) => !snapshot)
    expect(delivered.length - live.length).toBe(index === 0 ? 0 : 1)
    const expected = all.filter(
      ({ epoch, position, parameter }) => epoch === begin.epoch && position > begin.position && position <= to.position && FOLLOWED.includes(parameter),
    )
    expect(to.epoch).toBe(begin.epoch)
    const seen = live.flatMap(({ series }) => series.flatMap(readingsOf))
    for (const parameter of FOLLOWED)
      expect(
        seen.filter((reading) => reading.startsWith(`${parameter} `)),
        `stretch ${index}, ${JSON.stringify(begin, bigints)} to ${JSON.stringify(to, bigints)}`,
      ).toEqual(expected.filter((reading) => reading.parameter === parameter).map(lineOf))
  }
}

const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

function readingsOf({ parameterId, start, offsetsMs, numbers, booleans, qualities }: Series): string[] {
  const begin = parseRfc3339(start) ?? 0n
  return offsetsMs.map((offset, at) => {
    const value = numbers?.[at] ?? booleans?.[at] ?? undefined
    return `${nameOf.get(parameterId)} ${begin + BigInt(Math.round(offset * 1e6))} ${qualities[at]} ${value}`
  })
}

function lineOf({ parameter, time, quality, value }: PublishedReading): string {
  return `${parameter} ${time} ${quality} ${String(value)}`
}

function positionIn(cursor: string | null | undefined): ReadingsPosition {
  const position = cursor == null ? undefined : decodeStreamCursor(cursor).stations?.get(stationId)
  if (position === undefined) throw new Error(`the cursor ${cursor} says nothing of the station`)
  return position
}

function lastOf({ batches }: Recorded<ReadingBatch>): ReadingsPosition {
  const last = batches.at(-1)
  return last === undefined ? { epoch: 0, position: 0 } : positionIn(last.cursor)
}

function eventId(cursor: string | undefined): bigint {
  return (cursor === undefined ? undefined : decodeStreamCursor(cursor).event) ?? 0n
}

async function lastEventId(): Promise<bigint> {
  const { rows } = await database.query<{ id: string }>('SELECT max("id")::text AS id FROM "event"')
  return BigInt(rows[0]?.id ?? 0)
}

async function eventTable(after: bigint, upTo: bigint): Promise<string[]> {
  const { rows } = await database.query<{ line: string }>(
    'SELECT "id" || \' \' || "summary" AS line FROM "event" WHERE "id" > $1 AND "id" <= $2 ORDER BY "id"',
    [after.toString(), upTo.toString()],
  )
  return rows.map(({ line }) => line)
}

/** As the events up to that one tell them; fewer than a page of sessions. */
async function newestSessions(upTo: bigint): Promise<string[]> {
  const { rows } = await database.query<{ summary: string }>(
    `SELECT "summary" FROM "event" WHERE "kind" = 'SESSION' AND "id" <= $1 ORDER BY "id" DESC LIMIT 50`,
    [upTo.toString()],
  )
  return rows.map(({ summary }) => summary.replace(/^session (.*) started$/, '$1'))
}

async function presentCursor(): Promise<string> {
  return (await query<{ lab: { cursor: string } }>(lab.url, '{ lab { cursor } }')).lab.cursor
}

async function startSession(title: string): Promise<void> {
  await query(lab.url, 'mutation ($title: String!) { startSession(input: { title: $title }) { __typename ... on Problem { message } } }', { title })
}

function idOf(device: string): string {
  const id = deviceIds.get(device)
  if (id === undefined) throw new Error(`no device ${device}`)
  return id
}

type Work = AsyncDisposable & { readonly accepted: number /** Ends it, with nothing under way. */; done(): Promise<void> }

/** People at work: values are set, an axis moves, sessions begin. What is refused because a process is away is tried no more. */
function beBusy(seed: number): Work {
  const random = seededRandom(seed)
  const stop = new AbortController()
  let accepted = 0
  const jobs = [
    () =>
      query<{ done: { __typename: string } }>(lab.url, 'mutation ($input: SetParameterInput!) { done: setParameter(input: $input) { __typename } }', {
        input: { deviceId: idOf('power-meter'), name: 'wavelength', value: { number: 500 + Math.floor(random() * 400) }, unit: 'nm' },
      }),
    () =>
      query<{ done: { __typename: string } }>(lab.url, 'mutation ($input: MoveInput!) { done: move(input: $input) { __typename } }', {
        input: { deviceId: idOf('stage-x'), to: 1 + random() * 2, unit: 'mm' },
      }),
    () => startSession(`session ${Math.floor(random() * 1e6)}`).then(() => ({ done: { __typename: 'Session' } })),
  ]
  const working = Promise.all(
    jobs.map(async (job) => {
      while (!stop.signal.aborted) {
        const outcome = await job().catch(() => undefined) // the api is away
        if (outcome !== undefined && !/Offline|Problem/.test(outcome.done.__typename)) accepted += 1
        await pause(50 + random() * 100, undefined, { signal: stop.signal }).catch(() => undefined) // the loop ends
      }
    }),
  )
  const done = async (): Promise<void> => {
    stop.abort()
    await working
  }
  return {
    get accepted() {
      return accepted
    },
    done,
    [Symbol.asyncDispose]: done,
  }
}
