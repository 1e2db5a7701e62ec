import type { ProblemRecord } from '../../core/errors.ts'
import type { JobState } from '../../core/job.ts'
import { MAX_LOG_LINES } from '../../core/job.ts'
import { wallNsFromMs } from '../../core/time.ts'
import type { Database, Prisma, Transaction } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'

/**
 * The job's row is the truth for people. `attempts` is also its fence: it grows with each worker that takes the job, and a worker whose number is no longer
 * there has lost it and writes nothing more.
 */
export type ClaimedJob = {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly payload: unknown
  readonly requestedBy: string
  readonly log: readonly string[]
}

export type Ending = { readonly state: Extract<JobState, 'COMPLETED' | 'FAILED' | 'CANCELLED'>; readonly summary: string; readonly problem?: ProblemRecord }

const CLAIMABLE: JobState[] = ['WAITING', 'ACTIVE', 'STALLED'] // ACTIVE: its worker died, or the queue thinks so

/** undefined: there is nothing to do (any more). A job that was cancelled while it waited ends here. */
export async function claimJob(database: Database, id: string): Promise<ClaimedJob | undefined> {
  const [row] = await database.prisma.job.updateManyAndReturn({
    where: { id, state: { in: CLAIMABLE }, cancelReason: null },
    data: { state: 'ACTIVE', attempts: { increment: 1 }, startedAt: new Date(), progress: 0 },
  })
  if (row === undefined) {
    await database.prisma.job.updateMany({
      where: { id, state: { in: CLAIMABLE }, cancelReason: { not: null } },
      data: { state: 'CANCELLED', finishedAt: new Date() },
    })
    return undefined
  }
  return { id, name: row.name, attempt: row.attempts, payload: row.payload, requestedBy: row.requestedBy, log: row.log }
}

export type JobStanding = 'ours' | 'cancelled' | 'lost'

export async function standingOf(database: Database, { id, attempt }: ClaimedJob): Promise<JobStanding> {
  const row = await database.prisma.job.findUnique({ where: { id }, select: { state: true, attempts: true, cancelReason: true } })
  if (row === null || row.attempts !== attempt) return 'lost'
  if (row.cancelReason !== null || row.state === 'CANCELLED') return 'cancelled'
  return row.state === 'ACTIVE' ? 'ours' : 'lost'
}

export async function writeProgress(
  database: Database,
  { id, attempt }: ClaimedJob,
  progress: number,
  progressText: string | undefined,
  log: readonly string[],
): Promise<void> {
  await database.prisma.job.updateMany({
    where: { id, attempts: attempt, state: 'ACTIVE' },
    data: { progress, ...(progressText !== undefined && { progressText }), log: log.slice(-MAX_LOG_LINES) },
  })
}

/** Ends the job, and does what belongs to it, in one transaction; false: it is no longer ours, or a person has cancelled it in between. */
export async function endJob(
  database: Database,
  job: ClaimedJob,
  ending: Ending,
  log: readonly string[],
  also: (tx: Transaction) => Promise<void> | undefined,
): Promise<boolean> {
  return database.prisma.$transaction(async (tx) => {
    const { count } = await tx.job.updateMany({
      where: {
        id: job.id,
        attempts: job.attempt,
        ...(ending.state === 'COMPLETED' ? { state: 'ACTIVE', cancelReason: null } : { state: { in: [...CLAIMABLE, 'CANCELLED'] } }),
      },
      data: {
        state: ending.state,
        finishedAt: new Date(),
        progressText: ending.summary,
        log: log.slice(-MAX_LOG_LINES),
        ...(ending.state === 'COMPLETED' && { progress: 1 }),
        ...(ending.problem !== undefined && { problem: ending.problem as unknown as Prisma.InputJsonObject }),
      },
    })
    if (count === 0) return false
    await also(tx)
    await tellJob(tx, job, `${job.name} ${ending.state.toLowerCase()}: ${ending.summary}`)
    return true
  })
}

/** The process stops in order, or a fault may pass: the job waits for its next worker. `counted`: whether this was one of its attempts. */
export async function letGo(database: Database, { id, attempt }: ClaimedJob, counted: boolean, log: readonly string[]): Promise<void> {
  await database.prisma.job.updateMany({
    where: { id, attempts: attempt, state: 'ACTIVE' },
    data: { state: 'WAITING', progress: null, progressText: null, log: log.slice(-MAX_LOG_LINES), ...(!counted && { attempts: { decrement: 1 } }) },
  })
}

export async function tellJob(
  tx: Transaction | Database['prisma'],
  { id, requestedBy }: Pick<ClaimedJob, 'id' | 'requestedBy'>,
  summary: string,
): Promise<void> {
  await appendEvents(tx, [
    { time: wallNsFromMs(Date.now()), kind: 'JOB', subject: { type: 'Job', id }, summary, cause: { kind: 'PERSON', actor: requestedBy, jobId: id } },
  ])
}
