import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../drivers/simulation/random.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import {
  BACK_WITHIN_MS,
  idOf,
  interruptedAtMs,
  kill,
  movesOf,
  type Outcome,
  type Row,
  recordingIds,
  recordingsIn,
  restingPosition,
  rowsOf,
  runOf,
  scanPlan,
  sql,
  startRun,
  tableOf,
  untilConnected,
  untilOver,
} from './lab-at-work.ts'
import { type Resuming, resumingClient } from './resuming.ts'

/** kill -9 of the station at random moments: what it recorded is there to the last whole batch, nothing moves twice, and nothing starts by itself. */

const ROUNDS = Number(process.env['SURVIVAL_ROUNDS'] ?? 2)
const SEED = Number(process.env['SURVIVAL_SEED'] ?? 1)
const INTERRUPTED_WITHIN_MS = 10_000
const POSITION_TOLERANCE_MM = 0.005 // the encoder's noise
const SLOW_MM_PER_S = 0.3 // 20 mm then take longer than any restart

const random = seededRandom(SEED)
let lab: WholeLab
let client: Resuming
let copies: string
let stationId: string

beforeAll(async () => {
  lab = await startWholeLab()
  copies = await mkdtemp(path.join(tmpdir(), 'kymograph-torn-'))
  client = resumingClient(lab.url)
  await untilConnected(lab)
  stationId = (await query<{ lab: { stations: readonly { id: string }[] } }>(lab.url, '{ lab { stations { id } } }')).lab.stations[0]?.id ?? ''
})

afterAll(async () => {
  await client?.[Symbol.asyncDispose]()
  await lab?.stop()
  await rm(copies, { recursive: true, force: true })
})

beforeEach(releaseQueue)

