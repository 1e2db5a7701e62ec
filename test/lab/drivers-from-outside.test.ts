import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { COUNTER } from '../drivers/plugins/plugin-folder.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** Drivers that come, change and break while a whole lab runs, as people see them through GraphQL. */

type Component = { readonly name: string; readonly state: string; readonly message: string | null }
type Device = {
  readonly id: string
  readonly name: string
  readonly connection: string
  readonly driver: { readonly id: string; readonly model: string } | null
  readonly parameter: { readonly reading: { readonly number: number | null } | null } | null
}

const DEADLINE = { deadlineMs: 30_000 } // a plugin is tried out in a process of its own first

let lab: WholeLab
let stationId: string
let plugin: string
let drafts: string
let multimeter: Server
const lines = new Set<Socket>()

beforeAll(async () => {
  plugin = await realpath(await mkdtemp(join(tmpdir(), 'acme-')))
  drafts = await mkdtemp(join(tmpdir(), 'drafts-'))
  await writeFile(
    join(plugin, 'package.json'),
    JSON.stringify({ name: 'acme', version: '1.0.0', type: 'module', kymograph: { api: 1, drivers: './drivers.js' } }),
  )
  await writeFile(join(plugin, 'drivers.js'), COUNTER)
  multimeter = await startMultimeter()
  lab = await startWholeLab({ env: { PLUGINS: `${plugin},acme-not-installed`, PLUGINS_WATCH: 'on' } })
  stationId =
    (await query<{ stations: { edges: { node: { id: string } }[] } }>(lab.url, '{ stations { edges { node { id } } } }')).stations.edges[0]?.node.id ?? ''
  await until(() => othersAreConnected().then(() => true), { ...DEADLINE, what: 'every device is connected' })
})

afterAll(async () => {
  await lab?.stop()
  for (const line of lines) line.destroy()
  await new Promise((resolve) => multimeter.close(resolve))
  for (const folder of [plugin, drafts]) await rm(folder, { recursive: true, force: true })
})

/** At one stroke, as editors do: what looks in between sees the whole old file or the whole new one. */
async function save(file: string, text: string): Promise<void> {
  const draft = join(drafts, 'draft')
  await writeFile(draft, text)
  await rename(draft, file)
}

