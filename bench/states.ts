import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ApiConfig } from '../api/config.ts'
import { createContext } from '../api/context.ts'
import { globalId } from '../api/global-id.ts'
import { createLog } from '../api/log.ts'
import { Opened } from '../api/opened.ts'
import { startApi } from '../api/server.ts'
import { type SimilarityRequest, similarStates } from '../api/states/similar.ts'
import { LAST_SAMPLES } from '../api/states/snapshot.ts'
import type { Actor } from '../core/cause.ts'
import { hardwareState, packState } from '../core/hardware-state.ts'
import { uuidv7 } from '../core/id.ts'
import { formatRfc3339 } from '../core/time.ts'
import { startTestDatabase } from '../test/harness/database.ts'
import { query } from '../test/harness/graphql.ts'
import { embedStates } from '../workers/jobs/embedding.ts'
import { median, percentile, say } from './report.ts'

/**
 * `labState` and `similarStates` against the plain SQL below them, in turns in one run, and how many of the truly nearest ten are found. On the embedded
 * database: `npm run bench:states`; on PostgreSQL, with an index: `.ci/servers npm run bench:states -- 100000`, or with TEST_DATABASE_URL and TEST_REDIS_URL set.
 */
const STATES = Number(process.argv[2] ?? 5_000)
const PARAMETERS = 100
const SETTINGS = 30 // the first ones: changed now and then to one of a few values; the others are measured, drift and are noisy
const SAMPLES_A_STATE = 10 // of history
const QUESTIONS = 200
const EXACT_QUESTIONS = 200 // one in a thousand questions may lose all its ten (the index is a graph): fewer would measure luck
const FIRST = 10
const ROWS_A_STATEMENT = 1_000
const START = 1_700_000_000_000_000_000n
const STATE_EVERY_NS = 60_000_000_000n
const ADA: Actor = { id: 'ada', name: 'ada', role: 'VIEWER', kind: 'PERSON' }

if (process.env['TEST_DATABASE_URL'] !== undefined) process.env['TEST_PROFILE'] = 'services'
await using opened = new Opened()
const dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-bench-'))
opened.defer(() => rm(dataDir, { recursive: true }))
await mkdir(path.join(dataDir, 'run'))
const database = await startTestDatabase()
opened.defer(() => database.stop())
const { url, redisUrl } = database
const config: ApiConfig = {
  dataDir,
  databaseUrl: url,
  databaseEmbedded: redisUrl === undefined,
  redisUrl,
  graph: { socketPath: path.join(dataDir, 'run', 'graph.sock') },
  port: 0,
  host: '127.0.0.1',
  allowedOrigins: [],
  userName: 'ada',
  logLevel: 'silent',
  commit: undefined,
}
const api = opened.use(await startApi(config, { log: createLog(config.logLevel), webFolder: dataDir }))
const { prisma, pool } = api.services.database
await measure()

async function measure(): Promise<void> {
  const version = (await pool.query<{ version: string }>('SELECT version()')).rows[0]?.version.split(' on ')[0]
  say(`${STATES} states of ${PARAMETERS} parameters, ${STATES * SAMPLES_A_STATE} samples, ${version}`)
  const runIds = await fill()
  const vectors = await timed(embed)
  say(`scales fitted and vectors made in ${(vectors / 1000).toFixed(1)} s`)
  await compareLabState()
  await compareSimilarStates(runIds)
}

async function compareLabState(): Promise<void> {
  const plain: number[] = []
  const asked: number[] = []
  for (let question = 0; question < QUESTIONS; question += 1) {
    const at = START + BigInt(anyOf(STATES)) * STATE_EVERY_NS
    plain.push(await timed(() => pool.query(LAST_SAMPLES, [at.toString(), null])))
    asked.push(await timed(() => ask(`{ labState(at: "${formatRfc3339(at)}") { readings { parameter { name } reading { number quality } age } } }`)))
  }
  report('labState', plain, asked)
}