describe('kill -9 of the station', () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'in the middle of a scan, round %i',
    async () => {
      const known = await recordingIds(lab)
      const movesBefore = (await movesOf(lab, 1)).length
      const start = 1 + random() * 5
      const runId = await startRun(lab, scanPlan(start, start + 4, 400))
      const waiting = await startRun(lab, { count: { detectors: [{ role: 'power-meter' }], num: 2 } })
      const rows: Row[] = []
      const following = (async () => {
        for await (const batch of client.follow(rowsOf(runId), AbortSignal.timeout(BACK_WITHIN_MS))) rows.push(...batch.rows)
      })()
      await until(() => rows.length >= 2, { what: 'rows of the scan' })
      await pause(random() * 1_000)
      await kill(lab, 'station')
      const killedMs = Date.now()
      const seen = rows.length
      const torn = await recordingsIn(lab, known, copies)
      expect((await interruptedAtMs(lab, runId)) - killedMs).toBeLessThan(INTERRUPTED_WITHIN_MS)
      expect(await runOf(lab, runId)).toMatchObject({ state: 'INTERRUPTED' })

      // what was recorded
      const run = await untilOver(lab, runId)
      const [whole = 0] = torn.values()
      expect(run).toMatchObject({ state: 'INTERRUPTED', points: whole, datasets: [{ kind: 'TABLE', state: 'RECOVERED', rows: whole }] })
      await following
      expect(rows).toEqual(await tableOf(lab, runId))
      expect(rows).toHaveLength(whole)
      expect(seen).toBeLessThanOrEqual(whole)

      // what was done
      await untilConnected(lab)
      const moves = (await movesOf(lab, 1)).slice(movesBefore)
      const step = 4 / 399
      expect(moves.map((target, point) => target - (start + point * step)).every((off) => Math.abs(off) < POSITION_TOLERANCE_MM)).toBe(true) // each point once, in order
      expect(moves.length).toBeGreaterThanOrEqual(whole)
      expect(moves.length).toBeLessThanOrEqual(whole + 3) // no more than what was under way
      expect(Math.abs((await restingPosition(lab, 'stage-x')) - (moves.at(-1) ?? 0))).toBeLessThan(POSITION_TOLERANCE_MM)

      // what waits
      expect(await queueState()).toMatchObject({ held: true, reason: 'the station ended in the middle of a run' })
      expect(await runOf(lab, waiting)).toMatchObject({ state: 'QUEUED', startedAt: null })
      await releaseQueue()
      expect(await untilOver(lab, waiting)).toMatchObject({ state: 'COMPLETED', points: 2 })
      expect((await movesOf(lab, 1)).length).toBe(movesBefore + moves.length)
    },
    150_000,
  )

  it.each(Array.from({ length: Math.ceil(ROUNDS / 2) }, (_, round) => round + 1))(
    'in the middle of a recording of frames, round %i',
    async () => {
      const known = await recordingIds(lab)
      const runId = await startRun(lab, { record: { detectors: [{ role: 'camera' }], frames: 100_000 } })
      await until(async () => (await runOf(lab, runId)).points >= 2, { deadlineMs: 30_000, everyMs: 20, what: 'frames' })
      await pause(random() * 500)
      await kill(lab, 'station')
      const torn = await recordingsIn(lab, known, copies)
      const run = await untilOver(lab, runId)
      const [whole = 0] = torn.values()
      expect(whole).toBeGreaterThanOrEqual(2)
      expect(run).toMatchObject({ state: 'INTERRUPTED', points: whole, datasets: [{ kind: 'FRAMES', state: 'RECOVERED', rows: whole }] })
      const { run: shown } = await query<{ run: { datasets: readonly { frame: { sequence: number; rawUrl: string } }[] } }>(
        lab.url,
        'query ($id: ID!, $last: SafeInt!) { run(id: $id) { datasets { frame(index: $last) { sequence rawUrl } } } }',
        { id: runId, last: whole - 1 },
      )
      const pixels = await (await fetch(new URL(shown.datasets[0]?.frame.rawUrl ?? '', lab.url))).arrayBuffer()
      expect(pixels.byteLength).toBe(512 * 512 * 2)
      await untilConnected(lab)
      expect(await queueState()).toMatchObject({ held: true })
      await releaseQueue()
    },
    150_000,
  )

  it('in the middle of a move: the axis is stopped when the station is back, and a retry with the same key does not move it again', async () => {
    const deviceId = await idOf(lab, 'stage-y')
    const setVelocity = (value: number): Promise<unknown> =>
      query(lab.url, 'mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename } }', {
        input: { deviceId, name: 'velocity', value: { number: value } },
      })
    const { device } = await query<{ device: { parameter: { reading: { number: number } } } }>(
      lab.url,
      'query ($id: ID!) { device(id: $id) { parameter(name: "velocity") { reading { number } } } }',
      { id: deviceId },
    )
    await setVelocity(SLOW_MM_PER_S)
    const movesBefore = (await movesOf(lab, 2)).length
    const move = (): Promise<Outcome> =>
      query<{ move: Outcome }>(lab.url, 'mutation ($input: MoveInput!) { move(input: $input) { __typename ... on Problem { message } } }', {
        input: { deviceId, to: 20, unit: 'mm', options: { idempotencyKey: 'the one move' } },
      }).then(({ move: outcome }) => outcome)
    const first = move()
    await until(async () => (await movesOf(lab, 2)).length > movesBefore, { what: 'the move is on its way' })
    await kill(lab, 'station')
    expect((await first).__typename).toBe('StationOffline')
    await untilConnected(lab)
    expect(await move()).toEqual({ __typename: 'HardwareFault', message: expect.stringContaining('look at the device before you try again') })
    const stands = await restingPosition(lab, 'stage-y')
    expect(stands).toBeLessThan(19)
    await until(
      async () => {
        const told = await sql<{ summary: string }>(lab, 'SELECT "summary" FROM "event" WHERE "deviceId" = $1', [idIn(deviceId)])
        return told.some(({ summary }) => summary === 'stage-y was stopped, because its station had been lost')
      },
      { what: 'the feed says that it was stopped' },
    )
    expect((await movesOf(lab, 2)).slice(movesBefore)).toEqual([20])
    await setVelocity(device.parameter.reading.number)
  }, 150_000)

  it('that stays away: the run is INTERRUPTED within 10 s all the same, and the station has the last word', async () => {
    const runId = await startRun(lab, { count: { detectors: [{ role: 'power-meter' }], num: 100_000, delaySeconds: 0.05 } })
    await until(async () => (await runOf(lab, runId)).points >= 2, { deadlineMs: 30_000, everyMs: 20, what: 'points' })
    const away = new AbortController()
    await kill(lab, 'station')
    const killedMs = Date.now()
    const keptAway = keepAway(away.signal)
    expect((await interruptedAtMs(lab, runId)) - killedMs).toBeLessThan(INTERRUPTED_WITHIN_MS)
    expect(await runOf(lab, runId)).toMatchObject({ state: 'INTERRUPTED', endedAt: null, exitReason: expect.stringContaining('went away in the middle of it') })
    const { station } = await query<{ station: { online: boolean } }>(lab.url, 'query ($id: ID!) { station(id: $id) { online } }', { id: stationId })
    expect(station.online).toBe(false)
    away.abort()
    await keptAway

    const run = await untilOver(lab, runId)
    expect(run).toMatchObject({
      state: 'INTERRUPTED',
      exitReason: expect.stringContaining('points are safe'),
      datasets: [{ state: 'RECOVERED', rows: run.points }],
    })
    const events = await sql<{ summary: string }>(lab, `SELECT "summary" FROM "event" WHERE "kind" = 'RUN' ORDER BY "id" DESC LIMIT 2`)
    expect(events.map(({ summary }) => summary)).toEqual([expect.stringMatching(/interrupted after \d+ points/), expect.stringContaining('went away')])
    await untilConnected(lab)
    expect(await queueState()).toMatchObject({ held: true })
  }, 150_000)
})

/** Its supervisor starts it again and again, and each time it is killed at once. */
/** The local id in a global one. */
function idIn(globalId: string): string {
  return Buffer.from(globalId, 'base64url').toString().slice('Device:'.length)
}

async function keepAway(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { station } = await lab.processes()
    if (station !== undefined) await kill(lab, 'station').catch(() => undefined) // another one meanwhile
    await pause(20)
  }
}

async function releaseQueue(): Promise<void> {
  await query(lab.url, 'mutation ($id: ID!) { releaseQueue(stationId: $id) { __typename } }', { id: stationId })
}

async function queueState(): Promise<{ readonly held: boolean; readonly reason: string | null }> {
  const { runQueue } = await query<{ runQueue: { held: boolean; reason: string | null } }>(
    lab.url,
    'query ($id: ID!) { runQueue(stationId: $id) { held reason } }',
    { id: stationId },
  )
  return runQueue
}
