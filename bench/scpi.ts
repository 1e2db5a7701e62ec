import { createConnection } from 'node:net'
import type { DriverContext } from '../drivers/driver.ts'
import { scpiFormat } from '../drivers/scpi/format.ts'
import { SimulatedHislip } from '../drivers/scpi/hislip/server.ts'
import { SimulatedSocket } from '../drivers/simulation/simulated-socket.ts'
import type { ByteInstrument } from '../drivers/simulation/simulator.ts'
import { say } from './report.ts'

/**
 * Questions per second to an instrument that answers at once: through the driver over a raw socket and over HiSLIP, against a bare loop on a socket of the
 * same server in the same run (what a script would do). `npm run bench:scpi`
 */
const SECONDS = 3
const WARM_UP = 50
const never = new AbortController().signal
const host = '127.0.0.1'

const instrument: ByteInstrument = {
  receive: (bytes) => Buffer.from(Buffer.from(bytes).toString('latin1').startsWith('*IDN?') ? 'ACME,ECHO,1,1\n' : '+1.00000000E+00\n', 'latin1'),
  foreign: () => Buffer.from('x\n'),
  errors: [],
  provoke: () => undefined,
}
const driver = scpiFormat.driverOf(
  `protocol: scpi
id: acme-echo
vendor: ACME
model: Echo
identity: '^ACME,ECHO,'
connections: { tcp: {}, hislip: {} }
parameters:
  voltage: { description: x, kind: float, unit: V, query: MEAS:VOLT? }
`,
  'echo.yaml',
)
const seconds = (): number => performance.now() / 1000
const context: DriverContext = {
  clock: { wallNs: () => BigInt(Date.now()) * 1_000_000n, monotonicNs: () => process.hrtime.bigint() },
  resolve: async (address) => {
    const port = Number(new URL(address.replace(/^\w+:/, 'http:')).port)
    return address.startsWith('tcp') ? { kind: 'tcp', host, port, simulated: true } : { kind: 'hislip', host, port, name: 'hislip0', simulated: true }
  },
  log: say,
  workFolder: '',
}

await using socket = new SimulatedSocket({ instrument, host, port: 0, terminator: '\n', seconds })
await socket.plugIn()
await using hislip = new SimulatedHislip({ instrument, host, port: 0, seconds })
await hislip.plugIn()

const bare = await bareRate(socket.port)
say(`a bare loop on a socket: ${bare.toFixed(0)} questions per second`)
for (const address of [`tcp://${host}:${socket.port}`, `hislip://${host}:${hislip.port}`]) {
  const rate = await driverRate(address)
  say(`the driver over ${address.slice(0, address.indexOf(':'))}: ${rate.toFixed(0)} per second: ${((100 * rate) / bare).toFixed(0)} % of the bare loop`)
}

async function driverRate(address: string): Promise<number> {
  await using port = await driver.openPort({ address }, context, never)
  await using device = await driver.openDevice(port, { address }, context, never)
  return await rate(async () => void (await device.read(['voltage'], never)))
}

async function bareRate(port: number): Promise<number> {
  const client = createConnection({ host, port, noDelay: true })
  let answered: (() => void) | undefined
  client.on('data', () => answered?.())
  const result = await rate(
    () =>
      new Promise<void>((resolve) => {
        answered = resolve
        client.write('MEAS:VOLT?\n')
      }),
  )
  client.destroy()
  return result
}

async function rate(once: () => Promise<void>): Promise<number> {
  for (let count = 0; count < WARM_UP; count += 1) await once()
  const startMs = performance.now()
  let count = 0
  for (; performance.now() - startMs < SECONDS * 1000; count += 1) await once()
  return (1000 * count) / (performance.now() - startMs)
}