async function compareSimilarStates(runIds: readonly string[]): Promise<void> {
  const plain: number[] = []
  const searched: number[] = []
  const asked: number[] = []
  let plainHits = 0
  let hits = 0
  for (let question = 0; question < QUESTIONS; question += 1) {
    const id = runIds[anyOf(runIds.length)] ?? ''
    const given = await pool.query<{ vector: string }>('SELECT "vector"::text AS "vector" FROM "state_vector" WHERE "runId" = $1', [id])
    const nearest = (): ReturnType<typeof plainQuery> => plainQuery(given.rows[0]?.vector ?? '', id)
    let ours: readonly string[] = []
    let theirs: readonly string[] = []
    plain.push(
      await timed(async () => {
        theirs = (await nearest()).rows.map(({ runId }) => runId)
      }),
    )
    searched.push(await timed(() => similarStates(searchFor(id), createContext(api.services, ADA, performance.now()))))
    asked.push(
      await timed(async () => {
        ours = await similar(id, false)
      }),
    )
    if (question >= EXACT_QUESTIONS) continue
    const exact = await similar(id, true)
    hits += exact.filter((run) => ours.includes(run)).length
    plainHits += exact.filter((run) => theirs.map((runId) => globalId('Run', runId)).includes(run)).length
  }
  const whole = EXACT_QUESTIONS * FIRST
  say(
    `similarStates, the search alone, above plain SQL: p50 ${(median(searched) - median(plain)).toFixed(1)} ms, smallest ${(Math.min(...searched) - Math.min(...plain)).toFixed(1)} ms`,
  )
  say(`recall@${FIRST}: similarStates ${(hits / whole).toFixed(4)}, plain pgvector ${(plainHits / whole).toFixed(4)}`)
  const empty = await many(() => ask('{ __typename }'))
  say(`an empty query over HTTP: p50 ${median(empty).toFixed(1)} ms`)
  report('similarStates', plain, asked)
}

function searchFor(runId: string): SimilarityRequest {
  return { to: { runId: globalId('Run', runId) }, first: FIRST, deviceIds: undefined, filter: {}, exact: false }
}

function plainQuery(vector: string, except: string) {
  return pool.query<{ runId: string }>(`SELECT "runId" FROM "state_vector" WHERE "runId" <> $2 ORDER BY "vector" <-> $1::vector LIMIT ${FIRST}`, [
    vector,
    except,
  ])
}

async function similar(runId: string, exact: boolean): Promise<readonly string[]> {
  const { similarStates } = await ask<{ similarStates: { run: { id: string } }[] }>(
    `{ similarStates(to: { runId: "${globalId('Run', runId)}" }, first: ${FIRST}, exact: ${exact}) { time distance run { id } } }`,
  )
  return similarStates.map(({ run }) => run.id)
}

function ask<Data>(document: string): Promise<Data> {
  return query<Data>(api.url, document)
}

function report(what: string, plain: readonly number[], asked: readonly number[]): void {
  const line = (values: readonly number[]): string =>
    `smallest ${Math.min(...values).toFixed(1)} ms, p50 ${median(values).toFixed(1)} ms, p99 ${percentile(values, 0.99).toFixed(1)} ms`
  say(`${what}, plain SQL:     ${line(plain)}`)
  say(`${what}, over GraphQL:  ${line(asked)}`)
  say(`${what}, above plain SQL: p50 ${(median(asked) - median(plain)).toFixed(1)} ms`)
}