/** The smallest SCPI instrument: it says who it is, and that it measures 5 V. */
async function startMultimeter(): Promise<Server> {
  const server = createServer((socket) => {
    lines.add(socket)
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\n').slice(0, -1))
        if (line.trim() === '*IDN?') socket.write('ACME,Meter,1,1.0\n')
        else if (line.trim() === 'MEAS?') socket.write('5.0\n')
        else if (line.trim() === '*OPC?') socket.write('1\n')
    })
    socket.on('error', () => socket.destroy()) // the station's end may go first
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function address(): string {
  const listening = multimeter.address()
  if (listening === null || typeof listening === 'string') throw new Error('the multimeter does not listen')
  return `tcp://127.0.0.1:${listening.port}`
}

function description(model: string, more = ''): string {
  return `protocol: scpi
id: acme-meter
vendor: Acme
model: ${model}
version: 1.0.0
identity: "^ACME,Meter,"
connections:
  tcp: { port: 5025 }
readout: voltage
parameters:
  voltage:
    description: At the terminals
    kind: float
    unit: V
    query: MEAS?
    pollMs: 200
${more}`
}

const SECOND = `  second:
    description: Once more
    kind: float
    unit: V
    query: MEAS?
    pollMs: 200
`

async function drivers(): Promise<Readonly<Record<string, string>>> {
  const { drivers: all } = await query<{ drivers: { id: string; model: string }[] }>(lab.url, '{ drivers { id model } }')
  return Object.fromEntries(all.map(({ id, model }) => [id, model]))
}

async function component(name: string): Promise<Component | undefined> {
  const { station } = await query<{ station: { health: { components: Component[] } | null } }>(
    lab.url,
    'query ($id: ID!) { station(id: $id) { health { components { name state message } } } }',
    { id: stationId },
  )
  return station.health?.components.find((candidate) => candidate.name.startsWith(name))
}

async function register(name: string, driver: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const { registerDevice } = await query<{ registerDevice: { __typename: string; id: string; message: string } }>(
    lab.url,
    'mutation ($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename ... on Problem { message } ... on Device { id } } }',
    { input: { name, driver, stationId, settings: Object.entries(settings).map(([key, text]) => ({ name: key, value: { text } })) } },
  )
  expect(registerDevice).toMatchObject({ __typename: 'Device' })
  return registerDevice.id
}

async function device(id: string, parameter: string): Promise<Device> {
  const answer = await query<{ device: Device }>(
    lab.url,
    'query ($id: ID!, $parameter: String!) { device(id: $id) { id name connection driver { id model } parameter(name: $parameter) { reading { number } } } }',
    { id, parameter },
  )
  return answer.device
}

async function set(deviceId: string, name: string, number: number): Promise<unknown> {
  const { setParameter } = await query<{ setParameter: unknown }>(
    lab.url,
    'mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename ... on Problem { message } } }',
    { input: { deviceId, name, value: { number } } },
  )
  return setParameter
}

async function neighbours(id: string): Promise<readonly string[]> {
  const { neighbourhood } = await query<{ neighbourhood: { nodes: { label: string }[] } }>(
    lab.url,
    'query ($id: ID!) { neighbourhood(of: $id) { nodes { label } } }',
    { id },
  )
  return neighbourhood.nodes.map(({ label }) => label)
}

/** The instruments of the simulated lab, none of which has to do with what happens here. */
async function othersAreConnected(): Promise<void> {
  const { devices } = await query<{ devices: { edges: { node: { name: string; connection: string; connectionSince: string } }[] } }>(
    lab.url,
    '{ devices { edges { node { name connection } } } }',
  )
  const others = devices.edges.map(({ node }) => node).filter(({ name }) => !name.startsWith('acme'))
  expect(others.length).toBeGreaterThan(3)
  expect(others.filter(({ connection }) => connection !== 'CONNECTED')).toEqual([])
}

it('a plugin from outside has its drivers in the lab, and one that is broken is told', async () => {
  await until(async () => (await drivers())['acme-counter'] === 'Counter', { ...DEADLINE, what: "the plugin's driver" })
  expect(await component('plugin acme')).toMatchObject({ state: 'OK' })
  const missing = await until(() => component('plugin acme-not-installed'), DEADLINE)
  expect(missing).toMatchObject({ state: 'DEGRADED', message: expect.stringContaining('cannot be read') })
})

it('its devices are used like any others; an edit of it is loaded, a broken edit is told, and only its devices notice', async () => {
  const id = await register('acme-counter', 'acme-counter', { address: 'tcp://127.0.0.1:9' })
  await until(async () => (await device(id, 'count')).parameter?.reading?.number === 7, { ...DEADLINE, what: 'the counter counts' })
  expect(await set(id, 'count', 8)).toMatchObject({ __typename: 'CommandPayload' })
  expect(await set(id, 'count', 13)).toMatchObject({ __typename: 'HardwareFault', message: '13 is bad luck' })
  await until(async () => (await neighbours(id)).includes('READABLE'), { ...DEADLINE, what: 'the graph knows what it can do' })
  const { station: process } = await lab.processes()

  await save(join(plugin, 'drivers.js'), COUNTER.replace("model: 'Counter'", "model: 'Counter II'").replace('let count = 7', 'let count = 70'))
  await until(async () => (await device(id, 'count')).parameter?.reading?.number === 70, { ...DEADLINE, what: 'the new version' })
  await until(async () => (await device(id, 'count')).driver?.model === 'Counter II', { ...DEADLINE, what: 'its description' })

  await save(join(plugin, 'drivers.js'), COUNTER.replace("portKind: 'TCP'", "portKind: 'LPT'"))
  await until(async () => (await component('plugin acme'))?.state === 'DEGRADED', { ...DEADLINE, what: 'the broken edit is told' })
  expect((await component('plugin acme'))?.message).toContain('drivers[0].portKind is "LPT"; choose one of SERIAL, ')
  expect(await device(id, 'count')).toMatchObject({ connection: 'CONNECTED', driver: { model: 'Counter II' } })
  await othersAreConnected()

  // What it forgets at run time ends nothing either.
  await save(
    join(plugin, 'drivers.js'),
    COUNTER.replace('count = value', `void Promise.reject(new Error('forgotten by the counter'))\ncount = value`).replace('let count = 7', 'let count = 71'),
  )
  await until(async () => (await component('plugin acme'))?.state === 'OK', { ...DEADLINE, what: 'the mended edit' })
  await until(async () => (await device(id, 'count')).parameter?.reading?.number === 71, { ...DEADLINE, what: 'the mended version' })
  expect(await set(id, 'count', 9)).toMatchObject({ __typename: 'CommandPayload' })
  await until(async () => (await component('plugin acme'))?.message?.includes('forgotten by the counter'), { ...DEADLINE, what: 'the stray error is told' })
  expect((await lab.processes())['station']).toBe(process)
  await othersAreConnected()
}, 200_000)

it('a description becomes a driver, changes, breaks on a line and goes, while everything runs', async () => {
  const folder = join(lab.dataDir, 'instruments')
  const file = join(folder, 'meter.yaml')
  await mkdir(folder, { recursive: true })
  await save(file, description('Meter'))
  await until(async () => (await drivers())['acme-meter'] === 'Meter', { ...DEADLINE, what: 'the described driver' })
  const id = await register('acme-meter', 'acme-meter', { address: address() })
  await until(async () => (await device(id, 'voltage')).parameter?.reading?.number === 5, { ...DEADLINE, what: 'the meter measures' })

  await save(file, description('Meter II', SECOND))
  await until(async () => (await device(id, 'voltage')).driver?.model === 'Meter II', { ...DEADLINE, what: 'the changed description' })
  await until(async () => (await device(id, 'second')).parameter?.reading?.number === 5, { ...DEADLINE, what: 'the changed meter measures' })

  await save(file, description('Meter III', '  current:\n    kind: colour\n'))
  const told = await until(async () => {
    const found = await component('descriptions in')
    return found?.state === 'DEGRADED' && found.message
  }, DEADLINE)
  expect(told).toMatch(/^meter\.yaml:1[5-8]:\d+: /)
  expect(await device(id, 'voltage')).toMatchObject({ connection: 'CONNECTED', driver: { model: 'Meter II' } })

  await rm(file)
  await until(async () => (await device(id, 'voltage')).driver === null, { ...DEADLINE, what: 'the driver is gone' })
  await until(async () => (await device(id, 'voltage')).connection === 'FAILED', { ...DEADLINE, what: 'its device has no driver' })
  expect(await component('descriptions in')).toMatchObject({ state: 'OK' })
  await othersAreConnected()
}, 200_000)
