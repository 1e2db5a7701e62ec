import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../../../api/global-id.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import { VERSION } from '../../../core/version.ts'
import { until } from '../../until.ts'
import { CAMERA, METER, STAGE } from '../fake-station.ts'
import { startTestLab, type TestLab } from '../lab.ts'

let lab: TestLab
let sessionId: string
beforeAll(async () => {
  lab = await startTestLab({ commit: 'abc123' })
  const { data } = await lab.ask<{ startSession: { id: string } }>('mutation { startSession(input: { title: "a day" }) { ... on Session { id } } }')
  sessionId = data.startSession.id
})
afterAll(() => lab.close())

type Difference = {
  readonly parameter: { readonly name: string }
  readonly from: { readonly number: number | null; readonly text: string | null } | null
  readonly to: { readonly number: number | null; readonly quality: string }
  readonly delta: number | null
  readonly relative: number | null
}
const FIELDS = 'device { name } parameter { name } from { number text unit quality } to { number text unit quality reason } delta relative'
async function stateDiff(from: object, to: object, deviceIds?: readonly string[]): Promise<readonly Difference[]> {
  const { data, errors } = await lab.ask<{ stateDiff: Difference[] }>(
    `query ($from: StateRef!, $to: StateRef!, $deviceIds: [ID!]) { stateDiff(from: $from, to: $to, deviceIds: $deviceIds) { ${FIELDS} } }`,
    { from, to, deviceIds },
  )
  expect(errors).toBeUndefined()
  return data.stateDiff
}

/** A run as it stands after its start, with what it knew. */
async function runWith(values: Readonly<Record<string, readonly [string, ParameterValue, string?]>>): Promise<string> {
  const { prisma } = lab.api.services.database
  const parameters = Object.entries(values).map(([parameter, [deviceId, value, unit]]) => ({
    deviceId,
    deviceName: deviceId === METER ? 'meter' : 'stage',
    parameter,
    ...(unit !== undefined && { unit }),
    reading: { time: '1700000000000000000', quality: 'GOOD', value },
  }))
  const manifest = { takenAt: '1700000000000000000', parameters, software: { version: '1', commit: 'c', drivers: { 'fake-meter': '1.0.0' }, node: 'v20' } }
  const session = await prisma.session.findFirstOrThrow()
  const run = await prisma.run.create({
    data: {
      sessionId: session.id,
      stationId: lab.station.stationId,
      plan: {},
      planType: 'count',
      summary: 's',
      actor: 'ada',
      manifest: JSON.parse(JSON.stringify(manifest)),
    },
  })
  return globalId('Run', run.id)
}