/** Runs with their states, and the samples of a history. Returns the runs' ids. */
async function fill(): Promise<readonly string[]> {
  const station = await prisma.station.create({ data: { name: 'bench', host: 'here' } })
  const port = await prisma.port.create({ data: { stationId: station.id, address: 'sim://bench', kind: 'SERIAL' } })
  const device = await prisma.device.create({ data: { name: 'bench', driverId: 'd', stationId: station.id, portId: port.id, settings: {}, simulated: true } })
  await prisma.parameter.createMany({
    data: Array.from({ length: PARAMETERS }, (_, at) => ({
      deviceId: device.id,
      name: `p${at}`,
      spec: { name: `p${at}`, description: '', kind: 'FLOAT', access: at < SETTINGS ? 'READ_WRITE' : 'READ_ONLY', pollMs: 1_000 },
    })),
  })
  const keys = (await prisma.parameter.findMany({ orderBy: { key: 'asc' } })).map(({ key }) => key)
  const session = await prisma.session.create({ data: { title: 'bench', operator: 'ada' } })
  const values = keys.map((_, at) => 10 * at)
  const ids: string[] = []
  for (let first = 0; first < STATES; first += ROWS_A_STATEMENT) {
    const states = Array.from({ length: Math.min(ROWS_A_STATEMENT, STATES - first) }, () => {
      drift(values)
      return packState(hardwareState(keys.map((key, at) => ({ key, reading: { time: 0n, quality: 'GOOD', value: (values[at] ?? 0) + noiseOf(at) } }))))
    })
    const batch = states.map(() => uuidv7())
    ids.push(...batch)
    await pool.query(
      `INSERT INTO "run" ("id", "sessionId", "stationId", "plan", "planType", "summary", "actor", "state", "tags") SELECT id, $2, $3, '{}', 'count', '', 'ada', 'COMPLETED', '{}' FROM unnest($1::uuid[]) AS id`,
      [batch, session.id, station.id],
    )
    await pool.query(`INSERT INTO "hardware_state" ("runId", "time", "entries") SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])`, [
      batch,
      batch.map((_, at) => (START + BigInt(first + at) * STATE_EVERY_NS).toString()),
      states.map((bytes) => Buffer.from(bytes)),
    ])
  }
  await pool.query(
    `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "number", "list")
     SELECT ($1::int[])[1 + i % $2], $3::bigint + (i / $2) * $4::bigint, i, 0, i, '{}' FROM generate_series(0, $5::int - 1) AS i`,
    [keys, PARAMETERS, START.toString(), ((STATE_EVERY_NS * BigInt(PARAMETERS)) / BigInt(SAMPLES_A_STATE)).toString(), STATES * SAMPLES_A_STATE],
  )
  await pool.query('ANALYZE')
  return ids
}

/** By the lab's own job; the index, where there is one, is made once at the end, which takes a tenth of the time. */
async function embed(): Promise<void> {
  const { rows } = await pool.query<{ definition: string }>(`SELECT indexdef AS "definition" FROM pg_indexes WHERE indexname = 'state_vector_hnsw'`)
  await pool.query('DROP INDEX IF EXISTS "state_vector_hnsw"')
  const quiet = { jobId: '', attempt: 1, dataDir: '', signal: new AbortController().signal, progress: () => undefined, log: () => undefined }
  const outcome = await embedStates.run({ jobId: 'bench' }, { database: api.services.database, ...quiet })
  await prisma.$transaction((tx) => outcome.commit(tx))
  for (const { definition } of rows) {
    const client = await pool.connect()
    await client.query(`SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2`)
    say(`the index made in ${((await timed(() => client.query(definition))) / 1000).toFixed(1)} s`)
    client.release(true)
  }
  await pool.query('VACUUM ANALYZE "state_vector"')
}

function drift(values: number[]): void {
  for (let at = 0; at < values.length; at += 1) {
    if (at >= SETTINGS) values[at] = (values[at] ?? 0) + 0.05 * (Math.random() - 0.5)
    else if (Math.random() < 0.01) values[at] = 10 * at + anyOf(5)
  }
}

function noiseOf(at: number): number {
  return at < SETTINGS ? 0 : 0.2 * (Math.random() - 0.5)
}

function anyOf(count: number): number {
  return Math.floor(Math.random() * count)
}

async function many(work: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = []
  for (let at = 0; at < QUESTIONS; at += 1) times.push(await timed(work))
  return times
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
