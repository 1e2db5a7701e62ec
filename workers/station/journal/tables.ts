import { randomUUID } from 'node:crypto'
import type { Manifest } from '../../../core/dataset.ts'
import type { JobState } from '../../../core/job.ts'
import { QUALITIES } from '../../../core/reading.ts'
import type { RunState } from '../../../core/run.ts'
import { hasEnded } from '../../../core/run.ts'
import { storeReading } from '../../../core/stored-reading.ts'
import type { WallNs } from '../../../core/time.ts'
import { formatRfc3339 } from '../../../core/time.ts'
import type { Database } from '../../../prisma/client.ts'
import { appendEvents } from '../../../prisma/events.ts'
import { storeState } from '../../../prisma/states.ts'
import type { Batch, ShippedSample, ShippedSpec } from './batch.ts'

/** A connection of the pool, or the pool itself. */
export type Sql = { query: Database['pool']['query'] }
export type ParameterKeys = (deviceId: string, parameter: string) => number | undefined

/**
 * Removed devices keep no parameters: their entries find no row and are passed over. A unit that changes is kept with the moment until which it was so, once,
 * however often the entries are shipped.
 */
export async function storeSpecs(sql: Sql, specs: readonly ShippedSpec[]): Promise<readonly { key: number; deviceId: string; name: string }[]> {
  for (const turn of inTurn(specs)) {
    const given = json(turn.map(({ deviceId, spec, time }) => ({ deviceId, name: spec.name, spec, time })))
    await sql.query(
      `UPDATE "parameter" p SET "spec" = g."spec", "pastUnits" = CASE WHEN p."spec" ->> 'unit' IS NOT DISTINCT FROM g."spec" ->> 'unit' THEN p."pastUnits"
         ELSE p."pastUnits" || jsonb_build_object('until', g."time"::text, 'unit', p."spec" ->> 'unit') END
       FROM jsonb_to_recordset($1::jsonb) AS g("deviceId" uuid, "name" text, "spec" jsonb, "time" bigint)
       WHERE p."deviceId" = g."deviceId" AND p."name" = g."name" AND coalesce((p."pastUnits" -> -1 ->> 'until')::bigint, 0) <= g."time"`,
      [given],
    )
    await sql.query(
      `INSERT INTO "parameter" ("deviceId", "name", "spec")
       SELECT d."id", g."name", g."spec" FROM jsonb_to_recordset($1::jsonb) AS g("deviceId" uuid, "name" text, "spec" jsonb) JOIN "device" d ON d."id" = g."deviceId"
       ON CONFLICT ("deviceId", "name") DO NOTHING`,
      [given],
    )
  }
  return await findKeys(
    sql,
    specs.map(({ deviceId, spec }) => ({ deviceId, name: spec.name })),
  )
}

/** No parameter twice in one turn: its units came one after another. */
function inTurn(specs: readonly ShippedSpec[]): readonly (readonly ShippedSpec[])[] {
  const turns: ShippedSpec[][] = []
  const seen = new Map<string, number>()
  for (const one of specs) {
    const key = `${one.deviceId} ${one.spec.name}`
    const turn = seen.get(key) ?? 0
    seen.set(key, turn + 1)
    turns[turn] = [...(turns[turn] ?? []), one]
  }
  return turns
}

/** Keys of parameters that are known already. */
export async function findKeys(
  sql: Sql,
  wanted: readonly { deviceId: string; name: string }[],
): Promise<readonly { key: number; deviceId: string; name: string }[]> {
  const { rows } = await sql.query<{ key: number; deviceId: string; name: string }>(
    `SELECT p."key", p."deviceId", p."name" FROM jsonb_to_recordset($1::jsonb) AS g("deviceId" uuid, "name" text)
     JOIN "parameter" p ON p."deviceId" = g."deviceId" AND p."name" = g."name"`,
    [json(wanted)],
  )
  return rows
}

/** Everything of a batch but its watermark. Runs inside the shipper's transaction. */
export async function storeBatch(sql: Sql, batch: Batch, keyOf: ParameterKeys, stationId: string): Promise<void> {
  await storeSamples(sql, batch.samples, keyOf)
  await storeChanges(sql, batch.changes, keyOf)
  for (const run of batch.runs) {
    await storeRun(sql, run)
    if (run.manifest !== undefined) await storeStateOf(sql, run.runId, run.manifest, keyOf)
  }
  for (const dataset of batch.datasets) await storeDataset(sql, dataset, stationId)
  if (batch.queue !== undefined)
    await sql.query('UPDATE "station" SET "queueHeld" = $2, "queueReason" = $3 WHERE "id" = $1', [stationId, batch.queue.held, clean(batch.queue.reason)])
  if (batch.emergencyStop !== undefined) {
    const { active, by, reason, at } = batch.emergencyStop.state
    await sql.query('UPDATE "station" SET "stopActive" = $2, "stopBy" = $3, "stopReason" = $4, "stopAt" = $5 WHERE "id" = $1', [
      stationId,
      active,
      clean(by),
      clean(reason),
      timestamp(at),
    ])
  }
  await appendEvents(sql, cleaned(batch.events))
}

