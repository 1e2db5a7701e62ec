import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCompute } from '../../workers/compute/compute.ts'
import { DOME_SESSION, HARDWARE } from '../storage/importers/fixtures.ts'
import { until } from '../until.ts'
import { startTestLab, type TestLab } from './lab.ts'

let lab: TestLab
let compute: AsyncDisposable

beforeAll(async () => {
  lab = await startTestLab()
  await mkdir(path.join(lab.dataDir, 'import'))
  compute = await startCompute({ dataDir: lab.dataDir, databaseUrl: lab.database.url, redisUrl: lab.database.redisUrl }, { log: () => undefined })
})
afterAll(async () => {
  await compute[Symbol.asyncDispose]()
  await lab.close()
})

type Result = { readonly __typename: string; readonly id?: string; readonly message?: string }

const ask = async (input: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Result> => {
  const query = `mutation ($input: ImportInput!) { requestImport(input: $input) { __typename ... on Job { id } ... on Problem { message } } }`
  return (await lab.ask<{ requestImport: Result }>(query, { input }, headers)).data.requestImport
}

type EndedJob = { readonly state: string; readonly progressText: string; readonly log: readonly string[] }

const ended = async (id: string | undefined): Promise<EndedJob> =>
  await until(
    async () => {
      const { data } = await lab.ask<{ job: EndedJob }>('query ($id: ID!) { job(id: $id) { state progressText log } }', { id })
      return ['COMPLETED', 'FAILED'].includes(data.job.state) && data.job
    },
    { deadlineMs: 30_000, everyMs: 50 },
  )

test('a session file becomes a session with its datasets; the same key is the same job', async () => {
  await writeFile(path.join(lab.dataDir, 'import', 'night.json'), JSON.stringify(DOME_SESSION))
  const input = { name: 'Night', format: 'driftapp-session', url: 'import:night.json?timeZone=Europe/Paris', idempotencyKey: 'night' }
  const first = await ask(input)
  expect(first.__typename).toBe('Job')
  expect(await ended(first.id)).toMatchObject({ state: 'COMPLETED', progressText: '2 tables with 3 rows, 1 new session' })
  expect((await ask(input)).id).toBe(first.id)
  const { data } = await lab.ask<{ sessions: { edges: { node: unknown }[] } }>(
    '{ sessions(first: 5) { edges { node { title state startedAt datasets(first: 5) { edges { node { name rows columns { name unit } } } } } } } }',
  )
  expect(data.sessions.edges[0]?.node).toMatchObject({ title: 'M 42', state: 'CLOSED', startedAt: '2026-01-14T19:15:00.250Z' })
  expect(JSON.stringify(data.sessions.edges[0]?.node)).toContain('{"name":"dome_position","unit":"deg"}')
})

test('devices that are registered are taken up by their station', async () => {
  await writeFile(path.join(lab.dataDir, 'import', 'hardware.toml'), HARDWARE)
  const told: string[] = []
  const hear = (): readonly string[] => {
    told.push('syncDevices')
    return []
  }
  Object.defineProperty(lab.station, 'postponed', { get: hear }) // each syncDevices reads it
  const job = await ended((await ask({ name: 'Bench', format: 'rust-daq-hardware', url: 'import:hardware.toml?register=true' })).id)
  expect(job).toMatchObject({ state: 'COMPLETED', progressText: '3 devices to register' })
  expect(job.log).toContainEqual(expect.stringContaining('spectrometer is left out'))
  const { data } = await lab.ask<{ devices: { edges: { node: { name: string } }[] } }>('{ devices(first: 20) { edges { node { name } } } }')
  expect(data.devices.edges.map(({ node }) => node.name)).toEqual(expect.arrayContaining(['power_meter', 'rotator_2', 'stage_x']))
  await until(() => told.length > 0, { what: 'the station is told' })
})

test('an operator may import, but registering devices is an engineer’s', async () => {
  await writeFile(path.join(lab.dataDir, 'import', 'other.toml'), HARDWARE)
  const { data } = await lab.ask<{ createApiKey: { secret: string } }>(
    'mutation { createApiKey(input: { name: "robot", role: OPERATOR }) { ... on ApiKeyPayload { secret } } }',
  )
  const operator = { authorization: `Bearer ${data.createApiKey.secret}` }
  const input = { name: 'Bench', format: 'rust-daq-hardware', url: 'import:other.toml' }
  expect(await ask({ ...input, url: `${input.url}?register=true` }, operator)).toMatchObject({ __typename: 'Forbidden' })
  const proposed = await ask(input, operator)
  expect(proposed.__typename).toBe('Job')
  expect(await ended(proposed.id)).toMatchObject({ state: 'COMPLETED' })
})

test.each([
  [{ format: 'floppy' }, 'InvalidValue', 'is not one of rust-daq-hardware'],
  [{ url: 'import:../night.json' }, 'InvalidValue', 'is not a plain path'],
  [{ url: 'https://example.com/night.json' }, 'NotSupported', 'put the file into import/'],
  [{ columns: [{ name: 'delta', unit: 'parsnip' }] }, 'InvalidValue', 'no UCUM unit'],
  [{ name: ' ' }, 'InvalidValue', 'give 1 to 200'],
  [{ sessionId: 'U2Vzc2lvbjowMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA' }, 'NotFound', 'session'],
])('%j is refused before there is a job', async (change, type, message) => {
  const before = (await lab.ask<{ jobs: { totalCount: number } }>('{ jobs { totalCount } }')).data.jobs.totalCount
  const refused = await ask({ name: 'Night', format: 'driftapp-session', url: 'import:night.json', ...change })
  expect(refused).toMatchObject({ __typename: type, message: expect.stringContaining(message) })
  expect((await lab.ask<{ jobs: { totalCount: number } }>('{ jobs { totalCount } }')).data.jobs.totalCount).toBe(before)
})
