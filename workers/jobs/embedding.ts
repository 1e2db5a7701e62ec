import { isCategory, keyOf } from '../../core/hardware-state.ts'
import { embeddingJob } from '../../core/job.ts'
import { fitScale, PROJECTION_VERSION, type Scale, type Scales } from '../../core/state-vector.ts'
import type { Database, Transaction } from '../../prisma/client.ts'
import { CATEGORY_SCALE, lockProjections, readSpecs, readStates, type Sql, type StoredState, storeScales, storeVectors } from '../../prisma/states.ts'
import { defineJob } from './job.ts'

const FITTED_STATES = 2_000 // medians of more change little; of 500 parameters these are 8 MB
const BATCH_STATES = 500 // in one statement: 2 MB of vectors

/** A new projection beside the one in use, which it replaces when every state has its vector. */
export const embedStates = defineJob(embeddingJob, async (_payload, { database, signal, progress }) => {
  const { pool } = database
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS "count" FROM "hardware_state"')
  const total = rows[0]?.count ?? 0
  const scales = await fit(pool)
  const generation = await begin(database, total, scales)
  let done = 0
  for (let states = await readStates(pool, undefined, BATCH_STATES); states.length > 0; states = await readStates(pool, states.at(-1)?.runId, BATCH_STATES)) {
    signal.throwIfAborted()
    await storeVectors(pool, generation, states, scales)
    done += states.length
    progress(Math.min(1, done / Math.max(1, total)), `${done} of ${total} states`)
  }
  return {
    summary: `${done} states by ${scales.size} parameters`,
    commit: (tx) => complete(tx, generation),
    undo: async () => void (await pool.query('DELETE FROM "state_projection" WHERE "generation" = $1 AND NOT "complete"', [generation])),
  }
})

/** Scales of every parameter that is still there and that some of the states know. A place for each in the order of the keys. */
async function fit(sql: Sql): Promise<Scales> {
  const samples = new Map<number, number[]>()
  for (const { state } of await sampledStates(sql))
    state.words.forEach((word, at) => {
      const numbers = samples.get(keyOf(word)) ?? []
      if (!isCategory(word)) numbers.push(state.values[at] ?? 0)
      samples.set(keyOf(word), numbers)
    })
  const specs = await readSpecs(sql, await present(sql, [...samples.keys()]))
  return new Map(
    [...specs]
      .sort(([a], [b]) => a - b)
      .map(([key, spec], slot): [number, Scale] => {
        const numbers = samples.get(key) ?? []
        return [key, { slot, ...(numbers.length > 0 ? fitScale(numbers, spec) : CATEGORY_SCALE) }]
      }),
  )
}

/** By a hash of the id, so that they lie anywhere in time, and are the same if it is done again. */
async function sampledStates(sql: Sql): Promise<readonly StoredState[]> {
  const { rows } = await sql.query<{ runId: string }>('SELECT "runId" FROM "hardware_state" ORDER BY md5("runId"::text) LIMIT $1', [FITTED_STATES])
  const states: StoredState[] = []
  const ids = rows.map(({ runId }) => runId)
  for (let at = 0; at < ids.length; at += BATCH_STATES) states.push(...(await readStates(sql, undefined, BATCH_STATES, ids.slice(at, at + BATCH_STATES))))
  return states
}

/** Removed devices need no place: nothing that is looked for has them. */
async function present(sql: Sql, keys: readonly number[]): Promise<readonly number[]> {
  const { rows } = await sql.query<{ key: number }>(
    'SELECT p."key" FROM "parameter" p JOIN "device" d ON d."id" = p."deviceId" WHERE p."key" = ANY($1::int[]) AND d."removedAt" IS NULL',
    [keys],
  )
  return rows.map(({ key }) => key)
}

/** From here on every new state gets its vector in it, too. What an attempt before has left is taken away. */
async function begin({ pool }: Database, fittedTo: number, scales: Scales): Promise<number> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    await lockProjections(client)
    await client.query('DELETE FROM "state_projection" WHERE NOT "complete"')
    const { rows } = await client.query<{ generation: number }>(
      `INSERT INTO "state_projection" ("generation", "version", "fittedTo") SELECT coalesce(max("generation"), 0) + 1, $1, $2 FROM "state_projection"
       RETURNING "generation"`,
      [PROJECTION_VERSION, fittedTo],
    )
    const generation = rows[0]?.generation ?? 0
    await storeScales(client, generation, scales)
    await client.query('COMMIT')
    return generation
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.release(broken) // with an error the connection is closed, and with it the transaction
  }
}

async function complete(tx: Transaction, generation: number): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('state_projection'))`
  await tx.stateProjection.update({ where: { generation }, data: { complete: true } })
  await tx.stateProjection.deleteMany({ where: { generation: { not: generation } } })
}
