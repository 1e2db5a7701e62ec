import { InvalidValue } from '../../core/errors.ts'
import { uuidv7 } from '../../core/id.ts'
import { acquisition, stationQueue } from '../../core/job.ts'
import type { BoundPlan, PlanSpec } from '../../core/plan.ts'
import { checkPlan, outlineOf, PLANS } from '../../core/plans/plans.ts'
import { dateFromWallNs } from '../../core/time.ts'
import type { Prisma } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { type Context, causeOf } from '../context.ts'
import type { Device, Run } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { holdOpenSession, sessionForRun } from '../sessions.ts'
import { isUniqueViolation } from '../unique.ts'
import { type BindingGiven, bindRoles } from './bindings.ts'
import { checkDisk, checkRun } from './check.ts'

const HEALTH_DEADLINE_MS = 2_000 // the station only looks at its disk
const MAX_PRIORITY = 1_000

export type RunRequest = {
  readonly sessionId?: string | null | undefined
  readonly startBefore?: bigint | null | undefined
  readonly plan: PlanSpec
  readonly bindings?: readonly BindingGiven[] | null | undefined
  readonly metadata?: unknown
  readonly tags?: readonly string[] | null | undefined
  readonly priority?: number | null | undefined
  readonly idempotencyKey?: string | null | undefined
}

/**
 * Checks what can be checked now, writes the run's row, and tells the station's queue. The row is the truth: where the queue is away, the station finds
 * the run by itself. Throws Problems.
 */
export async function startRun(request: RunRequest, context: Context): Promise<Run> {
  need(context, 'OPERATOR')
  const { database, stations, actor } = context
  const first = await runWithKey(request, context)
  if (first !== null) return first

  const { plan } = request
  checkPlan(plan)
  if (request.startBefore != null && request.startBefore <= nowNs())
    throw new InvalidValue('startBefore: give a moment that is still to come', ['input', 'startBefore'])
  const priority = request.priority ?? 0
  if (Math.abs(priority) > MAX_PRIORITY) throw new InvalidValue(`priority: ${priority} is not in -${MAX_PRIORITY} … ${MAX_PRIORITY}`, ['input', 'priority'])
  const outline = outlineOf(plan)
  const bound = await bindRoles(outline, request.bindings ?? [], context)
  const station = stations.get(stationOf(bound))
  checkRun(outline, plan.type, bound, station)
  if (plan.type === 'record') checkDisk(plan, bound, station, (await station.call('health', {}, HEALTH_DEADLINE_MS)).diskFreeBytes)

  const session = await sessionForRun(request.sessionId, PLANS[plan.type].title, context)
  const boundPlan: BoundPlan = { ...plan, bindings: [...bound].map(([role, { id }]) => ({ role, deviceId: id })) }
  const [runId, jobId] = [uuidv7(), uuidv7()]
  const queue = stationQueue(station.stationId)
  try {
    const run = await database.prisma.$transaction(async (tx) => {
      await holdOpenSession(tx, session.id)
      await tx.job.create({
        data: { id: jobId, queue, name: acquisition.name, priority, requestedBy: actor.name, createdAt: new Date(), payload: { jobId, runId } },
      })
      const row = await tx.run.create({
        data: {
          id: runId,
          jobId,
          sessionId: session.id,
          stationId: station.stationId,
          plan: boundPlan as unknown as Prisma.InputJsonValue,
          planType: plan.type,
          summary: outline.summary,
          priority,
          actor: actor.name,
          queuedAt: new Date(),
          tags: [...(request.tags ?? [])],
          ...(request.metadata != null && { metadata: request.metadata as Prisma.InputJsonValue }),
          ...(request.startBefore != null && { startBefore: dateFromWallNs(request.startBefore) }),
          ...(outline.totalPoints !== undefined && { totalPoints: outline.totalPoints }),
          ...(request.idempotencyKey != null && { idempotencyKey: request.idempotencyKey }),
        },
      })
      await tx.runDevice.createMany({ data: [...bound].map(([role, { id }]) => ({ runId, role, deviceId: id })) })
      await appendEvents(tx, [
        {
          time: nowNs(),
          kind: 'RUN',
          subject: { type: 'Run', id: runId },
          runId,
          sessionId: session.id,
          summary: `run ${row.number} is queued: ${outline.summary}`,
          cause: causeOf(context),
        },
      ])
      return row
    })
    await context.queues.add(queue, acquisition, { jobId, runId }, { jobId, priority })
    return run
  } catch (error) {
    // Two requests with one key at once: the second finds the first one's row.
    const winner = isUniqueViolation(error) ? await runWithKey(request, context) : null
    if (winner === null) throw error
    return winner
  }
}

async function runWithKey({ idempotencyKey }: RunRequest, { database, actor }: Context): Promise<Run | null> {
  if (idempotencyKey == null) return null
  return database.prisma.run.findUnique({ where: { actor_idempotencyKey: { actor: actor.name, idempotencyKey } } })
}

function stationOf(bound: ReadonlyMap<string, Device>): string {
  const [device] = bound.values()
  if (device === undefined) throw new InvalidValue('the plan uses no device', ['input', 'plan'])
  return device.stationId
}
