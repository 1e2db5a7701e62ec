import { Conflict, NotFound, NotSupported } from '../../core/errors.ts'
import { acquisition } from '../../core/job.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { type Context, causeOf } from '../context.ts'
import { localId } from '../global-id.ts'
import type { Job } from '../loaders.ts'
import { nowNs } from '../now.ts'

/** A job that waits is ended in its row; one that works is asked to end: its worker watches the row. */
export async function cancelJob(id: string, context: Context): Promise<Job> {
  need(context, 'OPERATOR')
  const { prisma } = context.database
  const jobId = localId('Job', id)
  const job = await prisma.job.findUnique({ where: { id: jobId } })
  if (job === null) throw new NotFound(`job with the id ${id}`)
  if (job.name === acquisition.name) throw new NotSupported('an acquisition is ended by abortRun')

  const cancelReason = `cancelled by ${context.actor.name}`
  const waiting = await prisma.$transaction(async (tx) => {
    const { count } = await tx.job.updateMany({ where: { id: jobId, state: 'WAITING' }, data: { state: 'CANCELLED', finishedAt: new Date(), cancelReason } })
    if (count > 0)
      await appendEvents(tx, [
        { time: nowNs(), kind: 'JOB', subject: { type: 'Job', id: jobId }, summary: `${job.name} ${cancelReason}`, cause: causeOf(context) },
      ])
    return count > 0
  })
  if (waiting) await context.queues.remove(job.queue, jobId)
  else {
    const { count } = await prisma.job.updateMany({ where: { id: jobId, state: { in: ['ACTIVE', 'STALLED', 'PAUSED'] } }, data: { cancelReason } })
    if (count === 0) throw new Conflict(`the job has ended already: ${job.state.toLowerCase()}`, { jobId })
  }
  return prisma.job.findUniqueOrThrow({ where: { id: jobId } })
}
