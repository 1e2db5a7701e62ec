import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { plainWrite } from '../native/files.ts'
import { query } from '../test/harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../test/harness/lab.ts'
import { until } from '../test/until.ts'
import type { ClientsCounts } from './camera-clients.ts'
import { machineSeconds, type ProcessUsage, usageOf } from './process-usage.ts'
import { median, say } from './report.ts'

/**
 * A camera of 2048 x 2048 x 16 bit at 43 Hz (366 MB/s), recorded by a queued run of the whole lab while three previews are watched and the api answers
 * dashboards; then once more, shorter, with a fourth viewer who never reads what is sent to him. The plain O_DIRECT rate of the same disk is measured before
 * and after. `npm run bench:camera -- [seconds] [folder]` (after `node start.mjs --prepare`)
 */
const SIDE = 2048
const RATE_HZ = 43 // the sensor is read out in 2048 x 11.3 µs
const SECONDS = Number(process.argv[2] ?? 60)
const STALLED_SECONDS = Math.min(20, SECONDS)
const VIEWERS = 3
const DASHBOARDS = 3
const QUERY_EVERY_MS = 100
const PLAIN_BYTES = 8_388_608
const PLAIN_WRITES = 250 // 2.1 GB: longer than any cache of the disk that we met
const SETTLE_MS = 2_000 // viewers and subscriptions have begun

const folder = await mkdtemp(path.join(process.argv[3] ?? process.cwd(), '.bench-camera-'))
const ringDir = await mkdtemp('/dev/shm/kymograph-bench-') // where `npm start` has it
try {
  const plain = [await plainRate()]
  {
    await using lab = await startWholeLab({
      dataDir: path.join(folder, 'data'),
      env: { KYMOGRAPH_PVCAM_SIM_SIZE: `${SIDE}x${SIDE}`, RING_DIR: ringDir },
    })
    const camera = await connectedCamera(lab)
    await query(lab.url, 'mutation ($id: ID!) { startLive(deviceId: $id) { __typename } }', { id: camera })
    const recorded = await record(lab, camera, SECONDS, 0)
    plain.push(await plainRate())
    say(
      `plain O_DIRECT write of the same disk: ${plain.map((rate) => rate.toFixed(0)).join(', ')} MB/s; the recording takes ${((100 * recorded) / median(plain)).toFixed(0)} % of it`,
    )
    await record(lab, camera, STALLED_SECONDS, 1)
  }
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
    readonly datasets: readonly { readonly rows: number; readonly dropped: number; readonly bytes: number; readonly state: string }[]
  }
}