/** Lists go apart: unnest has no arrays of arrays. */
async function storeSamples(sql: Sql, samples: readonly ShippedSample[], keyOf: ParameterKeys): Promise<void> {
  const known = samples.flatMap((sample) => {
    const key = keyOf(sample.deviceId, sample.parameter)
    return key === undefined ? [] : [{ ...sample, key, quality: QUALITIES.indexOf(sample.reading.quality), value: sample.reading.value }]
  })
  const scalars = known.filter(({ value }) => typeof value !== 'object')
  const lists = known.filter(({ value }) => typeof value === 'object')
  if (scalars.length > 0)
    await sql.query(
      `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "number", "text", "boolean", "list")
       SELECT *, '{}'::float8[] FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::smallint[], $5::float8[], $6::text[], $7::boolean[])
       ON CONFLICT DO NOTHING`,
      [
        scalars.map(({ key }) => key),
        scalars.map(({ reading }) => reading.time.toString()),
        scalars.map(({ sequence }) => sequence),
        scalars.map(({ quality }) => quality),
        scalars.map(({ value }) => (typeof value === 'number' ? value : null)),
        scalars.map(({ value }) => (typeof value === 'string' ? clean(value) : null)),
        scalars.map(({ value }) => (typeof value === 'boolean' ? value : null)),
      ],
    )
  if (lists.length > 0)
    await sql.query(
      `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "list")
       SELECT "key", "time", "sequence", "quality", ARRAY(SELECT item::float8 FROM jsonb_array_elements_text("list") AS item)
       FROM jsonb_to_recordset($1::jsonb) AS g("key" int, "time" bigint, "sequence" bigint, "quality" smallint, "list" jsonb)
       ON CONFLICT DO NOTHING`,
      [json(lists.map(({ key, reading, sequence, quality, value }) => ({ key, time: reading.time, sequence, quality, list: value })))],
    )
}

async function storeChanges(sql: Sql, changes: Batch['changes'], keyOf: ParameterKeys): Promise<void> {
  const rows = changes.flatMap(({ time, deviceId, parameter, old, new: next, cause }) => {
    const key = keyOf(deviceId, parameter)
    return key === undefined ? [] : [{ id: randomUUID(), key, time, old: old && storeReading(old), new: storeReading(next), cause }]
  })
  if (rows.length === 0) return
  await sql.query(
    `INSERT INTO "parameter_change" ("id", "parameterKey", "time", "old", "new", "cause")
     SELECT "id", "key", "time", "old", "new", "cause"
     FROM jsonb_to_recordset($1::jsonb) AS g("id" uuid, "key" int, "time" bigint, "old" jsonb, "new" jsonb, "cause" jsonb)`,
    [json(rows)],
  )
}

const JOB_STATES: Readonly<Record<RunState, JobState>> = {
  QUEUED: 'WAITING',
  PREPARING: 'ACTIVE',
  RUNNING: 'ACTIVE',
  PAUSING: 'ACTIVE',
  PAUSED: 'PAUSED',
  RESUMING: 'ACTIVE',
  COMPLETED: 'COMPLETED',
  ABORTED: 'CANCELLED',
  FAILED: 'FAILED',
  INTERRUPTED: 'FAILED',
}

/**
 * Only the claim that wrote the entry may move the row, and never one that has ended; INTERRUPTED without an end time is what others presumed while this
 * station was away. Its job follows.
 */