describe('the manifest', () => {
  it('of a session holds every parameter, the drivers in use and the software at its start', async () => {
    const { data } = await lab.ask<{ session: { manifest: { parameters: object[]; software: object; takenAt: string } } }>(
      'query ($id: ID!) { session(id: $id) { manifest { takenAt parameters { deviceName parameter reading { number text unit quality } } software } } }',
      { id: sessionId },
    )
    const { parameters, software } = data.session.manifest
    expect(parameters).toHaveLength(5)
    expect(parameters).toContainEqual({ deviceName: 'stage', parameter: 'position', reading: { number: 2.5, text: null, unit: 'mm', quality: 'GOOD' } })
    expect(software).toEqual({
      version: VERSION,
      commit: 'abc123',
      drivers: { 'fake-stage': '1.0.0', 'fake-meter': '1.0.0', 'fake-camera': '1.0.0' },
      node: process.version,
    })
  })

  it('of a session has the driver of a device of which nothing is known, too', async () => {
    const camera = lab.station.device(CAMERA)
    lab.station.change({ ...camera, parameters: [] })
    const { software, parameters } = await until(async () => {
      const { data } = await lab.ask<{ startSession: { manifest: { parameters: { deviceName: string }[]; software: { drivers: object } } } }>(
        'mutation { startSession(input: { title: "dark" }) { ... on Session { manifest { parameters { deviceName } software } } } }',
      )
      const { manifest } = data.startSession
      return manifest.parameters.every(({ deviceName }) => deviceName !== 'camera') && manifest
    })
    expect(parameters).toHaveLength(4)
    expect(software.drivers).toHaveProperty('fake-camera', '1.0.0')
    lab.station.change(camera)
  })

  it('of a session has a device whose driver and station are gone, and says so', async () => {
    const { prisma } = lab.api.services.database
    const { id: stationId } = await prisma.station.create({ data: { name: 'absent', host: 'elsewhere' } })
    const port = await prisma.port.create({ data: { stationId, address: 'sim://lost', kind: 'SERIAL' } })
    const device = await prisma.device.create({
      data: { name: 'lost', driverId: 'gone-plugin', stationId, portId: port.id, settings: {}, simulated: true },
    })
    const { data } = await lab.ask<{ startSession: { manifest: { devices: object[]; software: { drivers: object } } } }>(
      `mutation { startSession(input: { title: "without a driver" }) {
         ... on Session { manifest { devices { deviceName driverId connection connectionReason } software } } } }`,
    )
    const { devices, software } = data.startSession.manifest
    expect(software.drivers).toMatchObject({ 'gone-plugin': 'unknown', 'fake-stage': '1.0.0' })
    expect(devices).toHaveLength(4)
    expect(devices).toContainEqual({ deviceName: 'lost', driverId: 'gone-plugin', connection: 'DISCONNECTED', connectionReason: 'its station is away' })
    expect(devices).toContainEqual({ deviceName: 'stage', driverId: 'fake-stage', connection: 'CONNECTED', connectionReason: null })
    await prisma.device.update({ where: { id: device.id }, data: { removedAt: new Date() } })
  })

  it('is a file whose checksum is the one that is told', async () => {
    const runId = await runWith({ power: [METER, 1e-7, 'W'] })
    const { data } = await lab.ask<Record<'session' | 'run', { manifest: { url: string; sha256: string } }>>(
      'query ($session: ID!, $run: ID!) { session(id: $session) { manifest { url sha256 } } run(id: $run) { manifest { url sha256 } } }',
      { session: sessionId, run: runId },
    )
    for (const { manifest } of [data.session, data.run]) {
      const response = await fetch(new URL(manifest.url, lab.api.url))
      expect(response.headers.get('content-type')).toContain('application/json')
      const text = await response.text()
      expect(createHash('sha256').update(text).digest('hex')).toBe(manifest.sha256)
      expect(JSON.parse(text)).toMatchObject({ parameters: expect.any(Array), software: expect.any(Object) })
      const again = await fetch(new URL(manifest.url, lab.api.url), { headers: { 'if-none-match': response.headers.get('etag') ?? '' } })
      expect(again.status).toBe(304)
    }
    expect((await fetch(new URL('/files/manifests/runs/none.json', lab.api.url))).status).toBe(404)
  })
})

