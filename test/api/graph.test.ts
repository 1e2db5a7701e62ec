import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../../api/global-id.ts'
import { openLadybug } from '../../graph/ladybug/engine.ts'
import { serveGraph } from '../../graph/ladybug/server.ts'
import { graphSocketPath, openGraph } from '../../graph/open.ts'
import type { GraphStore } from '../../graph/store.ts'
import { startProjection } from '../../workers/graph/projection.ts'
import { until } from '../until.ts'
import { METER, STAGE } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'

const DRIVERS = [
  { id: 'fake-stage', capabilities: ['MOVABLE', 'PARAMETERIZED'] },
  { id: 'fake-meter', capabilities: ['READABLE'] },
]
const IMPACT = `query ($of: ID!) {
  lab { name }
  impact(of: $of) { asOf subject { label kind node { id } } devices { name } parameters { name } runs { number state } sessions { title } jobs { name } explanation }
}`
type ImpactAnswer = {
  lab: { name: string }
  impact: { asOf: string; devices: { name: string }[]; runs: { state: string }[]; explanation: string[] } & Record<string, unknown>
}

let lab: TestLab
let store: GraphStore
let serving: AsyncDisposable
let projection: AsyncDisposable
let portId: string

beforeAll(async () => {
  lab = await startTestLab()
  const { prisma } = lab.api.services.database
  const { portId: local, stationId } = await prisma.device.findUniqueOrThrow({ where: { id: STAGE } })
  portId = globalId('Port', local)
  const session = await prisma.session.create({ data: { title: 'Beam', operator: 'ada' } })
  const job = await prisma.job.create({ data: { queue: 'q', name: 'acquisition', requestedBy: 'ada', payload: {} } })
  const run = { sessionId: session.id, stationId, plan: {}, planType: 'linearScan', summary: 'scan', actor: 'ada' }
  for (const [state, deviceId, role] of [
    ['QUEUED', STAGE, 'axis'],
    ['COMPLETED', STAGE, 'axis'],
    ['RUNNING', METER, 'detector'],
  ] as const)
    await prisma.run.create({ data: { ...run, state, ...(state === 'QUEUED' && { jobId: job.id }), devices: { create: { deviceId, role } } } })
  await prisma.parameter.create({ data: { deviceId: STAGE, name: 'position', spec: { name: 'position', kind: 'FLOAT', access: 'READ_WRITE' } } })
})
afterAll(async () => {
  await projection?.[Symbol.asyncDispose]()
  await serving?.[Symbol.asyncDispose]()
  await store?.[Symbol.asyncDispose]()
  await lab.close()
})

async function backend(): Promise<Record<string, unknown> | undefined> {
  const { data } = await lab.ask<{ lab: { backends: { role: string }[] } }>('{ lab { backends { role kind embedded state } } }')
  return data.lab.backends.find(({ role }) => role === 'GRAPH')
}

describe('while the graph is away', () => {
  it('an impact is null with the reason, and the rest of the answer is there', async () => {
    const { data, errors } = await lab.ask(IMPACT, { of: portId })
    expect(data).toEqual({ lab: { name: 'Kymograph' }, impact: null })
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^the graph cannot be asked: the embedded graph is away/),
        extensions: { code: 'GRAPH_UNAVAILABLE' },
      }),
    ])
  })

  it('the lab says so', async () => {
    expect(await backend()).toEqual({ role: 'GRAPH', kind: 'LadybugDB', embedded: true, state: 'DOWN' })
    const { data } = await lab.ask<{ health: { state: string; components: { name: string; state: string; message: string }[] } }>(
      '{ health { state components { name state message } } }',
    )
    expect(data.health.state).toBe('DEGRADED')
    expect(data.health.components).toContainEqual({ name: 'graph', state: 'DOWN', message: expect.stringContaining('away') })
  })
})