/** Returns MB/s. */
async function record(lab: WholeLab, camera: string, seconds: number, stalled: number): Promise<number> {
  const frames = RATE_HZ * seconds
  const clients = fork(path.join(import.meta.dirname, 'camera-clients.ts'), {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      URL: lab.url,
      DEVICE_ID: camera,
      VIEWERS: String(VIEWERS),
      STALLED: String(stalled),
      DASHBOARDS: String(DASHBOARDS),
      QUERY_EVERY_MS: String(QUERY_EVERY_MS),
    },
  })
  try {
    await answerOf(clients)
    await pause(SETTLE_MS)
    const pids = { ...(await lab.processes()), clients: clients.pid ?? 0 }
    const before = {
      usage: await usageOfAll(pids),
      machine: await machineSeconds(),
      produced: await cameraCounts(lab, camera),
      clients: await countsOf(clients),
    }
    const start = performance.now()
    const { startRun } = await query<{ startRun: { id?: string; message?: string } }>(
      lab.url,
      'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } ... on Problem { message } } }',
      { input: { plan: { record: { detectors: [{ role: 'camera' }], frames } } } },
    )
    if (startRun.id === undefined) throw new Error(startRun.message)
    const { run } = await until(
      async () => {
        const answer = await query<Recorded>(
          lab.url,
          'query ($id: ID!) { run(id: $id) { state exitReason startedAt endedAt datasets { rows dropped bytes state } } }',
          { id: startRun.id },
        )
        return ['COMPLETED', 'FAILED', 'ABORTED', 'INTERRUPTED'].includes(answer.run.state) && answer
      },
      { deadlineMs: seconds * 2_000 + 60_000, everyMs: 500, what: 'the end of the recording' },
    )
    const took = (performance.now() - start) / 1000
    const after = {
      usage: await usageOfAll(pids),
      machine: await machineSeconds(),
      produced: await cameraCounts(lab, camera),
      clients: await countsOf(clients),
    }

    const [dataset] = run.datasets
    if (run.state !== 'COMPLETED' || dataset === undefined) throw new Error(`the run ended ${run.state}: ${run.exitReason}`)
    const rate = dataset.bytes / (Date.parse(run.endedAt ?? '') - Date.parse(run.startedAt ?? '')) / 1e3
    say(`\n${seconds} s, ${VIEWERS} viewers${stalled === 0 ? '' : ` and ${stalled} that never reads`}, ${DASHBOARDS} dashboards`)
    say(
      `frames     ${after.produced.produced - before.produced.produced} produced in ${took.toFixed(1)} s, ${dataset.rows} of ${frames} recorded, ` +
        `${dataset.dropped} dropped in the recording, ${after.produced.dropped - before.produced.dropped} by the camera; ` +
        `${after.produced.rateHz.toFixed(1)} Hz, ${rate.toFixed(0)} MB/s to disk`,
    )
    for (const [index, viewer] of after.clients.viewers.entries())
      say(
        `viewer ${index + 1}   ${(viewer.frames / took).toFixed(1)} frames/s, ${(viewer.bytes / took / 1e6).toFixed(0)} MB/s, ${viewer.skipped} skipped; ` +
          `from exposure to viewer p50 ${viewer.p50Ms.toFixed(0)} ms, p99 ${viewer.p99Ms.toFixed(0)} ms`,
      )
    const { queries, readingsEvents } = after.clients
    say(
      `api        ${(queries.count / took).toFixed(1)} queries/s, p50 ${queries.p50Ms.toFixed(1)} ms, p99 ${queries.p99Ms.toFixed(1)} ms; ${(readingsEvents / took).toFixed(0)} events/s`,
    )
    for (const name of Object.keys(pids)) {
      const [was, is] = [before.usage[name], after.usage[name]]
      if (was === undefined || is === undefined) continue
      say(
        `${name.padEnd(10)} ${((100 * (is.cpuSeconds - was.cpuSeconds)) / took).toFixed(1).padStart(5)} % of a core; ` +
          `own memory ${(was.ownBytes / 1e6).toFixed(0)} to ${(is.ownBytes / 1e6).toFixed(0)} MB${name === 'station' || name === 'api' ? `; threads ${busiest(was, is, took)}` : ''}`,
      )
    }
    const [busy, all] = [after.machine.busy - before.machine.busy, after.machine.all - before.machine.all]
    say(`machine    ${((100 * busy) / all).toFixed(0)} % busy, all of it`)
    return rate
  } finally {
    if (clients.connected) {
      clients.disconnect()
      await once(clients, 'exit')
    }
  }
}

/** Shares of a core of the threads that take most. */
function busiest(was: ProcessUsage, is: ProcessUsage, seconds: number): string {
  return [...is.threads]
    .map(([thread, cpu]) => ({ thread, share: (100 * (cpu - (was.threads.get(thread) ?? 0))) / seconds }))
    .filter(({ share }) => share >= 1)
    .sort((a, b) => b.share - a.share)
    .map(({ thread, share }) => `${thread.replace(/ \d+$/, '')} ${share.toFixed(0)} %`)
    .join(', ')
}

async function usageOfAll(pids: Readonly<Record<string, number>>): Promise<Readonly<Record<string, ProcessUsage>>> {
  return Object.fromEntries(await Promise.all(Object.entries(pids).map(async ([name, pid]) => [name, await usageOf(pid)] as const)))
}

async function countsOf(clients: ChildProcess): Promise<ClientsCounts> {
  clients.send('counts')
  return (await answerOf(clients)) as ClientsCounts
}

async function answerOf(clients: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  clients.once('exit', () => ended.abort(new Error('the clients ended')))
  const [message] = (await once(clients, 'message', { signal: ended.signal })) as [unknown]
  return message
}

async function cameraCounts({ url }: WholeLab, id: string): Promise<{ readonly produced: number; readonly dropped: number; readonly rateHz: number }> {
  type Parameters = {
    readonly device: { readonly parameters: readonly { readonly name: string; readonly reading: { readonly number: number | null } | null }[] }
  }
  const { device } = await query<Parameters>(url, 'query ($id: ID!) { device(id: $id) { parameters { name reading { number } } } }', { id })
  const numberOf = (name: string): number => device.parameters.find((parameter) => parameter.name === name)?.reading?.number ?? Number.NaN
  return { produced: numberOf('frames_produced'), dropped: numberOf('frames_dropped'), rateHz: numberOf('frame_rate') }
}