describe('the difference of two states', () => {
  it('names what was set before what was measured, the largest change first, and no noise', async () => {
    const { prisma } = lab.api.services.database
    const spec = (name: string, more: Partial<ParameterSpec>) => ({
      deviceId: METER,
      name,
      spec: { name, description: '', kind: 'FLOAT', access: 'READ_ONLY', ...more },
    })
    await prisma.parameter.createMany({
      data: [
        spec('wavelength', { access: 'READ_WRITE', unit: 'nm' }),
        spec('gain', { access: 'READ_WRITE' }),
        spec('temperature', { deadband: 0.5, unit: 'Cel' }),
        spec('energy', { unit: 'J' }),
      ],
    })
    const common = { power: [METER, 1, 'W'] } as const
    const before = await runWith({
      ...common,
      wavelength: [METER, 600, 'nm'],
      gain: [METER, 10],
      temperature: [METER, 20, 'Cel'],
      energy: [METER, 1, 'J'],
      range: [METER, 'auto'],
    })
    const after = await runWith({
      ...common,
      wavelength: [METER, 650, 'nm'],
      gain: [METER, 11],
      temperature: [METER, 20.4, 'Cel'],
      energy: [METER, 900, 'mJ'],
      range: [METER, 'high'],
    })
    const found = await stateDiff({ runId: before }, { runId: after })
    expect(found.map(({ parameter }) => parameter.name)).toEqual(['range', 'gain', 'wavelength', 'energy'])
    expect(found[2]).toMatchObject({ from: { number: 600 }, to: { number: 650 }, delta: 50, relative: 50 / 600 })
    expect(found[3]).toMatchObject({ from: { number: 1000, unit: 'mJ' }, to: { number: 900, unit: 'mJ' }, delta: -100, relative: -0.1 })
    expect(found[0]).toMatchObject({ from: { text: 'auto' }, to: { text: 'high' }, delta: null, relative: null })
    expect(await stateDiff({ runId: before }, { runId: before })).toEqual([])
  })

  it('shows what has come and what has gone', async () => {
    const one = await runWith({ power: [METER, 1, 'W'] })
    const other = await runWith({ position: [STAGE, 3, 'mm'] })
    const found = await stateDiff({ runId: one }, { runId: other })
    expect(found.find(({ parameter }) => parameter.name === 'position')).toMatchObject({ from: null, to: { number: 3 } })
    expect(found.find(({ parameter }) => parameter.name === 'power')).toMatchObject({ from: { number: 1 }, to: { quality: 'BAD', number: null } })
  })

  it('is told between a session, a moment and now', async () => {
    lab.station.publish([1, 4])
    const found = await until(async () => {
      const differences = await stateDiff({ sessionId }, { now: true })
      return differences.length > 0 && differences
    })
    expect(found).toMatchObject([{ parameter: { name: 'position' }, from: { number: 2.5 }, to: { number: 4 }, delta: 1.5, relative: 0.6 }])
    expect(await stateDiff({ at: '2000-01-01T00:00:00Z' }, { sessionId })).toHaveLength(5)
  })

  it('is told between any two of a session, a run, a moment, a preset and now, and for the devices asked for', async () => {
    const { prisma } = lab.api.services.database
    const { key } = await prisma.parameter.create({
      data: { deviceId: STAGE, name: 'velocity', spec: { name: 'velocity', kind: 'FLOAT', unit: 'mm/s', description: '', access: 'READ_WRITE' } },
    })
    await prisma.sample.create({ data: { parameterKey: key, time: 1_700_000_000_000_000_000n, sequence: 1n, quality: 0, number: 3 } })
    const { data } = await lab.ask<{ savePreset: { id: string } }>(
      'mutation ($input: SavePresetInput!) { savePreset(input: $input) { ... on Preset { id } ... on Problem { message } } }',
      { input: { name: 'fast', values: [{ deviceId: globalId('Device', STAGE), parameter: 'velocity', value: { number: 4 } }] } },
    )
    /** With what each says of the velocity. */
    const references: readonly (readonly [object, number])[] = [
      [{ sessionId }, 1],
      [{ runId: await runWith({ velocity: [STAGE, 2, 'mm/s'] }) }, 2],
      [{ at: '2023-11-14T22:13:20Z' }, 3],
      [{ presetId: data.savePreset.id }, 4],
      [{ now: true }, 5],
    ]
    const [position, velocity] = lab.station.device(STAGE).parameters
    const reading = { time: BigInt(Date.now()) * 1_000_000n, quality: 'GOOD', value: 5 } as const
    if (position === undefined || velocity === undefined) throw new Error('the stage has no velocity')
    lab.station.change({ ...lab.station.device(STAGE), parameters: [position, { ...velocity, reading }] })
    await until(async () => (await stateDiff({ now: true }, { presetId: data.savePreset.id })).some(({ from }) => from?.number === 5))
    for (const [from, before] of references)
      for (const [to, after] of references) {
        const found = (await stateDiff(from, to)).filter(({ parameter }) => parameter.name === 'velocity')
        const expected = { parameter: { name: 'velocity' }, from: { number: before }, to: { number: after }, delta: after - before }
        expect([from, to, found]).toMatchObject([from, to, before === after ? [] : [expected]])
        expect((await stateDiff(from, to, [globalId('Device', METER)])).filter(({ parameter }) => parameter.name === 'velocity')).toEqual([])
      }
  })

  it('is refused for what is not there, and for two references at once', async () => {
    const ask = (from: object) => lab.ask('query ($from: StateRef!) { stateDiff(from: $from, to: { now: true }) { delta } }', { from })
    expect((await ask({ runId: globalId('Run', METER) })).errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' })
    expect((await ask({ now: true, at: '2000-01-01T00:00:00Z' })).errors?.[0]?.message).toMatch(/exactly one/i)
    expect((await ask({ now: false })).errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_VALUE' })
    const { prisma } = lab.api.services.database
    const waiting = await prisma.run.create({
      data: {
        sessionId: (await prisma.session.findFirstOrThrow()).id,
        stationId: lab.station.stationId,
        plan: {},
        planType: 'count',
        summary: 's',
        actor: 'ada',
      },
    })
    expect((await ask({ runId: globalId('Run', waiting.id) })).errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT' })
  })
})