async function storeRun(
  sql: Sql,
  { runId, fence, state, time, points, totalPoints, exitReason, problem, manifest, cause }: Batch['runs'][number],
): Promise<void> {
  const ended = hasEnded(state)
  const aborted = state === 'ABORTED'
  await sql.query(
    `WITH moved AS (
       UPDATE "run" SET "state" = $3, "points" = $4, "totalPoints" = coalesce($5, "totalPoints"),
         "startedAt" = CASE WHEN $3 = 'RUNNING' THEN coalesce("startedAt", $6::timestamptz) ELSE "startedAt" END,
         "endedAt" = CASE WHEN $7 THEN $6::timestamptz END,
         "exitReason" = coalesce($8, "exitReason"), "problem" = coalesce($9::jsonb, "problem"), "manifest" = coalesce($10::jsonb, "manifest"),
         "abortReason" = coalesce($11, "abortReason")
       WHERE "id" = $1 AND "fence" = $2
         AND ("state" NOT IN ('COMPLETED', 'ABORTED', 'FAILED', 'INTERRUPTED') OR ("state" = 'INTERRUPTED' AND "endedAt" IS NULL))
       RETURNING "jobId", "points", "totalPoints")
     UPDATE "job" SET "state" = $12, "progress" = CASE WHEN $3 = 'COMPLETED' THEN 1 ELSE moved."points"::float8 / nullif(moved."totalPoints", 0) END,
       "startedAt" = coalesce("job"."startedAt", $6::timestamptz), "finishedAt" = CASE WHEN $7 THEN $6::timestamptz END,
       "problem" = coalesce($9::jsonb, "job"."problem"), "cancelReason" = coalesce($11, "job"."cancelReason")
     FROM moved WHERE "job"."id" = moved."jobId"`,
    [
      runId,
      fence,
      state,
      points,
      totalPoints ?? null,
      timestamp(time),
      ended,
      clean(exitReason),
      problem ? json(problem) : null,
      manifest ? json(manifest) : null,
      aborted ? clean(cause?.reason) : null,
      JOB_STATES[state],
    ],
  )
}

/** What the lab was when the run started, for whoever looks for states like it. */
async function storeStateOf(sql: Sql, runId: string, { takenAt, parameters }: Manifest, keyOf: ParameterKeys): Promise<void> {
  const keyed = parameters.flatMap(({ deviceId, parameter, reading }) => {
    const key = keyOf(deviceId, parameter)
    return key === undefined ? [] : [{ key, reading }]
  })
  await storeState(sql, runId, takenAt, keyed)
}

async function storeDataset(sql: Sql, dataset: Batch['datasets'][number], stationId: string): Promise<void> {
  const {
    id,
    name,
    kind,
    state,
    sessionId,
    runId,
    deviceId,
    axes,
    signals,
    shape,
    createdAt,
    completedAt,
    rows,
    bytes,
    dropped,
    columns,
    sha256,
    folder,
    files,
  } = dataset
  await sql.query(
    `INSERT INTO "dataset" ("id", "name", "kind", "state", "sessionId", "runId", "deviceId", "stationId", "axes", "signals", "shape", "createdAt", "completedAt",
       "rows", "bytes", "dropped", "columns", "sha256", "folder", "files")
     VALUES ($1, $2, $3, $4, (SELECT "id" FROM "session" WHERE "id" = $5), (SELECT "id" FROM "run" WHERE "id" = $6), (SELECT "id" FROM "device" WHERE "id" = $7),
       $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
     ON CONFLICT ("id") DO UPDATE SET "state" = excluded."state", "completedAt" = excluded."completedAt", "rows" = excluded."rows", "bytes" = excluded."bytes",
       "dropped" = excluded."dropped", "columns" = excluded."columns", "shape" = excluded."shape", "sha256" = excluded."sha256", "files" = excluded."files"`,
    [
      id,
      clean(name),
      kind,
      state,
      sessionId ?? null,
      runId ?? null,
      deviceId ?? null,
      stationId,
      axes,
      signals,
      shape,
      timestamp(createdAt),
      timestamp(completedAt),
      rows,
      bytes,
      dropped,
      json(columns),
      sha256 ?? null,
      folder,
      json(files),
    ],
  )
}

function timestamp(time: WallNs | undefined): string | null {
  return time === undefined ? null : formatRfc3339(time)
}

/** PostgreSQL's texts hold neither NUL nor half a surrogate pair; an instrument's garbage must not stop everything behind it. */
function clean(text: string | undefined): string | null {
  return text === undefined ? null : text.replace(/\0|\p{Surrogate}/gu, '\uFFFD')
}

/** 64-bit integers as decimal text. */
function json(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : typeof item === 'string' ? clean(item) : item))
}

function cleaned(events: Batch['events']): Batch['events'] {
  return events.map((event) => ({
    ...event,
    summary: clean(event.summary) ?? '',
    ...(event.cause !== undefined && { cause: JSON.parse(json(event.cause)) }),
    ...(event.data !== undefined && { data: JSON.parse(json(event.data)) }),
  }))
}
