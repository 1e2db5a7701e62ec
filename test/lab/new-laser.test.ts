import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { simulation } from '../../drivers/spectra-physics-maitai/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { query, subscribe } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** A laser is plugged into a lab that runs: it is found, registered and used, through the API that a person has. */

type Found = {
  readonly identity: string | null
  readonly port: { readonly id: string; readonly path: string }
  readonly driver: { readonly id: string } | null
  readonly known: { readonly name: string } | null
  readonly settings: readonly { readonly name: string; readonly value: string | number | boolean }[]
}
type Outcome = { readonly __typename: string; readonly code?: string; readonly message?: string }

let lab: WholeLab
let laser: RunningSimulation
let stationId: string
let deviceId: string

beforeAll(async () => {
  lab = await startWholeLab()
  const folder = join(lab.dataDir, 'lab')
  laser = await simulation.start({ folder, name: 'maitai', seed: 1, timeFactor: 100 })
  await writeEntry(folder, 'maitai', laser.entry)
  await until(
    async () => {
      const { devices } = await query<{ devices: { edges: { node: { connection: string } }[] } }>(lab.url, '{ devices { edges { node { connection } } } }')
      return devices.edges.length >= 6 && devices.edges.every(({ node }) => node.connection === 'CONNECTED')
    },
    { deadlineMs: 90_000, what: 'every device is connected' },
  )
})
afterAll(async () => {
  await laser?.[Symbol.asyncDispose]()
  await lab?.stop()
})

const command = async (text: string): Promise<Outcome> => {
  const { answer } = await query<{ answer: Outcome }>(lab.url, `mutation ($id: ID!) { answer: ${text} { __typename ... on Problem { code message } } }`, {
    id: deviceId,
  })
  return answer
}
const now = async (): Promise<Record<string, { readonly [field: string]: unknown }>> => {
  const { device } = await query<{ device: Record<string, { readonly [field: string]: unknown }> }>(
    lab.url,
    '{ device(name: "new-laser") { connection: status { code } shutter { open quality } emission { on quality } wavelength { value { number unit } minimum maximum } } }',
  )
  return device
}

it('is found on its port, beside those that are registered, whose ports are left alone', async () => {
  const { lab: there } = await query<{ lab: { stations: { id: string }[] } }>(lab.url, '{ lab { stations { id } } }')
  stationId = there.stations[0]?.id ?? ''
  const look = async (): Promise<readonly Found[]> => {
    const { discoverDevices } = await query<{ discoverDevices: { found: Found[] } }>(
      lab.url,
      `mutation ($stationId: ID!) { discoverDevices(stationId: $stationId) {
        ... on DiscoverPayload { found { identity port { id path } driver { id } known { name } settings { name value } } } ... on Problem { message } } }`,
      { stationId },
    )
    return discoverDevices.found
  }
  // A probe has little patience, and the machine of a test does other things: a person would look again, too.
  const found = await until(
    async () => {
      const seen = await look()
      return seen.some(({ port, identity }) => port.path === 'sim://maitai' && identity !== null) && seen
    },
    { deadlineMs: 60_000, what: 'the laser is found' },
  )
  expect(found.flatMap(({ known }) => known?.name ?? []).sort()).toEqual(expect.arrayContaining(['power-meter', 'saw', 'stage-x', 'stage-y', 'stage-z']))
  const fresh = found.find(({ port }) => port.path === 'sim://maitai')
  expect(fresh).toMatchObject({ known: null, driver: { id: 'spectra-physics-maitai' }, identity: expect.stringMatching(/Spectra/i) })

  const { registerDevice } = await query<{ registerDevice: Outcome & { id: string } }>(
    lab.url,
    'mutation ($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename ... on Device { id } ... on Problem { message } } }',
    {
      input: {
        name: 'new-laser',
        driver: fresh?.driver?.id,
        stationId,
        settings: fresh?.settings.map(({ name, value }) => ({ name, value: typeof value === 'string' ? { text: value } : { number: value } })),
      },
    },
  )
  expect(registerDevice).toMatchObject({ __typename: 'Device' })
  deviceId = registerDevice.id
  await until(
    async () => (await query<{ device: { connection: string } }>(lab.url, '{ device(name: "new-laser") { connection } }')).device.connection === 'CONNECTED',
    { what: 'the laser is connected' },
  )
})

it('is tuned, and the answer comes when it has arrived; beyond its limits nothing is sent', async () => {
  expect(await command('setWavelength(deviceId: $id, value: 0.85, unit: "um")')).toMatchObject({ __typename: 'CommandPayload' })
  expect((await now())['wavelength']).toMatchObject({ value: { number: expect.closeTo(850, 0), unit: 'nm' } })
  expect(await command('setWavelength(deviceId: $id, value: 2000)')).toMatchObject({ code: 'LIMIT_VIOLATION' })
})

it('gives light when it is warm, is darkened by an emergency stop, and takes nothing before that is released', async () => {
  await until(async () => (await command('setEmission(deviceId: $id, on: true)')).__typename === 'CommandPayload', {
    deadlineMs: 30_000,
    everyMs: 500,
    what: 'the laser is warm',
  })
  expect(await command('setShutter(deviceId: $id, open: true)')).toMatchObject({ __typename: 'CommandPayload' })
  expect(await now()).toMatchObject({ shutter: { open: true, quality: 'GOOD' }, emission: { on: true, quality: 'GOOD' } })

  await query(lab.url, 'mutation { emergencyStop(reason: "a test") { elapsedMs } }')
  await until(async () => (await now())['shutter']?.['open'] === false, { what: 'the shutter closes' })
  expect(await command('setShutter(deviceId: $id, open: true)')).toMatchObject({ code: 'EMERGENCY_STOPPED' })
  expect(await command('setEmission(deviceId: $id, on: true)')).toMatchObject({ code: 'EMERGENCY_STOPPED' })
  await query(lab.url, 'mutation { releaseEmergencyStop { __typename } }')
})

it('that is unplugged and plugged in again says so in the feed of events', async () => {
  const { lab: at } = await query<{ lab: { cursor: string } }>(lab.url, '{ lab { cursor } }')
  await laser.unplug()
  const seen: string[] = []
  const feed = subscribe<{ events: { events: { summary: string }[] } }>(
    lab.url,
    'subscription ($after: Cursor, $ids: [ID!]) { events(after: $after, filter: { kinds: [DEVICE], deviceIds: $ids }) { events { summary } } }',
    { after: at.cursor, ids: [deviceId] },
  )
  for await (const { events } of feed) {
    seen.push(...events.events.map(({ summary }) => summary))
    if (seen.some((line) => line.startsWith('new-laser is reconnecting'))) await laser.plugIn()
    if (seen.at(-1) === 'new-laser is connected') break
  }
  expect(seen[0]).toMatch(/^new-laser is reconnecting: /)
  expect(await now()).toMatchObject({ shutter: { quality: 'GOOD' } })
})
