import { uuidv7 } from '../../core/id.ts'
import { COMPUTE_QUEUE, embeddingJob, type JobState } from '../../core/job.ts'
import { PROJECTION_VERSION } from '../../core/state-vector.ts'
import type { Database } from '../../prisma/client.ts'

const FIRST_FIT = 8 // states: fewer say little of what is usual
const REQUESTED_BY = 'kymograph' // by the lab itself
const OPEN_STATES: JobState[] = ['WAITING', 'ACTIVE', 'STALLED']

/** Writes the row of an embedding when there are twice as many states as the scales were fitted to, or no vectors of this version. True if it did. */
export async function requestDueEmbedding({ pool, prisma }: Database): Promise<boolean> {
  const { rows } = await pool.query<{ states: number; fittedTo: number | null }>(
    `SELECT (SELECT count(*)::int FROM "hardware_state") AS "states",
       (SELECT "fittedTo" FROM "state_projection" WHERE "complete" AND "version" = $1 ORDER BY "generation" DESC LIMIT 1) AS "fittedTo"`,
    [PROJECTION_VERSION],
  )
  const { states = 0, fittedTo = null } = rows[0] ?? {}
  const needed = fittedTo === null ? 1 : Math.max(FIRST_FIT, 2 * fittedTo)
  if (states < needed) return false
  if ((await prisma.job.count({ where: { name: embeddingJob.name, state: { in: OPEN_STATES } } })) > 0) return false
  const jobId = uuidv7()
  const { count } = await prisma.job.createMany({
    data: [
      {
        id: jobId,
        queue: COMPUTE_QUEUE,
        name: embeddingJob.name,
        requestedBy: REQUESTED_BY,
        payload: { jobId },
        idempotencyKey: `${embeddingJob.name} of ${states} states`, // once, of however many compute processes; after a failure not before there are more
      },
    ],
    skipDuplicates: true,
  })
  return count > 0
}
