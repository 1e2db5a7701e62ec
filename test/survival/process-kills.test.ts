import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localId } from '../../api/global-id.ts'
import { seededRandom } from '../../drivers/simulation/random.ts'
import { PARTIAL_FOLDER } from '../../workers/jobs/export.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import {
  BACK_WITHIN_MS,
  exportedFiles,
  idOf,
  kill,
  type Outcome,
  type Row,
  rowsOf,
  runOf,
  scanPlan,
  startExport,
  startRun,
  tableOf,
  untilConnected,
  untilOver,
} from './lab-at-work.ts'
import { type Resuming, resumingClient } from './resuming.ts'

/** kill -9 of every other process in the middle of work: the instruments' work goes on without it, or says why it ended, and everything is there afterwards. */

const SEED = Number(process.env['SURVIVAL_SEED'] ?? 1)

const random = seededRandom(SEED)
let lab: WholeLab
let client: Resuming

beforeAll(async () => {
  lab = await startWholeLab()
  client = resumingClient(lab.url)
  await untilConnected(lab)
})

afterAll(async () => {
  await client?.[Symbol.asyncDispose]()
  await lab?.stop()
})

describe('kill -9 in the middle of a run', () => {
  it.for(['api', 'database'] as const)(
    'of the %s: the run goes on, and a client that comes back has every row once',
    { timeout: 120_000 },
    async (name, { skip }) => {
      skip((await lab.processes())[name] === undefined, 'a server of its own')
      const runId = await startRun(lab, scanPlan(2, 3, 25))
      const rows: Row[] = []
      const following = (async () => {
        for await (const batch of client.follow(rowsOf(runId), AbortSignal.timeout(BACK_WITHIN_MS))) {
          expect(batch.gap).toBeNull()
          rows.push(...batch.rows)
        }
      })()
      await until(() => rows.length >= 3, { what: 'rows of the scan' })
      await pause(random() * 500)
      const { losses } = client
      await kill(lab, name)
      if (name === 'api') await until(() => client.losses > losses, { what: 'the client notices' })
      const run = await untilOver(lab, runId)
      expect(run).toMatchObject({ state: 'COMPLETED', points: 25, exitReason: null, datasets: [{ kind: 'TABLE', state: 'COMPLETE', rows: 25 }] })
      await following
      expect(rows).toHaveLength(25)
      expect(rows).toEqual(await tableOf(lab, runId))
      expect(rows.map((row) => row[1])).toEqual(Array.from({ length: 25 }, (_, row) => row + 1))
    },
  )

  it('of the database: what people set meanwhile is done and arrives in the history', async ({ skip }) => {
    skip((await lab.processes())['database'] === undefined, 'a server of its own')
    const deviceId = await idOf(lab, 'power-meter')
    await kill(lab, 'database')
    const done: number[] = []
    for (let wavelength = 601; wavelength <= 605; wavelength += 1) {
      const outcome = await setWavelength(deviceId, wavelength).catch((error: unknown) => ({ __typename: String(error) }))
      if (outcome.__typename === 'CommandPayload') done.push(wavelength)
    }
    expect(done.length).toBeGreaterThan(0)
    type Changes = { device: { parameter: { changes: { edges: readonly { node: { new: { number: number } } }[] } } } }
    await until(
      async () => {
        const { device } = await query<Changes>(
          lab.url,
          'query ($id: ID!) { device(id: $id) { parameter(name: "wavelength") { changes(first: 5) { edges { node { new { number } } } } } } }',
          { id: deviceId },
        )
        const known = device.parameter.changes.edges.map(({ node }) => node.new.number)
        return done.every((wavelength) => known.filter((one) => one === wavelength).length === 1)
      },
      { deadlineMs: BACK_WITHIN_MS, everyMs: 100, what: `the changes to ${done.join(', ')}` },
    )
  }, 120_000)

  it('of the simulated lab: the run says why it ended, the devices come back, and the next run works', async () => {
    const runId = await startRun(lab, scanPlan(2, 3, 200))
    await until(async () => (await runOf(lab, runId)).points >= 2, { deadlineMs: 30_000, everyMs: 20, what: 'points' })
    await kill(lab, 'lab')
    const run = await untilOver(lab, runId)
    expect(run).toMatchObject({
      state: 'FAILED',
      exitReason: expect.stringMatching(/stage-x|power-meter/),
      datasets: [{ state: 'COMPLETE', rows: run.points }],
    })
    await untilConnected(lab)
    expect(await untilOver(lab, await startRun(lab, scanPlan(2, 3, 3)))).toMatchObject({ state: 'COMPLETED', points: 3 })
  }, 120_000)
})

describe('kill -9 of compute in the middle of an export', () => {
  it('is done again, once, and its files are whole', async () => {
    const runId = await startRun(lab, { record: { detectors: [{ role: 'camera' }], frames: 300 } })
    const [dataset] = (await untilOver(lab, runId)).datasets
    const jobId = await killedInExport(dataset?.id ?? '')
    const files = await exportedFiles(lab, jobId)
    expect(files.length).toBeGreaterThanOrEqual(1)
    for (const { url, bytes, sha256 } of files) {
      const body = Buffer.from(await (await fetch(new URL(url, lab.url))).arrayBuffer())
      expect(body.length).toBe(bytes)
      expect(createHash('sha256').update(body).digest('hex')).toBe(sha256)
    }
  }, 180_000)
})

/** The id of an export whose worker was killed while it wrote: what it has written is left there. One that was too fast for us is no such export. */
async function killedInExport(datasetId: string): Promise<string> {
  for (;;) {
    const jobId = await startExport(lab, datasetId, 'arrow')
    const partial = path.join(lab.dataDir, PARTIAL_FOLDER, localId('Job', jobId))
    const isOver = async (): Promise<boolean> => {
      const { job } = await query<{ job: { state: string } }>(lab.url, 'query ($id: ID!) { job(id: $id) { state } }', { id: jobId })
      return job.state === 'COMPLETED'
    }
    await until(async () => (await bytesBelow(partial)) > 0 || (await isOver()), { everyMs: 1, what: 'an export' })
    await kill(lab, 'compute')
    if (existsSync(partial)) return jobId
  }
}

async function bytesBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []) // not there yet, or gone
  const sizes = names.map((name) => stat(path.join(folder, name)).then((found) => (found.isFile() ? found.size : 0)))
  const found = await Promise.allSettled(sizes)
  return found.reduce((sum, size) => sum + (size.status === 'fulfilled' ? size.value : 0), 0)
}

async function setWavelength(deviceId: string, wavelength: number): Promise<Outcome> {
  const { setParameter } = await query<{ setParameter: Outcome }>(
    lab.url,
    'mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename ... on Problem { message } } }',
    { input: { deviceId, name: 'wavelength', value: { number: wavelength }, unit: 'nm' } },
  )
  return setParameter
}
