import { Conflict, NotFound } from '../../core/errors.ts'
import { stationQueue } from '../../core/job.ts'
import { hasEnded, type RunState } from '../../core/run.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { type Context, causeOf } from '../context.ts'
import { localId } from '../global-id.ts'
import type { Run } from '../loaders.ts'
import { nowNs } from '../now.ts'

const ABORT_DEADLINE_MS = 5_000 // the station answers when it has understood, not when the run has ended

/** A run that waits is ended in its row, which its station reads before it starts one; a run that moves is ended by its station. */
export async function abortRun(id: string, reason: string | undefined, context: Context): Promise<Run> {
  need(context, 'OPERATOR')
  const { prisma } = context.database
  const runId = localId('Run', id)
  const run = await prisma.run.findUnique({ where: { id: runId } })
  if (run === null) throw new NotFound(`run with the id ${id}`)
  if (hasEnded(run.state as RunState)) throw new Conflict(`run ${run.number} has ended already: ${run.state.toLowerCase()}`, { runId })
  if (run.state === 'QUEUED' && (await abortWaiting(run, reason, context))) return prisma.run.findUniqueOrThrow({ where: { id: runId } })

  const { known } = await context.stations
    .get(run.stationId)
    .call('abortRun', { runId, actor: context.actor, ...(reason !== undefined && { reason }) }, ABORT_DEADLINE_MS)
  const now = await prisma.run.findUniqueOrThrow({ where: { id: runId } })
  if (!known && !hasEnded(now.state as RunState)) throw new Conflict(`run ${run.number} is not carried out by its station now`, { runId })
  return now
}

/** False if the station was faster: the run is not waiting any more. */
async function abortWaiting(run: Run, reason: string | undefined, context: Context): Promise<boolean> {
  const exitReason = `aborted by ${context.actor.name}${reason === undefined ? '' : `: ${reason}`}`
  const aborted = await context.database.prisma.$transaction(async (tx) => {
    const { count } = await tx.run.updateMany({
      where: { id: run.id, state: 'QUEUED' },
      data: { state: 'ABORTED', endedAt: new Date(), exitReason, ...(reason !== undefined && { abortReason: reason }) },
    })
    if (count === 0) return false
    if (run.jobId !== null)
      await tx.job.update({
        where: { id: run.jobId },
        data: { state: 'CANCELLED', finishedAt: new Date(), ...(reason !== undefined && { cancelReason: reason }) },
      })
    await appendEvents(tx, [
      {
        time: nowNs(),
        kind: 'RUN',
        subject: { type: 'Run', id: run.id },
        runId: run.id,
        sessionId: run.sessionId,
        summary: `run ${run.number} ${exitReason}`,
        cause: causeOf(context, reason),
      },
    ])
    return true
  })
  if (aborted && run.jobId !== null) await context.queues.remove(stationQueue(run.stationId), run.jobId)
  return aborted
}
