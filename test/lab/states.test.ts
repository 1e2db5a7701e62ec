import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** What was true, and when it was like that before, in a whole lab: two scans that differ in one setting. */

type Outcome = { readonly __typename: string; readonly id: string; readonly message: string }
type Difference = {
  readonly device: { readonly name: string }
  readonly parameter: { readonly name: string }
  readonly from: { readonly number: number } | null
  readonly to: { readonly number: number }
  readonly delta: number
}

const WAVELENGTHS = [700, 850] as const
const COMMIT = '0123456789abcdef0123456789abcdef01234567'

let lab: WholeLab
let ids: Record<string, string>
const runs: { readonly id: string; readonly startedAt: string }[] = []

beforeAll(async () => {
  lab = await startWholeLab({ env: { KYMOGRAPH_COMMIT: COMMIT } })
  ids = await until(
    async () => {
      const { devices } = await query<{ devices: { edges: { node: { id: string; name: string; connection: string } }[] } }>(
        lab.url,
        '{ devices { edges { node { id name connection } } } }',
      )
      const nodes = devices.edges.map(({ node }) => node)
      return nodes.length >= 6 && nodes.every(({ connection }) => connection === 'CONNECTED') && Object.fromEntries(nodes.map(({ id, name }) => [name, id]))
    },
    { deadlineMs: 90_000, what: 'every device is connected' },
  )
  for (const wavelength of WAVELENGTHS) {
    await setWavelength(wavelength)
    runs.push(await scan())
  }
})
afterAll(async () => {
  await lab?.stop()
})

async function setWavelength(wavelength: number): Promise<void> {
  const { setParameter } = await query<{ setParameter: Outcome }>(
    lab.url,
    `mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename ... on Problem { message } } }`,
    { input: { deviceId: ids['power-meter'], name: 'wavelength', value: { number: wavelength }, unit: 'nm', options: { reason: 'another laser' } } },
  )
  expect(setParameter).toMatchObject({ __typename: 'CommandPayload' })
}

async function scan(): Promise<{ readonly id: string; readonly startedAt: string }> {
  const { startRun } = await query<{ startRun: Outcome }>(
    lab.url,
    `mutation ($input: RunInput!) { startRun(input: $input) { __typename ... on Run { id } ... on Problem { message } } }`,
    {
      input: {
        plan: {
          linearScan: { axes: [{ role: 'stage-x', start: 8, stop: 10, unit: 'mm' }], num: 3, detectors: [{ role: 'power-meter' }], after: 'RETURN' },
        },
      },
    },
  )
  expect(startRun).toMatchObject({ __typename: 'Run' })
  return until(
    async () => {
      const { run } = await query<{ run: { id: string; state: string; startedAt: string } }>(
        lab.url,
        'query ($id: ID!) { run(id: $id) { id state startedAt exitReason } }',
        { id: startRun.id },
      )
      return run.state === 'COMPLETED' && run
    },
    { deadlineMs: 30_000, what: 'the scan is done' },
  )
}

const run = (at: number) => runs[at] ?? { id: '', startedAt: '' }

