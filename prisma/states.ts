import type pg from 'pg'
import { type HardwareState, hardwareState, isCategory, type KeyedReading, keyOf, packState, unpackState } from '../core/hardware-state.ts'
import type { ParameterSpec } from '../core/parameter.ts'
import { firstScale, PROJECTION_VERSION, projectState, type Scale, type Scales } from '../core/state-vector.ts'
import type { WallNs } from '../core/time.ts'

/**
 * Hardware states and their vectors in PostgreSQL. A state is stored once; it has a vector in each projection of this version, so that a better projection can
 * be made beside the one that is used. Whoever adds a state or a projection holds one lock until the commit: no state is left without a vector.
 */

/** A connection in a transaction, or the pool. */
export type Sql = { query: pg.Pool['query'] }
export type StoredState = { readonly runId: string; readonly state: HardwareState }

export async function lockProjections(sql: Sql): Promise<void> {
  await sql.query(`SELECT pg_advisory_xact_lock(hashtext('state_projection'))`)
}

/** The state at the start of a run; once. Runs inside a transaction. Without a run of that id nothing is stored. */
export async function storeState(sql: Sql, runId: string, time: WallNs, readings: readonly KeyedReading[]): Promise<void> {
  await lockProjections(sql)
  // The first state of all brings the first projection; where states are older than this version of it, the compute process makes the next one.
  await sql.query(
    `INSERT INTO "state_projection" ("generation", "version", "complete") SELECT coalesce(max("generation"), 0) + 1, $1, true FROM "state_projection"
     HAVING NOT EXISTS (SELECT 1 FROM "hardware_state") AND count(*) FILTER (WHERE "version" = $1) = 0`,
    [PROJECTION_VERSION],
  )
  const state = hardwareState(readings)
  const { rowCount } = await sql.query(
    `INSERT INTO "hardware_state" ("runId", "time", "entries") SELECT "id", $2, $3 FROM "run" WHERE "id" = $1 ON CONFLICT DO NOTHING`,
    [runId, time.toString(), packState(state)],
  )
  if (rowCount !== 1) return
  const { rows } = await sql.query<{ generation: number }>('SELECT "generation" FROM "state_projection" WHERE "version" = $1', [PROJECTION_VERSION])
  for (const { generation } of rows) {
    const scales = await readScales(sql, generation)
    await storeVectors(sql, generation, [{ runId, state }], await withFirstScales(sql, generation, scales, state))
  }
}

export async function readScales(sql: Sql, generation: number): Promise<Map<number, Scale>> {
  const { rows } = await sql.query<Scale & { parameterKey: number }>(
    'SELECT "parameterKey", "slot", "center", "spread" FROM "state_scale" WHERE "generation" = $1',
    [generation],
  )
  return new Map(rows.map(({ parameterKey, slot, center, spread }) => [parameterKey, { slot, center, spread }]))
}

/** A parameter that no state had before is measured by what is known of it so far, in the next free place. */
async function withFirstScales(sql: Sql, generation: number, known: Scales, { words, values }: HardwareState): Promise<Scales> {
  const fresh = [...words].flatMap((word, at) => (known.has(keyOf(word)) ? [] : [{ word, value: values[at] ?? 0 }]))
  if (fresh.length === 0) return known
  const keys = fresh.map(({ word }) => keyOf(word))
  const [specs, histories] = [await readSpecs(sql, keys), await readHistories(sql, keys)]
  const free = Math.max(-1, ...[...known.values()].map(({ slot }) => slot)) + 1
  const added = fresh.flatMap(({ word, value }) => {
    const spec = specs.get(keyOf(word))
    return spec === undefined ? [] : [{ key: keyOf(word), ...(isCategory(word) ? CATEGORY_SCALE : firstScale(value, spec, histories.get(keyOf(word)) ?? [])) }]
  })
  const scales = new Map(added.map(({ key, ...scale }, at) => [key, { ...scale, slot: free + at }]))
  await storeScales(sql, generation, scales)
  return new Map([...known, ...scales])
}

const HISTORY_SAMPLES = 100 // of each parameter: enough for a spread, and of 500 parameters still read in a tenth of a second

/** The newest numbers of each. The station's journal brings what was measured before a run before the run itself. */
async function readHistories(sql: Sql, keys: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>> {
  const { rows } = await sql.query<{ key: number; numbers: number[] }>(
    `SELECT k."key", ARRAY(SELECT "number" FROM "sample" WHERE "parameterKey" = k."key" AND "number" IS NOT NULL ORDER BY "time" DESC, "sequence" DESC LIMIT $2) AS "numbers"
     FROM unnest($1::int[]) AS k("key")`,
    [keys, HISTORY_SAMPLES],
  )
  return new Map(rows.map(({ key, numbers }) => [key, numbers]))
}

/** Categories are alike or not: only their place matters. */
export const CATEGORY_SCALE = { center: 0, spread: 1 }

export async function readSpecs(sql: Sql, keys: readonly number[]): Promise<ReadonlyMap<number, ParameterSpec>> {
  const { rows } = await sql.query<{ key: number; spec: ParameterSpec }>('SELECT "key", "spec" FROM "parameter" WHERE "key" = ANY($1::int[])', [keys])
  return new Map(rows.map(({ key, spec }) => [key, spec]))
}

export async function storeScales(sql: Sql, generation: number, scales: Scales): Promise<void> {
  const all = [...scales]
  await sql.query(
    `INSERT INTO "state_scale" ("generation", "parameterKey", "slot", "center", "spread")
     SELECT $1, * FROM unnest($2::int[], $3::int[], $4::float8[], $5::float8[])`,
    [generation, all.map(([key]) => key), all.map(([, { slot }]) => slot), all.map(([, { center }]) => center), all.map(([, { spread }]) => spread)],
  )
}

export async function storeVectors(sql: Sql, generation: number, states: readonly StoredState[], scales: Scales): Promise<void> {
  const projected = states.map(({ runId, state }) => ({ runId, ...projectState(state, scales) }))
  await sql.query(
    `INSERT INTO "state_vector" ("generation", "runId", "vector", "mask")
     SELECT $1, "runId", "vector"::vector, "mask"::bit(512) FROM unnest($2::uuid[], $3::text[], $4::text[]) AS g("runId", "vector", "mask")
     ON CONFLICT DO NOTHING`,
    [generation, projected.map(({ runId }) => runId), projected.map(({ vector }) => vectorText(vector)), projected.map(({ mask }) => mask)],
  )
}

const FLOAT32_DIGITS = 9 // enough to read the same float32 again

export function vectorText(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => (value === 0 ? '0' : value.toPrecision(FLOAT32_DIGITS))).join()}]`
}

/** In the order of the runs' ids, the ones after `after`; of these runs, or of all. */
export async function readStates(sql: Sql, after: string | undefined, limit: number, runIds?: readonly string[]): Promise<readonly StoredState[]> {
  const { rows } = await sql.query<{ runId: string; entries: Buffer }>(
    `SELECT "runId", "entries" FROM "hardware_state" WHERE ($1::uuid IS NULL OR "runId" > $1) AND ($3::uuid[] IS NULL OR "runId" = ANY($3))
     ORDER BY "runId" LIMIT $2`,
    [after ?? null, limit, runIds ?? null],
  )
  return rows.map(({ runId, entries }) => ({ runId, state: unpackState(entries) }))
}
