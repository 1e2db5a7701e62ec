import { query } from '../test/harness/graphql.ts'
import { startWholeLab } from '../test/harness/lab.ts'
import { until } from '../test/until.ts'
import { percentile, say } from './report.ts'

/**
 * From the arrival of `POST /stop` at the api to the stop bytes on the wire of each device, while three axes move, the camera runs and everything is polled.
 * `npm run bench:stop` (after `node start.mjs --prepare`)
 */
const ROUNDS = 20
const TRAVEL_MM = 24
const AXES = ['stage-x', 'stage-y', 'stage-z'] as const

await using lab = await startWholeLab()

type Device = {
  readonly id: string
  readonly name: string
  readonly connection: string
  readonly motion: { readonly moving: boolean | null; readonly position: { readonly number: number | null } | null } | null
}
async function devices(): Promise<ReadonlyMap<string, Device>> {
  const answer = await query<{ devices: { edges: { node: Device }[] } }>(
    lab.url,
    '{ devices { edges { node { id name connection motion { moving position { number } } } } } }',
  )
  return new Map(answer.devices.edges.map(({ node }) => [node.name, node]))
}

const ids = await until(
  async () => {
    const found = await devices()
    return [...found.values()].every(({ connection }) => connection === 'CONNECTED') && found
  },
  { deadlineMs: 30_000, what: 'every device is connected' },
)
const { stations } = await query<{ stations: { edges: { node: { id: string } }[] } }>(lab.url, '{ stations { edges { node { id } } } }')
await query(lab.url, 'mutation ($id: ID!) { startLive(deviceId: $id) { __typename } }', { id: ids.get('camera')?.id })

const sentMs: number[] = []
let confirmed = 0
for (let round = 0; round < ROUNDS; round += 1) {
  const standing = await until(async () => {
    const now = await devices()
    return AXES.every((name) => now.get(name)?.motion?.moving === false) && now
  })
  const to = (standing.get('stage-x')?.motion?.position?.number ?? 0) < TRAVEL_MM / 2 ? TRAVEL_MM : 0 // a stopped axis is still where it was stopped
  const { moveMany } = await query<{ moveMany: { message?: string } }>(
    lab.url,
    'mutation ($inputs: [MoveInput!]!) { moveMany(inputs: $inputs) { ... on Problem { message } } }',
    {
      inputs: AXES.map((name) => ({ deviceId: ids.get(name)?.id, to, unit: 'mm', wait: false })),
    },
  )
  if (moveMany.message !== undefined) throw new Error(moveMany.message)
  await until(async () => (await devices()).get('stage-x')?.motion?.moving)
  const answer = await fetch(new URL('/stop?reason=benchmark', lab.url), { method: 'POST' })
  const report = (await answer.json()) as {
    readonly stations: readonly { readonly devices: readonly { readonly sentMs?: number; readonly confirmed: boolean }[] }[]
  }
  for (const device of report.stations.flatMap((station) => station.devices)) {
    if (device.sentMs !== undefined) sentMs.push(device.sentMs)
    if (device.confirmed) confirmed += 1
  }
  await query(lab.url, 'mutation { releaseEmergencyStop(reason: "benchmark") { __typename } }')
  await query(lab.url, 'mutation ($id: ID!) { releaseQueue(stationId: $id) { __typename } }', { id: stations.edges[0]?.node.id })
}

say(`${ROUNDS} emergency stops, ${sentMs.length} stops of a device, ${confirmed} confirmed by the instrument`)
say(
  `stop bytes on the wire after  p50 ${percentile(sentMs, 0.5).toFixed(1)} ms, p99 ${percentile(sentMs, 0.99).toFixed(1)} ms, most ${Math.max(...sentMs).toFixed(1)} ms (bar: 50 ms)`,
)
