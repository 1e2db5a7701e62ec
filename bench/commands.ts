import path from 'node:path'
import { resolveAddress } from '../drivers/address.ts'
import { readRequest } from '../drivers/modbus/pdu.ts'
import { connectModbus } from '../drivers/modbus/tcp.ts'
import { query } from '../test/harness/graphql.ts'
import { startWholeLab } from '../test/harness/lab.ts'
import { until } from '../test/until.ts'
import { percentile, say } from './report.ts'

/**
 * Command latency above the instrument's own time: one register of the saw read by a GraphQL mutation (HTTP, api, link, station, journal, Modbus TCP and back),
 * against the same register read directly over Modbus TCP, taken in turns in one run. `npm run bench:commands` (after `node start.mjs --prepare`)
 */
const COMMANDS = 500
const WARM_UP = 50

await using lab = await startWholeLab()
const address = await resolveAddress('sim://saw', path.join(lab.dataDir, 'lab'))
if (address.kind !== 'tcp') throw new Error('the saw is not on a TCP port')
await using bus = await connectModbus({ host: address.host, port: address.port }, AbortSignal.timeout(10_000))
const deviceId = await until(
  async () => {
    const { device } = await query<{ device: { id: string; connection: string } | null }>(lab.url, '{ device(name: "saw") { id connection } }')
    return device?.connection === 'CONNECTED' && device.id
  },
  { deadlineMs: 20_000, what: 'the saw is connected' },
)

const REFRESH = `mutation ($id: ID!) { refreshParameters(deviceId: $id, names: ["cutting_speed_target"]) { __typename ... on CommandPayload { state elapsedMs } ... on Problem { message } } }`
const CUTTING_SPEED_TARGET_AT = 2066

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function throughTheApi(): Promise<void> {
  const { refreshParameters } = await query<{ refreshParameters: { __typename: string; message?: string } }>(lab.url, REFRESH, { id: deviceId })
  if (refreshParameters.__typename !== 'CommandPayload') throw new Error(refreshParameters.message)
}

const direct: number[] = []
const commanded: number[] = []
for (let index = 0; index < COMMANDS + WARM_UP; index += 1) {
  const both = [
    await timed(() => bus.ask(1, readRequest('holding', CUTTING_SPEED_TARGET_AT, 1), 1_000, AbortSignal.timeout(1_000))),
    await timed(throughTheApi),
  ] as const
  if (index < WARM_UP) continue
  direct.push(both[0])
  commanded.push(both[1])
}

const line = (what: string, values: readonly number[]): string =>
  `${what}  p50 ${percentile(values, 0.5).toFixed(2)} ms, p99 ${percentile(values, 0.99).toFixed(2)} ms`
say(`${COMMANDS} reads of one register`)
say(line('directly over Modbus TCP  ', direct))
say(line('by a GraphQL mutation     ', commanded))
say(`above the instrument's own time: p50 ${(percentile(commanded, 0.5) - percentile(direct, 0.5)).toFixed(2)} ms`)