describe('with a graph', () => {
  beforeAll(async () => {
    const socketPath = graphSocketPath(lab.dataDir)
    store = await openLadybug(join(lab.dataDir, 'graph'), () => undefined)
    serving = await serveGraph(store, socketPath)
    const { errors } = await lab.ask(IMPACT, { of: portId })
    expect(errors?.[0]?.message).toBe('the graph cannot be asked: it is being made anew')
    projection = startProjection({
      databaseUrl: lab.api.services.config.databaseUrl,
      store: openGraph({ socketPath }),
      catalog: { drivers: DRIVERS },
      log: () => undefined,
    })
    await until(async () => (await backend())?.['state'] === 'OK', { what: 'a whole graph' })
  })

  it('the impact of a port names what hangs on it', async () => {
    const start = Date.now()
    const impact = await until(async () => {
      const { data, errors } = await lab.ask<ImpactAnswer>(IMPACT, { of: portId })
      expect(errors).toBeUndefined()
      return Date.parse(data.impact.asOf) >= start && data.impact // every change from before the question is in it
    })
    expect(impact).toEqual({
      asOf: expect.any(String),
      subject: { label: 'sim://stage', kind: 'Port', node: { id: portId } },
      devices: [{ name: 'stage' }],
      parameters: [{ name: 'position' }],
      runs: [{ number: 1, state: 'QUEUED' }],
      sessions: [{ title: 'Beam' }],
      jobs: [{ name: 'acquisition' }],
      explanation: [
        '1 device hangs on the port sim://stage: stage',
        '1 parameter can then neither be read nor set',
        'run 1 of the session “Beam” waits for stage as axis',
      ],
    })
  })

  it('follows a change of the registry', async () => {
    await lab.api.services.database.prisma.run.updateMany({ where: { number: 1 }, data: { state: 'ABORTED' } })
    const answer = await until(async () => {
      const { data } = await lab.ask<ImpactAnswer>(IMPACT, { of: portId })
      return data.impact.runs.length === 0 && data.impact
    })
    expect(answer.explanation).toContain('the open session “Beam” has used it')
  })

  it('tells ways and neighbourhoods with nodes of the API', async () => {
    const stage = globalId('Device', STAGE)
    const station = globalId('Station', lab.station.stationId)
    const { data, errors } = await lab.ask(
      `query ($from: ID!, $to: ID!) {
        graphPath(from: $from, to: $to) { from { id label } relation to { id kind node { __typename } } }
        neighbourhood(of: $from) { nodes { label kind node { __typename } } edges { relation } }
        none: graphPath(from: $from, to: "${globalId('Run', '00000000-0000-7000-8000-000000000000')}") { relation }
      }`,
      { from: stage, to: station },
    )
    expect(errors).toBeUndefined()
    expect(data['graphPath']).toEqual([
      { from: { id: stage, label: 'stage' }, relation: 'ON_PORT', to: { id: portId, kind: 'Port', node: { __typename: 'Port' } } },
      { from: { id: portId, label: 'sim://stage' }, relation: 'PORT_OF', to: { id: station, kind: 'Station', node: { __typename: 'Station' } } },
    ])
    expect(data['none']).toBeNull()
    expect(data['neighbourhood']).toMatchObject({
      nodes: expect.arrayContaining([
        { label: 'position', kind: 'Parameter', node: { __typename: 'Parameter' } },
        { label: 'MOVABLE', kind: 'Capability', node: null },
      ]),
    })
  })

  it.each([
    ['a run', () => globalId('Run', STAGE), 'NOT_SUPPORTED'],
    ['a dataset', () => globalId('Dataset', STAGE), 'NOT_FOUND'],
    ['a port that is not there', () => globalId('Port', STAGE), 'NOT_FOUND'],
    ['nonsense', () => 'nonsense', 'NOT_FOUND'],
  ])('refuses the impact of %s', async (_what, of, code) => {
    const { data, errors } = await lab.ask(IMPACT, { of: of() })
    expect(data).toMatchObject({ impact: null })
    expect(errors?.[0]?.extensions?.['code']).toBe(code)
  })

  it('bounds a neighbourhood', async () => {
    const { errors } = await lab.ask(`{ neighbourhood(of: "${globalId('Device', STAGE)}", hops: 9) { asOf } }`)
    expect(errors?.[0]).toMatchObject({ message: 'hops: 9 is not allowed; give 1 to 3', extensions: { code: 'INVALID_VALUE' } })
  })
})
