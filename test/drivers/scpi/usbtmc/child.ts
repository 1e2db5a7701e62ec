import { existsSync } from 'node:fs'
import type { DriverContext } from '../../../../drivers/driver.ts'
import { driverOf } from '../../../../drivers/scpi/driver.ts'
import { readDescription } from '../../../../drivers/scpi/read-description.ts'
import { openUsbtmc } from '../../../../drivers/scpi/usbtmc.ts'
import { until } from '../../../until.ts'

/** Runs with the shim preloaded: drives what is behind the path, and writes what it saw as one line of JSON. `asked` is there once SLOW? has come. */
const [path = '', asked = ''] = process.argv.slice(2)
const never = new AbortController().signal
const seen: Record<string, unknown> = {}

const driver = driverOf(
  readDescription(
    `protocol: scpi
id: acme-usb
vendor: ACME
model: USB
identity: '^ACME,USB,'
connections: { usbtmc: {} }
timeoutMs: 400
errors: { queue: SYST:ERR? }
parameters:
  voltage: { description: x, kind: float, unit: V, query: VOLT?, set: 'VOLT {value}' }
  slow: { description: x, kind: float, query: SLOW?, timeoutMs: 30000 }
  never: { description: x, kind: float, query: NEVER? }
stop: OUTP OFF
`,
    'usb.yaml',
  ),
)
const context: DriverContext = {
  clock: { wallNs: () => 0n, monotonicNs: () => 0n },
  resolve: async () => ({ kind: 'usbtmc', path, simulated: false }),
  log: () => undefined,
  workFolder: '',
}
const settings = { address: `usbtmc://${path}` }
seen.refused = await openUsbtmc({ path: '/dev/null', statusByte: true }, never).then(
  () => 'opened',
  (error: unknown) => String(error),
)
const port = await driver.openPort(settings, context, never)
const device = await driver.openDevice(port, settings, context, never)
seen.identity = device.identity
seen.set = await device.write?.('voltage', 1.5, never)
seen.silent = (await device.read(['never'], never)).get('never')
seen.after = (await device.read(['voltage'], never)).get('voltage')
const slow = device.read(['slow'], never)
await until(() => existsSync(asked), { what: 'the question that takes long' })
const stop = await device.emergencyStop?.(never)
seen.slow = (await slow).get('slow')
seen.confirmed = await stop?.confirmed
await device[Symbol.asyncDispose]()
await port[Symbol.asyncDispose]()
seen.closed = port.lost.aborted
process.stdout.write(`${JSON.stringify(seen)}\n`)
