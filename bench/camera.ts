import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { plainWrite } from '../native/files.ts'
import { query } from '../test/harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../test/harness/lab.ts'
import { until } from '../test/until.ts'
import type { ClientsCounts } from './camera-clients.ts'
import { type People, startPeople } from './camera-people.ts'
import { busiestThreads, machineSeconds, type ProcessUsage, usageOf } from './process-usage.ts'
import { median, say } from './report.ts'

/**
 * A camera of 2048 x 2048 x 16 bit at 43 Hz (366 MB/s), recorded by a queued run of the whole lab while three previews are watched and the api answers
 * dashboards; then twice more, shorter, without and with a fourth viewer who never reads what is sent to him. The plain O_DIRECT rate of the same disk is
 * measured before and after. At last many small pictures are watched, for what is left of each in memory.
 * `npm run bench:camera -- [seconds] [folder]` (after `node start.mjs --prepare`)
 */
const SIDE = 2048
const RATE_HZ = 43 // the sensor is read out in 2048 x 11.3 µs
const SECONDS = Number(process.argv[2] ?? 60)
const SHORTER_SECONDS = Math.min(20, SECONDS)
const PEOPLE: People = { viewers: 3, quality: 'PREVIEW', rateHz: 30, stalled: 0, dashboards: 3 } // as the dashboard asks for them
const WATCHERS: People = { viewers: 8, quality: 'FAST', rateHz: 60, stalled: 0, dashboards: 0 }
const WATCHED_SIDE = 512 // read out in 6 ms
const PLAIN_BYTES = 8_388_608
const PLAIN_WRITES = 250 // 2.1 GB: longer than any cache of the disk that we met
const SETTLE_MS = 2_000 // viewers and subscriptions have begun
const WARM_UP_MS = 10_000 // heaps have grown to what they need
const HASHED_WITHIN_MS = 180_000 // files are hashed after the recording, which reads them once

const RUN = 'query ($id: ID!) { run(id: $id) { state exitReason startedAt endedAt datasets { rows dropped bytes sha256 } } }'
const ENDED = ['COMPLETED', 'FAILED', 'ABORTED', 'INTERRUPTED']

const folder = await mkdtemp(path.join(process.argv[3] ?? process.cwd(), '.bench-camera-'))
const ringDir = await mkdtemp('/dev/shm/kymograph-bench-') // where `npm start` has it
try {
  const plain = [await plainRate()]
  await using lab = await startWholeLab({
    dataDir: path.join(folder, 'data'),
    env: { KYMOGRAPH_PVCAM_SIM_SIZE: `${SIDE}x${SIDE}`, RING_DIR: ringDir },
  })
  const camera = await connectedCamera(lab)
  await query(lab.url, 'mutation ($id: ID!) { startLive(deviceId: $id) { __typename } }', { id: camera })
  const rate = await record(lab, camera, SECONDS, PEOPLE)
  plain.push(await plainRate())
  say(
    `plain O_DIRECT write of the same disk: ${plain.map((each) => each.toFixed(0)).join(', ')} MB/s; the recording takes ${((100 * rate) / median(plain)).toFixed(0)} % of it`,
  )
  for (const stalled of [0, 1]) await record(lab, camera, SHORTER_SECONDS, { ...PEOPLE, stalled })
  await watch(lab, camera, SECONDS)
} finally {
  await rm(folder, { recursive: true, force: true })
  await rm(ringDir, { recursive: true, force: true })
}

/** MB/s. */
async function plainRate(): Promise<number> {
  const file = path.join(folder, 'plain')
  const { seconds } = await plainWrite(file, PLAIN_BYTES, PLAIN_WRITES)
  await rm(file)
  return (PLAIN_BYTES * PLAIN_WRITES) / seconds / 1e6
}

async function connectedCamera({ url }: WholeLab): Promise<string> {
  type Devices = {
    readonly devices: { readonly edges: readonly { readonly node: { readonly id: string; readonly name: string; readonly connection: string } }[] }
  }
  return await until(
    async () => {
      const { devices } = await query<Devices>(url, '{ devices(first: 50) { edges { node { id name connection } } } }')
      const nodes = devices.edges.map(({ node }) => node)
      return nodes.every(({ connection }) => connection === 'CONNECTED') && nodes.find(({ name }) => name === 'camera')?.id
    },
    { deadlineMs: 60_000, what: 'every device is connected' },
  )
}

type Recorded = {
  readonly run: {
    readonly state: string
    readonly exitReason: string | null
    readonly startedAt: string | null
    readonly endedAt: string | null
    readonly datasets: readonly { readonly rows: number; readonly dropped: number; readonly bytes: number; readonly sha256: string | null }[]
  }
}

