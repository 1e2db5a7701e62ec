import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParameterValue } from '../../../core/reading.ts'
import { type Database, openDatabase } from '../../../prisma/client.ts'
import { storeState } from '../../../prisma/states.ts'
import { startCompute } from '../../../workers/compute/compute.ts'
import { requestDueEmbedding } from '../../../workers/compute/embedding-due.ts'
import { embedStates } from '../../../workers/jobs/embedding.ts'
import type { JobContext } from '../../../workers/jobs/job.ts'
import { startTestDatabase, type TestDatabase } from '../../harness/database.ts'
import { until } from '../../until.ts'
import { insertRun, insertStation, type StationRows } from '../station/journal/station-rows.ts'

let server: TestDatabase
let database: Database
let rows: StationRows
let keys: Readonly<Record<string, number>>
beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
  rows = await insertStation(database)
  const removed = await insertStation(database)
  await database.prisma.device.update({ where: { id: removed.deviceId }, data: { removedAt: new Date() } })
  keys = Object.fromEntries(
    await Promise.all(
      ['fine', 'coarse', 'mode', 'gone'].map(async (name) => {
        const deviceId = name === 'gone' ? removed.deviceId : rows.deviceId
        const { key } = await database.prisma.parameter.create({
          data: { deviceId, name, spec: { name, kind: 'FLOAT', description: '', access: 'READ_ONLY' } },
        })
        return [name, key] as const
      }),
    ),
  )
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server.stop()
})

async function plant(values: Readonly<Record<string, ParameterValue>>): Promise<string> {
  const runId = await insertRun(database, rows)
  const client = await database.pool.connect()
  await client.query('BEGIN')
  await storeState(
    client,
    runId,
    1n,
    Object.entries(values).map(([name, value]) => ({ key: keys[name] ?? 0, reading: { time: 1n, quality: 'GOOD', value } })),
  )
  await client.query('COMMIT')
  client.release()
  return runId
}
/** Evenly spread over ±1. */
const spread = (at: number): number => ((at * 7) % 20) / 10 - 0.95

const projections = () => database.prisma.stateProjection.findMany({ orderBy: { generation: 'asc' }, include: { _count: { select: { vectors: true } } } })
const context = (): JobContext => ({
  jobId: 'j',
  attempt: 1,
  database,
  dataDir: '',
  signal: new AbortController().signal,
  progress: () => undefined,
  log: () => undefined,
})

describe('the embedding of states', () => {
  it('is due when there are eight, then whenever they have doubled, once for all compute processes', async () => {
    for (let at = 0; at < 7; at += 1) await plant({ fine: 5 + 0.01 * spread(at), coarse: 100 * spread(at), mode: at % 2 === 0 ? 'a' : 'b', gone: at })
    expect(await requestDueEmbedding(database)).toBe(false)
    for (let at = 7; at < 20; at += 1) await plant({ fine: 5 + 0.01 * spread(at), coarse: 100 * spread(at), mode: 'a', gone: at })
    const both = await Promise.all([requestDueEmbedding(database), requestDueEmbedding(database)])
    expect(both.filter(Boolean)).toHaveLength(1)
    expect(await requestDueEmbedding(database)).toBe(false)
  })

  it('leaves everything as it was when it is not completed, and gives every state that comes meanwhile both vectors', async () => {
    const outcome = await embedStates.run({ jobId: 'j' }, context())
    expect(await projections()).toMatchObject([
      { generation: 1, complete: true, _count: { vectors: 20 } },
      { generation: 2, complete: false, fittedTo: 20, _count: { vectors: 20 } },
    ])
    await plant({ fine: 5 })
    expect(await projections()).toMatchObject([{ _count: { vectors: 21 } }, { _count: { vectors: 21 } }])
    await outcome.undo()
    expect(await projections()).toMatchObject([{ generation: 1, complete: true, _count: { vectors: 21 } }])
  })

  it('is done by the compute process: scales fitted to all states, a vector of each, the one before gone', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kymograph-embedding-'))
    const compute = await startCompute({ dataDir, databaseUrl: server.url, redisUrl: server.redisUrl }, { log: () => undefined })
    try {
      await until(async () => (await database.prisma.job.findFirst({ where: { name: 'embedding', state: 'COMPLETED' } })) !== null, { deadlineMs: 20_000 })
    } finally {
      await compute[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    }
    expect(await projections()).toMatchObject([{ complete: true, fittedTo: 21, _count: { vectors: 21 } }])
    const scales = await database.prisma.stateScale.findMany({ orderBy: { slot: 'asc' } })
    const of = (name: string) => scales.find(({ parameterKey }) => parameterKey === keys[name])
    expect(scales.map(({ slot }) => slot)).toEqual([0, 1, 2])
    expect(of('fine')?.center).toBeCloseTo(5, 2)
    expect(of('fine')?.spread).toBeGreaterThan(0.003)
    expect(of('fine')?.spread).toBeLessThan(0.01)
    expect(of('coarse')?.spread).toBeGreaterThan(30)
    expect(of('gone')).toBeUndefined()
    const state = await plant({ fine: 5, gone: 3 })
    expect(await database.prisma.stateVector.findMany({ where: { runId: state }, select: { generation: true } })).toEqual([
      { generation: scales[0]?.generation },
    ])
  })

  it('is due at once when no vectors of this version are there', async () => {
    await database.prisma.stateProjection.updateMany({ data: { version: 0 } })
    await plant({ fine: 5 })
    expect(await requestDueEmbedding(database)).toBe(true)
    const outcome = await embedStates.run({ jobId: 'j' }, context())
    await database.prisma.$transaction((tx) => outcome.commit(tx))
    expect(await projections()).toMatchObject([{ version: 1, complete: true, _count: { vectors: 23 } }])
  })
})
