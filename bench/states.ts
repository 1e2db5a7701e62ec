import { globalId } from '../api/global-id.ts'
import { LAST_SAMPLES } from '../api/states/snapshot.ts'
import { hardwareState, packState } from '../core/hardware-state.ts'
import { uuidv7 } from '../core/id.ts'
import { formatRfc3339 } from '../core/time.ts'
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
const EXACT_QUESTIONS = 30
const FIRST = 10
const ROWS_A_STATEMENT = 1_000
const START = 1_700_000_000_000_000_000n
const STATE_EVERY_NS = 60_000_000_000n

if (process.env['TEST_DATABASE_URL'] !== undefined) process.env['TEST_PROFILE'] = 'services'
const { startTestLab } = await import('../test/api/lab.ts') // looks where to start the database
const { STAGE } = await import('../test/api/fake-station.ts')

const lab = await startTestLab()
try {
  await measure()
} finally {
  await lab.close()
}

async function measure(): Promise<void> {
  const { pool } = lab.api.services.database
  const version = (await pool.query<{ version: string }>('SELECT version()')).rows[0]?.version.split(' on ')[0]
  say(`${STATES} states of ${PARAMETERS} parameters, ${STATES * SAMPLES_A_STATE} samples, ${version}`)
  const runIds = await fill()
  const vectors = await timed(embed)
  say(`scales fitted and vectors made in ${(vectors / 1000).toFixed(1)} s`)
  await compareLabState()
  await compareSimilarStates(runIds)
}

async function compareLabState(): Promise<void> {
  const { pool } = lab.api.services.database
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
  const { pool } = lab.api.services.database
  const plain: number[] = []
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
  say(`recall@${FIRST}: similarStates ${(hits / whole).toFixed(4)}, plain pgvector ${(plainHits / whole).toFixed(4)}`)
  const empty = await many(() => ask('{ __typename }'))
  say(`an empty query over HTTP: p50 ${median(empty).toFixed(1)} ms`)
  report('similarStates', plain, asked)
}

function plainQuery(vector: string, except: string) {
  return lab.api.services.database.pool.query<{ runId: string }>(
    `SELECT "runId" FROM "state_vector" WHERE "runId" <> $2 ORDER BY "vector" <-> $1::vector LIMIT ${FIRST}`,
    [vector, except],
  )
}

async function similar(runId: string, exact: boolean): Promise<readonly string[]> {
  const { similarStates } = await ask<{ similarStates: { run: { id: string } }[] }>(
    `{ similarStates(to: { runId: "${globalId('Run', runId)}" }, first: ${FIRST}, exact: ${exact}) { time distance run { id } } }`,
  )
  return similarStates.map(({ run }) => run.id)
}

async function ask<Data>(document: string): Promise<Data> {
  const { data, errors } = await lab.ask<Data>(document)
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  return data
}

function report(what: string, plain: readonly number[], asked: readonly number[]): void {
  const line = (values: readonly number[]): string => `p50 ${median(values).toFixed(1)} ms, p99 ${percentile(values, 0.99).toFixed(1)} ms`
  say(`${what}, plain SQL:     ${line(plain)}`)
  say(`${what}, over GraphQL:  ${line(asked)}`)
  say(`${what}, above plain SQL: p50 ${(median(asked) - median(plain)).toFixed(1)} ms`)
}

/** Runs with their states, and the samples of a history. Returns the runs' ids. */
async function fill(): Promise<readonly string[]> {
  const { prisma, pool } = lab.api.services.database
  await prisma.parameter.createMany({
    data: Array.from({ length: PARAMETERS }, (_, at) => ({
      deviceId: STAGE,
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
      [batch, session.id, lab.station.stationId],
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
  const { database } = lab.api.services
  const { rows } = await database.pool.query<{ definition: string }>(`SELECT indexdef AS "definition" FROM pg_indexes WHERE indexname = 'state_vector_hnsw'`)
  await database.pool.query('DROP INDEX IF EXISTS "state_vector_hnsw"')
  const quiet = { jobId: '', attempt: 1, dataDir: '', signal: new AbortController().signal, progress: () => undefined, log: () => undefined }
  const outcome = await embedStates.run({ jobId: 'bench' }, { database, ...quiet })
  await database.prisma.$transaction((tx) => outcome.commit(tx))
  for (const { definition } of rows) {
    const client = await database.pool.connect()
    await client.query(`SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2`)
    say(`the index made in ${((await timed(() => client.query(definition))) / 1000).toFixed(1)} s`)
    client.release(true)
  }
  await database.pool.query('VACUUM ANALYZE "state_vector"')
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
