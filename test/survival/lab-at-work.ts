import { cpSync, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { Message } from 'apache-arrow/ipc/metadata/message'
import pg from 'pg'
import { localId } from '../../api/global-id.ts'
import { NS_PER_MS } from '../../core/time.ts'
import { SIMULATED_DEVICES } from '../../local/lab/devices.ts'
import { query } from '../harness/graphql.ts'
import { processesOf, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import type { Subscription } from './resuming.ts'

/** What a test of survival does with a whole lab: kills its processes, starts runs, and looks where the truth is: in rows, files and the simulators' logs. */

export type ProcessName = 'database' | 'graph' | 'lab' | 'station' | 'compute' | 'api'
export type DeviceNow = {
  readonly id: string
  readonly name: string
  readonly connection: string
  readonly motion: { readonly moving: boolean | null; readonly position: { readonly number: number | null; readonly quality: string } | null } | null
}
export type RunNow = {
  readonly state: string
  readonly points: number
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly exitReason: string | null
  readonly datasets: readonly { readonly id: string; readonly kind: string; readonly state: string; readonly rows: number }[]
}
export type Outcome = { readonly __typename: string; readonly message?: string }

/** Under the load of other tests a process may take long to come back; a lab at rest needs a second. */
export const BACK_WITHIN_MS = 60_000

/** SIGKILL, and waits until its supervisor has buried it: not one of its threads writes any more. */
export async function kill(lab: WholeLab, name: ProcessName): Promise<void> {
  const { [name]: pid } = await lab.processes()
  if (pid === undefined) throw new Error(`there is no process ${name}`)
  process.kill(pid, 'SIGKILL')
  await until(() => !existsSync(`/proc/${pid}`), { everyMs: 1, what: `the death of ${name}` })
}

/** The supervisor and every process of the lab at the same moment. */
export async function killEverything(lab: WholeLab): Promise<void> {
  const { pid } = lab.supervisor
  if (pid === undefined) throw new Error('the lab was never started')
  process.kill(-pid, 'SIGKILL') // its group
  await until(async () => (await processesOf(lab.dataDir)).length === 0, { everyMs: 1, what: 'the death of everything' })
}

export async function devicesOf(lab: WholeLab): Promise<readonly DeviceNow[]> {
  const { devices } = await query<{ devices: { edges: readonly { node: DeviceNow }[] } }>(
    lab.url,
    '{ devices { edges { node { id name connection motion { moving position { number quality } } } } } }',
  )
  return devices.edges.map(({ node }) => node)
}

export function untilConnected(lab: WholeLab): Promise<readonly DeviceNow[]> {
  return until(
    async () => {
      const devices = await devicesOf(lab)
      return devices.length === SIMULATED_DEVICES.length && devices.every(({ connection }) => connection === 'CONNECTED') && devices
    },
    { deadlineMs: BACK_WITHIN_MS, everyMs: 50, what: 'every device is connected' },
  )
}

export async function idOf(lab: WholeLab, name: string): Promise<string> {
  const device = (await devicesOf(lab)).find((one) => one.name === name)
  if (device === undefined) throw new Error(`no device ${name}`)
  return device.id
}

/** Where an axis stands, once it does. */
export function restingPosition(lab: WholeLab, name: string): Promise<number> {
  return until(
    async () => {
      const motion = (await devicesOf(lab)).find((device) => device.name === name)?.motion
      const { number, quality } = motion?.position ?? {}
      return motion?.moving === false && quality === 'GOOD' && typeof number === 'number' && Math.max(number, Number.MIN_VALUE)
    },
    { deadlineMs: 30_000, everyMs: 100, what: `${name} stands` },
  )
}

/** Its id. */
export async function startRun(lab: WholeLab, plan: object): Promise<string> {
  const { startRun } = await query<{ startRun: Outcome & { readonly id: string } }>(
    lab.url,
    'mutation ($input: RunInput!) { startRun(input: $input) { __typename ... on Run { id } ... on Problem { message } } }',
    { input: { plan } },
  )
  if (startRun.__typename !== 'Run') throw new Error(`${startRun.__typename}: ${startRun.message}`)
  return startRun.id
}

/** Of one stage in small steps, so that there are many points soon. */
export function scanPlan(start: number, stop: number, num: number): object {
  return { linearScan: { axes: [{ role: 'stage-x', start, stop, unit: 'mm' }], num, detectors: [{ role: 'power-meter' }] } }
}

export async function runOf(lab: WholeLab, id: string): Promise<RunNow> {
  const { run } = await query<{ run: RunNow }>(
    lab.url,
    'query ($id: ID!) { run(id: $id) { state points startedAt endedAt exitReason datasets { id kind state rows } } }',
    { id },
  )
  return run
}

/** By the word of its station, with its datasets closed. */
export function untilOver(lab: WholeLab, id: string): Promise<RunNow> {
  return until(
    async () => {
      const run = await runOf(lab, id)
      return run.endedAt !== null && run.datasets.every(({ state }) => state !== 'RECORDING') && run
    },
    { deadlineMs: BACK_WITHIN_MS, everyMs: 50, what: 'the end of the run' },
  )
}

/** When the run became INTERRUPTED by the clock of who said so, ms since 1970: a busy machine lets us see it late. */
export function interruptedAtMs(lab: WholeLab, id: string): Promise<number> {
  return until(
    async () => {
      const [first] = await sql<{ time: string }>(
        lab,
        `SELECT "time"::text FROM "event" WHERE "runId" = $1 AND "data"->>'state' = 'INTERRUPTED' ORDER BY "id" LIMIT 1`,
        [localId('Run', id)],
      )
      return first !== undefined && Number(BigInt(first.time) / NS_PER_MS)
    },
    { deadlineMs: BACK_WITHIN_MS, everyMs: 50, what: 'INTERRUPTED' },
  )
}

type RowBatch = { readonly cursor: string; readonly gap: object | null; readonly columns: readonly { readonly name: string }[]; readonly rows: readonly Row[] }
export type Row = readonly (number | string | boolean | null)[]

export function rowsOf(id: string): Subscription<RowBatch> {
  return {
    field: 'runRows',
    document: 'subscription ($id: ID!, $after: Cursor) { runRows(id: $id, after: $after) { cursor gap { reason } columns { name } rows } }',
    variables: { id },
    ends: true,
  }
}

/** The whole table as a query gives it. */
export async function tableOf(lab: WholeLab, runId: string): Promise<readonly Row[]> {
  const { run } = await query<{ run: { datasets: readonly { kind: string; table: { rows: readonly Row[]; truncated: boolean } | null }[] } }>(
    lab.url,
    'query ($id: ID!) { run(id: $id) { datasets { kind table(first: 1000) { rows truncated } } } }',
    { id: runId },
  )
  const table = run.datasets.find(({ kind }) => kind === 'TABLE')?.table
  if (table == null || table.truncated) throw new Error('the run has no table that fits')
  return table.rows
}

/** Targets of the moves that the simulated controller has accepted for an axis, in order. */
export async function movesOf(lab: WholeLab, axis: number): Promise<readonly number[]> {
  const log = await readFile(path.join(lab.dataDir, 'lab', 'esp300.log'), 'utf8').catch(() => '')
  return [...log.matchAll(new RegExp(`^\\S+ ${axis}PA([-+.\\dE]+)$`, 'gm'))].map(([, target]) => Number(target))
}

export async function sql<Row extends object>(lab: WholeLab, text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
  const client = new pg.Client(lab.databaseUrl)
  await client.connect()
  try {
    return (await client.query<Row & pg.QueryResultRow>(text, [...parameters])).rows
  } finally {
    await client.end()
  }
}

/** Whole record batches' rows in each recording that is not in `known`, as the files are at this moment. By the name of its folder: the dataset's id. */
export async function recordingsIn(lab: WholeLab, known: ReadonlySet<string>, copyTo: string): Promise<ReadonlyMap<string, number>> {
  const found = (await recordingFolders(lab)).filter((folder) => !known.has(path.basename(folder)))
  for (const folder of found) cpSync(folder, path.join(copyTo, path.basename(folder)), { recursive: true }) // soon: the next life of the station cuts it
  const rows = new Map<string, number>()
  for (const id of found.map((folder) => path.basename(folder)))
    for (const name of (await readdir(path.join(copyTo, id))).filter((file) => file.endsWith('.arrow')))
      rows.set(id, wholeRows(await readFile(path.join(copyTo, id, name))))
  return rows
}

export async function recordingIds(lab: WholeLab): Promise<ReadonlySet<string>> {
  return new Set((await recordingFolders(lab)).map((folder) => path.basename(folder)))
}

async function recordingFolders(lab: WholeLab): Promise<string[]> {
  const root = path.join(lab.dataDir, 'datasets')
  if (!existsSync(root)) return []
  return (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.arrow')).map((file) => path.join(root, path.dirname(file)))
}

/** By the Arrow format alone: what is wholly there, message by message from the front. */
function wholeRows(bytes: Buffer): number {
  let rows = 0
  for (let at = 0; at + 8 <= bytes.length && bytes.readUInt32LE(at) === 0xffffffff; ) {
    const metadataBytes = bytes.readUInt32LE(at + 4)
    const body = at + 8 + metadataBytes
    if (metadataBytes === 0 || body > bytes.length) break
    const message = Message.decode(bytes.subarray(at + 8, body))
    at = body + message.bodyLength
    if (at > bytes.length) break
    if (message.isRecordBatch()) rows += message.header().length
  }
  return rows
}

export type ExportedFile = { readonly name: string; readonly url: string; readonly bytes: number; readonly sha256: string }

/** The id of its job. */
export async function startExport(lab: WholeLab, datasetId: string, format: string): Promise<string> {
  const { requestExport } = await query<{ requestExport: Outcome & { readonly id: string } }>(
    lab.url,
    'mutation ($input: ExportInput!) { requestExport(input: $input) { __typename ... on Job { id } ... on Problem { message } } }',
    { input: { datasetIds: [datasetId], format } },
  )
  if (requestExport.__typename !== 'Job') throw new Error(`${requestExport.__typename}: ${requestExport.message}`)
  return requestExport.id
}

/** Once it is COMPLETED. */
export async function exportedFiles(lab: WholeLab, jobId: string): Promise<readonly ExportedFile[]> {
  type Answer = { job: { state: string; problem: { message: string } | null; export: { files: readonly ExportedFile[] } | null } }
  const job = await until(
    async () => {
      const { job: now } = await query<Answer>(
        lab.url,
        'query ($id: ID!) { job(id: $id) { state problem { message } export { files { name url bytes sha256 } } } }',
        { id: jobId },
      )
      return ['COMPLETED', 'FAILED', 'CANCELLED'].includes(now.state) && now
    },
    { deadlineMs: 120_000, everyMs: 100, what: 'the end of the export' },
  )
  if (job.state !== 'COMPLETED') throw new Error(`the export is ${job.state}: ${job.problem?.message}`)
  return job.export?.files ?? []
}
