import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { databaseSocketFolder, embeddedDatabaseUrl } from '../local/config.ts'
import { query } from '../test/harness/graphql.ts'
import { startWholeLab } from '../test/harness/lab.ts'
import { until } from '../test/until.ts'
import { cpuSeconds } from './process-usage.ts'
import type { ClientCounts } from './readings-clients.ts'
import { say } from './report.ts'

/**
 * Values per second through `readings` to 10 clients: a real station with a source of fast numbers, the real api, graphql-ws clients in a process of their own.
 * What a person would compare it with is printed beside it: the source's own rate. `npm run bench:readings` (after `node start.mjs --prepare`)
 */
const CLIENTS = 10
const SECONDS = 10
const LOADS = [
  { signals: 400, everyMs: 20 },
  { signals: 4000, everyMs: 20 },
] as const

await using lab = await startWholeLab()
for (const { signals, everyMs } of LOADS) for (const delivery of ['LATEST', 'EVERY'] as const) await measure(signals, everyMs, delivery)

async function measure(signals: number, everyMs: number, delivery: 'LATEST' | 'EVERY'): Promise<void> {
  const name = `bench-${signals}-${delivery.toLowerCase()}`
  const station = fork(path.join(import.meta.dirname, 'signals-station.ts'), {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      DATA_DIR: lab.dataDir,
      DATABASE_URL: embeddedDatabaseUrl(databaseSocketFolder(lab.dataDir)),
      STATION_NAME: name,
      SIMULATED_LAB: 'off',
      LOG_LEVEL: 'warn',
      SIGNALS: String(signals),
      SIGNALS_EVERY_MS: String(everyMs),
    },
  })
  try {
    const deviceId = await register(name)
    const client = fork(path.join(import.meta.dirname, 'readings-clients.ts'), {
      execArgv: ['--import', 'tsx'],
      env: {
        ...process.env,
        URL: `${lab.url.replace('http', 'ws')}/graphql`,
        DEVICE_ID: deviceId,
        DELIVERY: delivery,
        CLIENTS: String(CLIENTS),
        SECONDS: String(SECONDS),
      },
    })
    await once(client, 'message')
    const api = (await lab.processes())['api'] ?? 0
    const [apiBefore, stationBefore] = [await cpuSeconds(api), await cpuSeconds(station.pid ?? 0)]
    const [counts] = (await once(client, 'message')) as [ClientCounts]
    const share = (before: number, after: number): string => `${((100 * (after - before)) / SECONDS).toFixed(0)} %`
    say(
      `${delivery.padEnd(6)} ${signals} signals every ${everyMs} ms (${((1000 / everyMs) * signals).toFixed(0)}/s): ` +
        `${(counts.values / SECONDS / CLIENTS).toFixed(0)} values/s to each of ${CLIENTS} clients, ${(counts.values / SECONDS).toFixed(0)} in all; ` +
        `p50 ${counts.p50Ms.toFixed(1)} ms, p99 ${counts.p99Ms.toFixed(1)} ms; ${counts.gaps} gaps, ${counts.dropped} passed over; ` +
        `api ${share(apiBefore, await cpuSeconds(api))} of a core, station ${share(stationBefore, await cpuSeconds(station.pid ?? 0))}`,
    )
    await query(lab.url, 'mutation ($id: ID!) { removeDevice(id: $id) { __typename } }', { id: deviceId })
  } finally {
    station.send({ type: 'stop' })
    await once(station, 'exit')
  }
}

type Stations = {
  readonly stations: { readonly edges: readonly { readonly node: { readonly id: string; readonly name: string; readonly online: boolean } }[] }
}

async function register(name: string): Promise<string> {
  const stationId = await until(
    async () => {
      const { stations } = await query<Stations>(lab.url, '{ stations { edges { node { id name online } } } }')
      return stations.edges.find(({ node }) => node.name === name && node.online)?.node.id
    },
    { deadlineMs: 20_000, what: 'the benchmark station is online' },
  )
  const { registerDevice } = await query<{ registerDevice: { id?: string; message?: string } }>(
    lab.url,
    'mutation ($input: RegisterDeviceInput!) { registerDevice(input: $input) { ... on Device { id } ... on Problem { message } } }',
    { input: { name, driver: 'bench-signals', stationId } },
  )
  const id = registerDevice.id
  if (id === undefined) throw new Error(registerDevice.message)
  await until(
    async () =>
      (await query<{ device: { connection: string } }>(lab.url, 'query ($id: ID!) { device(id: $id) { connection } }', { id })).device.connection ===
      'CONNECTED',
  )
  return id
}