/** Returns MB/s. */
async function record(lab: WholeLab, camera: string, seconds: number, asked: People): Promise<number> {
  const frames = RATE_HZ * seconds
  const start = async (): Promise<string> => {
    const { startRun } = await query<{ startRun: { id?: string; message?: string } }>(
      lab.url,
      'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } ... on Problem { message } } }',
      { input: { plan: { record: { detectors: [{ role: 'camera' }], frames } } } },
    )
    if (startRun.id === undefined) throw new Error(startRun.message)
    return startRun.id
  }
  const runNow = async (id: string): Promise<Recorded['run']> => (await query<Recorded>(lab.url, RUN, { id })).run
  const cameraBefore = await cameraCounts(lab, camera)
  const measured = await duringWork(lab, camera, asked, SETTLE_MS, async () => {
    const id = await start()
    const run = await until(
      async () => {
        const now = await runNow(id)
        return ENDED.includes(now.state) && now
      },
      { deadlineMs: seconds * 2_000 + 60_000, everyMs: 500, what: 'the end of the recording' },
    )
    return { id, run }
  })
  const { id, run } = measured.result
  const cameraAfter = await cameraCounts(lab, camera)
  const [dataset] = run.datasets
  if (run.state !== 'COMPLETED' || dataset === undefined) throw new Error(`the run ended ${run.state}: ${run.exitReason}`)
  const rate = dataset.bytes / (Date.parse(run.endedAt ?? '') - Date.parse(run.startedAt ?? '')) / 1e3
  say(`\n${seconds} s, ${asked.viewers} viewers${asked.stalled === 0 ? '' : ` and ${asked.stalled} that never reads`}, ${asked.dashboards} dashboards`)
  say(
    `frames     ${dataset.rows} of ${frames} recorded, ${dataset.dropped} dropped in the recording, ${cameraAfter.dropped - cameraBefore.dropped} by the camera; ` +
      `${cameraAfter.rateHz.toFixed(1)} Hz, ${rate.toFixed(0)} MB/s to disk`,
  )
  measured.report()
  await until(async () => (await runNow(id)).datasets[0]?.sha256, { deadlineMs: HASHED_WITHIN_MS, everyMs: 500, what: 'the hash of the recording' })
  return rate
}

/** Many small pictures, for what each leaves in memory. */
async function watch(lab: WholeLab, camera: string, seconds: number): Promise<void> {
  const roi = { x: 0, y: 0, width: WATCHED_SIDE, height: WATCHED_SIDE }
  const { configureCamera } = await query<{ configureCamera: { message?: string } }>(
    lab.url,
    'mutation ($input: ConfigureCameraInput!) { configureCamera(input: $input) { ... on Problem { message } } }',
    { input: { deviceId: camera, roi, exposureSeconds: 0.001 } },
  )
  if (configureCamera.message !== undefined) throw new Error(configureCamera.message)
  const { report, counts } = await duringWork(lab, camera, WATCHERS, WARM_UP_MS, () => pause(seconds * 1000))
  const frames = counts.viewers.reduce((sum, viewer) => sum + viewer.frames, 0)
  say(`\n${seconds} s, ${WATCHERS.viewers} viewers of small pictures: ${frames} pictures`)
  report()
}

type Measured<T> = { readonly result: T; readonly counts: ClientsCounts; readonly report: () => void }

/** What people see and processes take meanwhile. */
async function duringWork<T>(lab: WholeLab, camera: string, asked: People, settleMs: number, work: () => Promise<T>): Promise<Measured<T>> {
  await using people = await startPeople(lab.url, camera, asked)
  await pause(settleMs)
  const pids = { ...(await lab.processes()), clients: people.pid }
  const before = { usage: await usageOfAll(pids), machine: await machineSeconds() }
  await people.counts()
  const start = performance.now()
  const result = await work()
  const seconds = (performance.now() - start) / 1000
  const after = { usage: await usageOfAll(pids), machine: await machineSeconds() }
  const counts = await people.counts()
  return { result, counts, report }

  function report(): void {
    for (const [index, viewer] of counts.viewers.entries())
      say(
        `viewer ${index + 1}   ${(viewer.frames / seconds).toFixed(1)} frames/s, ${(viewer.bytes / seconds / 1e6).toFixed(0)} MB/s, ${viewer.skipped} skipped; ` +
          `from exposure to viewer p50 ${viewer.p50Ms.toFixed(0)} ms, p99 ${viewer.p99Ms.toFixed(0)} ms`,
      )
    const { queries, readingsEvents } = counts
    if (queries.count > 0)
      say(
        `api        ${(queries.count / seconds).toFixed(1)} queries/s, p50 ${queries.p50Ms.toFixed(1)} ms, p99 ${queries.p99Ms.toFixed(1)} ms; ` +
          `${(readingsEvents / seconds).toFixed(0)} events/s`,
      )
    for (const name of Object.keys(pids)) {
      const [was, is] = [before.usage[name], after.usage[name]]
      if (was === undefined || is === undefined) continue
      say(
        `${name.padEnd(10)} ${((100 * (is.cpuSeconds - was.cpuSeconds)) / seconds).toFixed(1).padStart(5)} % of a core; ` +
          `own memory ${(was.ownBytes / 1e6).toFixed(0)} to ${(is.ownBytes / 1e6).toFixed(0)} MB; ${busiestThreads(was, is, seconds)}`,
      )
    }
    const [busy, all] = [after.machine.busy - before.machine.busy, after.machine.all - before.machine.all]
    say(`machine    ${((100 * busy) / all).toFixed(0)} % busy, all of it`)
  }
}

async function usageOfAll(pids: Readonly<Record<string, number>>): Promise<Readonly<Record<string, ProcessUsage>>> {
  return Object.fromEntries(await Promise.all(Object.entries(pids).map(async ([name, pid]) => [name, await usageOf(pid)] as const)))
}

async function cameraCounts({ url }: WholeLab, id: string): Promise<{ readonly dropped: number; readonly rateHz: number }> {
  type Parameters = {
    readonly device: { readonly parameters: readonly { readonly name: string; readonly reading: { readonly number: number | null } | null }[] }
  }
  const { device } = await query<Parameters>(url, 'query ($id: ID!) { device(id: $id) { parameters { name reading { number } } } }', { id })
  const numberOf = (name: string): number => device.parameters.find((parameter) => parameter.name === name)?.reading?.number ?? Number.NaN
  return { dropped: numberOf('frames_dropped'), rateHz: numberOf('frame_rate') }
}