describe('after two scans with different wavelengths', () => {
  it('the state of the lab at any moment can be asked', async () => {
    const wavelengthAt = async (at: string): Promise<number | undefined> => {
      const { labState } = await query<{ labState: { readings: { parameter: { name: string }; reading: { number: number; quality: string } }[] } }>(
        lab.url,
        'query ($at: Time!, $ids: [ID!]) { labState(at: $at, deviceIds: $ids) { readings { parameter { name } reading { number quality } age } } }',
        { at, ids: [ids['power-meter']] },
      )
      const found = labState.readings.find(({ parameter }) => parameter.name === 'wavelength')
      expect(found?.reading.quality).toBe('GOOD')
      return found?.reading.number
    }
    expect(await wavelengthAt(run(0).startedAt)).toBe(WAVELENGTHS[0])
    expect(await wavelengthAt(run(1).startedAt)).toBe(WAVELENGTHS[1])
  })

  it('the difference of the two names the wavelength first', async () => {
    const { stateDiff } = await query<{ stateDiff: Difference[] }>(
      lab.url,
      'query ($from: ID!, $to: ID!) { stateDiff(from: { runId: $from }, to: { runId: $to }) { device { name } parameter { name } from { number } to { number } delta relative } }',
      { from: run(0).id, to: run(1).id },
    )
    expect(stateDiff[0]).toMatchObject({
      device: { name: 'power-meter' },
      parameter: { name: 'wavelength' },
      from: { number: WAVELENGTHS[0] },
      to: { number: WAVELENGTHS[1] },
      delta: WAVELENGTHS[1] - WAVELENGTHS[0],
    })
  })

  it('the run that was like now is found, and what makes the other unlike', async () => {
    type Match = { run: { id: string }; distance: number; contributions: { parameter: { name: string }; distance: number }[] }
    const similar = async (): Promise<Match[]> =>
      (
        await query<{ similarStates: Match[] }>(
          lab.url,
          `query ($ids: [ID!]) { similarStates(to: { now: true }, first: 2, filter: { deviceIds: $ids }) { run { id } distance similarity
             contributions { parameter { name } from { number } to { number } distance } } }`,
          { ids: [ids['power-meter'], ids['stage-x'], ids['stage-y'], ids.camera] }, // the saw goes its own way
        )
      ).similarStates
    for (const [at, wavelength] of WAVELENGTHS.entries()) {
      await setWavelength(wavelength)
      const [nearest, other] = await similar()
      expect(nearest?.run.id).toBe(run(at).id)
      expect(other?.contributions[0]?.parameter.name).toBe('wavelength')
      for (const { distance, contributions } of [nearest, other].flatMap((match) => match ?? []))
        expect(Math.abs(contributions.reduce((sum, contribution) => sum + contribution.distance, 0) - distance)).toBeLessThanOrEqual(1e-9)
    }
  })

  it('session and runs have a manifest of every parameter, every driver and the software, that can be downloaded and checked', async () => {
    type Device = { name: string; driverId: string; parameters: { name: string }[] }
    type Software = { version: string; commit: string; drivers: Record<string, string> }
    type Manifested = { manifest: { url: string; sha256: string; parameters: { deviceName: string; parameter: string }[]; software: Software } }
    const MANIFEST = 'manifest { url sha256 parameters { deviceName parameter } software }'
    const {
      run: started,
      devices,
      lab: { version },
    } = await query<{ run: Manifested & { session: Manifested }; devices: { edges: { node: Device }[] }; lab: { version: string } }>(
      lab.url,
      `query ($id: ID!) { run(id: $id) { ${MANIFEST} session { ${MANIFEST} } } devices { edges { node { name driverId parameters { name } } } } lab { version } }`,
      { id: run(0).id },
    )
    const nodes = devices.edges.map(({ node }) => node)
    const every = nodes.flatMap((device) => device.parameters.map(({ name }) => `${device.name}.${name}`)).sort()
    expect(every.length).toBeGreaterThan(50)
    for (const { manifest } of [started, started.session]) {
      expect(manifest.parameters.map(({ deviceName, parameter }) => `${deviceName}.${parameter}`).sort()).toEqual(every)
      expect(manifest.software).toMatchObject({ version, commit: COMMIT })
      expect(Object.keys(manifest.software.drivers).sort()).toEqual([...new Set(nodes.map(({ driverId }) => driverId))].sort())
      for (const known of Object.values(manifest.software.drivers)) expect(known).toMatch(/^\d+\.\d+/)
      const text = await (await fetch(new URL(manifest.url, lab.url))).text()
      expect(createHash('sha256').update(text).digest('hex')).toBe(manifest.sha256)
    }
  })

  it('a preset of now can be compared with a run', async () => {
    await setWavelength(WAVELENGTHS[1])
    const { savePreset } = await query<{ savePreset: Outcome }>(
      lab.url,
      'mutation ($input: SavePresetInput!) { savePreset(input: $input) { __typename ... on Preset { id } ... on Problem { message } } }',
      { input: { name: 'second laser', deviceIds: [ids['power-meter'], ids['stage-x']] } },
    )
    expect(savePreset).toMatchObject({ __typename: 'Preset' })
    const { presetDiff } = await query<{ presetDiff: Difference[] }>(
      lab.url,
      'query ($id: ID!, $run: ID!) { presetDiff(id: $id, with: { runId: $run }) { device { name } parameter { name } from { number } to { number } delta } }',
      { id: savePreset.id, run: run(0).id },
    )
    expect(presetDiff[0]).toMatchObject({ parameter: { name: 'wavelength' }, delta: WAVELENGTHS[0] - WAVELENGTHS[1] })
  })

  it('an exposure leaves who set it and why, too', async () => {
    const { configureCamera } = await query<{ configureCamera: Outcome }>(
      lab.url,
      `mutation ($input: ConfigureCameraInput!) { configureCamera(input: $input) { __typename ... on Problem { message } } }`,
      { input: { deviceId: ids.camera, exposureSeconds: 0.02, options: { reason: 'too dark' } } },
    )
    expect(configureCamera).toMatchObject({ __typename: 'CommandPayload' })
    const change = await until(async () => {
      const { device } = await query<{ device: { parameter: { changes: { edges: { node: { new: { number: number }; cause: object } }[] } } } }>(
        lab.url,
        '{ device(name: "camera") { parameter(name: "exposure") { changes(first: 1) { edges { node { new { number } cause { kind reason actor } } } } } } }',
      )
      return device.parameter.changes.edges[0]?.node
    })
    expect(change).toMatchObject({ new: { number: 0.02 }, cause: { kind: 'PERSON', reason: 'too dark' } })
  })
})
