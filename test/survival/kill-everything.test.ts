import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../drivers/simulation/random.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import {
  BACK_WITHIN_MS,
  exportedFiles,
  idOf,
  killEverything,
  type Outcome,
  type Row,
  rowsOf,
  runOf,
  scanPlan,
  sql,
  startExport,
  startRun,
  tableOf,
  untilConnected,
  untilOver,
} from './lab-at-work.ts'
import { resumingClient } from './resuming.ts'

/** kill -9 of the supervisor and every process at once, at a random moment of a busy lab: what anybody was told is true after the next start. */

const ROUNDS = Math.ceil(Number(process.env['SURVIVAL_ROUNDS'] ?? 2) / 2)
const SEED = Number(process.env['SURVIVAL_SEED'] ?? 1)
const random = seededRandom(SEED)

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-everything-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

/** What people were told. */
type Acknowledged = { readonly velocities: number[]; readonly sessions: string[]; readonly rows: Row[]; readonly events: string[]; cursor: string }

describe('kill -9 of everything', () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'loses nothing that was acknowledged, round %i',
    async () => {
      await using lab = await startWholeLab({ dataDir })
      await untilConnected(lab)
      const counted = await startRun(lab, { count: { detectors: [{ role: 'power-meter' }], num: 3 } })
      const [dataset] = (await untilOver(lab, counted)).datasets
      const table = await tableOf(lab, counted)
      const jobId = await startExport(lab, dataset?.id ?? '', 'csv')
      const files = await exportedFiles(lab, jobId)

      const told: Acknowledged = { velocities: [], sessions: [], rows: [], events: [], cursor: '' }
      const dead = new AbortController()
      const scan = await startRun(lab, scanPlan(3, 6, 400))
      const waiting = await startRun(lab, { count: { detectors: [{ role: 'power-meter' }], num: 1 } })
      const busy = [
        setVelocities(lab, told, dead.signal),
        startSessions(lab, told, dead.signal),
        followRows(lab, scan, told, dead.signal),
        followEvents(lab, told, dead.signal),
      ]
      await until(() => told.rows.length >= 2 && told.velocities.length >= 2 && told.sessions.length >= 2, { what: 'a busy lab' })
      await pause(random() * 1_000)
      await killEverything(lab)
      dead.abort()
      await Promise.all(busy)

      await using next = await startWholeLab({ dataDir, env: { PORT: String(lab.port) } })
      const run = await untilOver(next, scan)
      expect(run).toMatchObject({ state: 'INTERRUPTED', datasets: [{ state: 'RECOVERED', rows: run.points }] })
      const rows = await tableOf(next, scan)
      expect(rows.slice(0, told.rows.length)).toEqual(told.rows)
      expect(rows).toHaveLength(run.points)
      await followRows(next, scan, told, AbortSignal.timeout(BACK_WITHIN_MS))
      expect(told.rows).toEqual(rows)

      expect(await tableOf(next, counted)).toEqual(table)
      expect(await exportedFiles(next, jobId)).toEqual(files)
      for (const { url, bytes, sha256 } of files) {
        const body = Buffer.from(await (await fetch(new URL(url, next.url))).arrayBuffer())
        expect([body.length, createHash('sha256').update(body).digest('hex')]).toEqual([bytes, sha256])
      }
      const { sessions } = await query<{ sessions: { edges: readonly { node: { title: string } }[] } }>(
        next.url,
        '{ sessions(first: 100) { edges { node { title } } } }',
      )
      expect(sessions.edges.map(({ node }) => node.title)).toEqual(expect.arrayContaining(told.sessions))
      const changes = await until(
        async () => {
          const known = await velocitiesIn(next)
          return told.velocities.every((velocity) => known.includes(velocity)) && known
        },
        { what: `the changes to ${told.velocities.join(', ')}`, deadlineMs: BACK_WITHIN_MS },
      )
      expect(new Set(changes).size).toBe(changes.length)
      const events = await sql<{ line: string }>(next, `SELECT "id" || ' ' || "summary" AS line FROM "event" ORDER BY "id"`)
      expect(events.map(({ line }) => line.replace(/^\d+ /, ''))).toEqual(expect.arrayContaining(told.events))

      await untilConnected(next)
      expect(await runOf(next, waiting)).toMatchObject({ state: 'QUEUED' })
      const { lab: here } = await query<{ lab: { stations: readonly { id: string }[] } }>(next.url, '{ lab { stations { id } } }')
      const stationId = here.stations[0]?.id
      const { runQueue } = await query<{ runQueue: { held: boolean } }>(next.url, 'query ($id: ID!) { runQueue(stationId: $id) { held } }', { id: stationId })
      expect(runQueue.held).toBe(true)
      await query(next.url, 'mutation ($id: ID!) { releaseQueue(stationId: $id) { __typename } }', { id: stationId })
      expect(await untilOver(next, waiting)).toMatchObject({ state: 'COMPLETED', points: 1 })
    },
    240_000,
  )
})

