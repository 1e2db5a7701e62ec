import type { BoundPlan } from '../../../core/plan.ts'
import { wallNsFromMs } from '../../../core/time.ts'
import type { Database } from '../../../prisma/client.ts'
import { appendEvents } from '../../../prisma/events.ts'

/** A run that this station, and no other, may carry out; every write of it carries `fence`. */
export type ClaimedRun = {
  readonly id: string
  readonly number: number
  readonly fence: number
  readonly sessionId: string
  readonly actor: string
  readonly plan: BoundPlan
}

type Pool = Database['pool']

/**
 * QUEUED to PREPARING in one statement: of all who try, one gets the run. undefined: it is gone (taken, aborted, over or too late), and nothing happens;
 * so a dispatch that comes twice does nothing the second time.
 */
export async function claimRun(pool: Pool, stationId: string, runId: string): Promise<ClaimedRun | undefined> {
  const { rows } = await pool.query<ClaimedRun>(
    `WITH claimed AS (
       UPDATE "run" SET "state" = 'PREPARING', "fence" = "fence" + 1
       WHERE "id" = $1 AND "stationId" = $2 AND "state" = 'QUEUED' AND ("startBefore" IS NULL OR "startBefore" > now())
       RETURNING "id", "number", "fence", "sessionId", "actor", "plan", "jobId"
     ), job AS (
       UPDATE "job" SET "state" = 'ACTIVE', "startedAt" = now(), "attempts" = "attempts" + 1 FROM claimed WHERE "job"."id" = claimed."jobId"
     )
     SELECT "id", "number", "fence", "sessionId", "actor", "plan" FROM claimed`,
    [runId, stationId],
  )
  return rows[0]
}

/** Back to the queue, as if it had not been claimed: nothing has moved yet. What the database does not hear is found as a stray claim later. */
export async function unclaimRun(pool: Pool, { id, fence }: Pick<ClaimedRun, 'id' | 'fence'>): Promise<void> {
  await pool.query(
    `WITH back AS (
       UPDATE "run" SET "state" = 'QUEUED' WHERE "id" = $1 AND "fence" = $2 AND "state" = 'PREPARING' RETURNING "jobId"
     )
     UPDATE "job" SET "state" = 'WAITING', "startedAt" = NULL, "attempts" = "attempts" - 1 FROM back WHERE "job"."id" = back."jobId"`,
    [id, fence],
  )
}

export type WaitingRun = { readonly id: string; readonly jobId: string | null }

/** In the order in which they go. */
export async function waitingRuns(pool: Pool, stationId: string): Promise<readonly WaitingRun[]> {
  const { rows } = await pool.query<WaitingRun>(
    `SELECT "id", "jobId" FROM "run" WHERE "stationId" = $1 AND "state" = 'QUEUED' ORDER BY "priority" DESC, "queuedAt", "id" LIMIT 100`,
    [stationId],
  )
  return rows
}

/** How many were queued before this process began. By the age of the process, so that clocks need not agree. */
export async function countWaitingSince(pool: Pool, stationId: string, uptimeSeconds: number): Promise<number> {
  const { rows } = await pool.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM "run" WHERE "stationId" = $1 AND "state" = 'QUEUED' AND "queuedAt" < now() - make_interval(secs => $2)`,
    [stationId, uptimeSeconds],
  )
  return rows[0]?.waiting ?? 0
}

/** Runs whose moment has passed while they waited, held or not. */
export async function failLateRuns(pool: Pool, stationId: string): Promise<void> {
  const { rows } = await pool.query<{ id: string; number: number; sessionId: string; exitReason: string }>(
    `WITH late AS (
       UPDATE "run" SET "state" = 'FAILED', "endedAt" = now(),
         "exitReason" = 'it had not started by ' || to_char("startBefore" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
       WHERE "stationId" = $1 AND "state" = 'QUEUED' AND "startBefore" <= now()
       RETURNING "id", "number", "sessionId", "exitReason", "jobId"
     ), job AS (
       UPDATE "job" SET "state" = 'FAILED', "finishedAt" = now() FROM late WHERE "job"."id" = late."jobId"
     )
     SELECT "id", "number", "sessionId", "exitReason" FROM late`,
    [stationId],
  )
  const time = wallNsFromMs(Date.now())
  const subject = (id: string) => ({ type: 'Run', id }) as const
  const events = rows.map(({ id, number, sessionId, exitReason }) => ({
    time,
    kind: 'RUN' as const,
    subject: subject(id),
    runId: id,
    sessionId,
    summary: `Run ${number} failed: ${exitReason}`,
  }))
  await appendEvents(pool, events)
}

/**
 * Runs that the database believes to be under way here, or to have ended here without saying when, although this station knows nothing of them: claims whose
 * answer was lost on the way. Only asked of a database that already holds everything this station has journalled of its runs (`upTo`).
 */
export async function strayRuns(
  pool: Pool,
  stationId: string,
  upTo: number,
): Promise<readonly { id: string; fence: number; number: number; sessionId: string }[]> {
  const { rows } = await pool.query<{ id: string; fence: number; number: number; sessionId: string }>(
    `SELECT r."id", r."fence", r."number", r."sessionId" FROM "run" r JOIN "station" s ON s."id" = r."stationId"
     WHERE s."id" = $1 AND s."journalSequence" >= $2 
       AND (r."state" IN ('PREPARING', 'RUNNING', 'PAUSING', 'PAUSED', 'RESUMING') OR (r."state" = 'INTERRUPTED' AND r."endedAt" IS NULL))`,
    [stationId, upTo],
  )
  return rows
}
