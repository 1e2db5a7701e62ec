import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { query } from '../test/harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../test/harness/lab.ts'
import {
  exportedFiles,
  kill,
  killEverything,
  type Outcome,
  runOf,
  scanPlan,
  startExport,
  startRun,
  untilConnected,
  untilOver,
} from '../test/survival/lab-at-work.ts'
import { until } from '../test/until.ts'
import { median, say } from './report.ts'

/**
 * How long a lab is not what it was after kill -9 of one process, or of all of them: from the kill until GraphQL answers from the database, until every
 * device has answered a command, until a run that is asked for anew is completed (its queue released by the bench where it is held), and until an export is.
 * The station, the lab and everything die in the middle of a scan. `npm run bench:recovery` (after `node start.mjs --prepare`); RECOVERY_ROUNDS, default 3.
 */
const ROUNDS = Number(process.env['RECOVERY_ROUNDS'] ?? 3)
const DEADLINE_MS = 120_000
const LOOK_EVERY_MS = 10 // the resolution of the figures
const KILLS = ['api', 'station', 'database', 'compute', 'lab', 'graph', 'everything'] as const
const IN_A_SCAN: ReadonlySet<string> = new Set(['station', 'lab', 'everything'])
const COLUMNS = ['GraphQL', 'devices', 'run', 'export'] as const
type Times = Readonly<Record<(typeof COLUMNS)[number], number>>

const dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-recovery-'))
try {
  let lab = await startWholeLab({ dataDir })
  try {
    const { backends } = (await query<{ lab: { backends: readonly { role: string; kind: string }[] } }>(lab.url, '{ lab { backends { role kind } } }')).lab
    say(`median of ${ROUNDS}, from kill -9 until it works again, in s; on ${backends.map(({ kind }) => kind).join(', ')}`)
    say(['', ...COLUMNS].map((name) => name.padEnd(12)).join(''))
    for (const victim of KILLS) {
      const rounds: Times[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        if (victim !== 'everything' && (await lab.processes())[victim] === undefined) break // a server of its own stands there
        const dataset = await atRest(lab)
        if (IN_A_SCAN.has(victim)) await scanUnderWay(lab)
        const killedMs = performance.now()
        if (victim === 'everything') lab = await killAndStart(lab)
        else await kill(lab, victim)
        rounds.push(await recovered(lab, dataset, killedMs))
      }
      if (rounds.length > 0)
        say([victim, ...COLUMNS.map((column) => median(rounds.map((times) => times[column] / 1000)).toFixed(2))].map((cell) => cell.padEnd(12)).join(''))
    }
  } finally {
    await lab.stop()
  }
} finally {
  await rm(dataDir, { recursive: true, force: true })
}

/** Every device is there, nothing runs, and every process has served long enough to be started again at once. The id of a dataset of one row. */
async function atRest(lab: WholeLab): Promise<string> {
  await untilConnected(lab)
  const run = await completedRun(lab)
  await exportedFiles(lab, await startExport(lab, run, 'csv'))
  return run
}

async function scanUnderWay(lab: WholeLab): Promise<void> {
  const runId = await startRun(lab, scanPlan(2, 6, 400))
  await until(async () => (await runOf(lab, runId)).points >= 2, { deadlineMs: DEADLINE_MS, everyMs: LOOK_EVERY_MS, what: 'points of the scan' })
}

async function killAndStart(lab: WholeLab): Promise<WholeLab> {
  await killEverything(lab)
  return startWholeLab({ dataDir, env: { PORT: String(lab.port) } })
}

async function recovered(lab: WholeLab, dataset: string, killedMs: number): Promise<Times> {
  const after = async (works: () => Promise<unknown>): Promise<number> => {
    await until(async () => (await works()) !== false, { deadlineMs: DEADLINE_MS, everyMs: LOOK_EVERY_MS })
    return performance.now() - killedMs
  }
  const [answers, devices, run, exported] = await Promise.all([
    after(() => query(lab.url, '{ sessions(first: 1) { edges { node { id } } } }')),
    after(() => everyDeviceAnswers(lab)),
    after(() => completedRun(lab)),
    after(async () => exportedFiles(lab, await startExport(lab, dataset, 'csv'))),
  ])
  return { GraphQL: answers, devices, run, export: exported }
}

async function everyDeviceAnswers(lab: WholeLab): Promise<boolean> {
  const { devices } = await query<{ devices: { edges: readonly { node: { id: string } }[] } }>(lab.url, '{ devices { edges { node { id } } } }')
  const outcomes = await Promise.all(
    devices.edges.map(({ node: { id } }) =>
      query<{ refreshParameters: Outcome }>(lab.url, 'mutation ($id: ID!) { refreshParameters(deviceId: $id) { __typename } }', { id }),
    ),
  )
  return outcomes.length > 0 && outcomes.every(({ refreshParameters }) => refreshParameters.__typename === 'CommandPayload')
}

/** Its dataset's id. Throws when it did not complete: another one is tried. */
async function completedRun(lab: WholeLab): Promise<string> {
  const runId = await startRun(lab, { count: { detectors: [{ role: 'power-meter' }], num: 1 } })
  const releasing = new AbortController()
  const released = release(lab, releasing.signal)
  try {
    const run = await untilOver(lab, runId)
    const [dataset] = run.datasets
    if (run.state !== 'COMPLETED' || dataset === undefined) throw new Error(`the run is ${run.state}: ${run.exitReason}`)
    return dataset.id
  } finally {
    releasing.abort()
    await released
  }
}

/** A person who lets the queue go on as soon as it is held. */
async function release(lab: WholeLab, signal: AbortSignal): Promise<void> {
  type Station = { readonly id: string }
  const { stations } = await query<{ stations: { edges: readonly { node: Station }[] } }>(lab.url, '{ stations { edges { node { id } } } }')
  const id = stations.edges[0]?.node.id
  await until(
    async () => {
      if (signal.aborted) return true
      const { runQueue } = await query<{ runQueue: { held: boolean } }>(lab.url, 'query ($id: ID!) { runQueue(stationId: $id) { held } }', { id })
      if (runQueue.held) await query(lab.url, 'mutation ($id: ID!) { releaseQueue(stationId: $id) { __typename } }', { id })
      return false
    },
    { deadlineMs: DEADLINE_MS, everyMs: 50, what: 'the run to be over' },
  )
}