/** Of an axis that the scan does not hold; each value once, so that a repeat would be seen. */
async function setVelocities(lab: WholeLab, told: Acknowledged, dead: AbortSignal): Promise<void> {
  const deviceId = await idOf(lab, 'stage-y')
  for (let step = 1; !dead.aborted; step += 1) {
    const velocity = 1 + step / 64
    const answer = await query<{ setParameter: Outcome }>(lab.url, 'mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename } }', {
      input: { deviceId, name: 'velocity', value: { number: velocity }, unit: 'mm/s' },
    }).catch(() => undefined) // killed before it answered
    if (answer?.setParameter.__typename === 'CommandPayload') told.velocities.push(velocity)
    await pause(100, undefined, { signal: dead }).catch(() => undefined) // the loop ends
  }
}

async function startSessions(lab: WholeLab, told: Acknowledged, dead: AbortSignal): Promise<void> {
  for (let number = 1; !dead.aborted; number += 1) {
    const title = `session ${number}`
    const answer = await query<{ startSession: Outcome }>(lab.url, 'mutation ($title: String!) { startSession(input: { title: $title }) { __typename } }', {
      title,
    }).catch(() => undefined) // killed before it answered
    if (answer?.startSession.__typename === 'Session') told.sessions.push(title)
    await pause(100, undefined, { signal: dead }).catch(() => undefined) // the loop ends
  }
}

/** From where it was left. */
async function followRows(lab: WholeLab, runId: string, told: Acknowledged, signal: AbortSignal): Promise<void> {
  await using client = resumingClient(lab.url)
  const after = told.cursor === '' ? {} : { after: told.cursor }
  for await (const { rows, cursor } of client.follow({ ...rowsOf(runId), ...after }, signal)) {
    told.rows.push(...rows)
    told.cursor = cursor
  }
}

async function followEvents(lab: WholeLab, told: Acknowledged, signal: AbortSignal): Promise<void> {
  await using client = resumingClient(lab.url)
  type Batch = { readonly cursor: string; readonly events: readonly { readonly summary: string }[] }
  const events = client.follow<Batch>(
    { field: 'events', document: 'subscription ($after: Cursor) { events(after: $after) { cursor events { summary } } }' },
    signal,
  )
  for await (const batch of events) told.events.push(...batch.events.map(({ summary }) => summary))
}

async function velocitiesIn(lab: WholeLab): Promise<readonly number[]> {
  type Answer = { device: { parameter: { changes: { edges: readonly { node: { new: { number: number } } }[] } } } }
  const { device } = await query<Answer>(
    lab.url,
    'query ($id: ID!) { device(id: $id) { parameter(name: "velocity") { changes(first: 100) { edges { node { new { number } } } } } } }',
    { id: await idOf(lab, 'stage-y') },
  )
  return device.parameter.changes.edges.map(({ node }) => node.new.number)
}
