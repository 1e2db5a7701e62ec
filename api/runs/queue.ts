import { ACTIVE_RUN_STATES } from '../../core/run.ts'
import type { QueueState } from '../../link/protocol.ts'
import type { Context } from '../context.ts'
import type { Run, Station } from '../loaders.ts'

const CALL_DEADLINE_MS = 5_000 // it only changes a flag and its journal entry
const MAX_ENTRIES = 200 // as a page; a queue that long is a backlog to be cleared, not read

export type QueueEntry = { readonly run: Run; readonly position: number; readonly waitsFor: string | undefined }

/** As the station says it; while it is away, as the database has it. */
export function queueStateOf({ id, queueHeld, queueReason }: Station, { stations }: Pick<Context, 'stations'>): QueueState {
  const mirror = stations.find(id)
  return mirror?.online === true ? mirror.queue : { held: queueHeld, ...(queueReason !== null && { reason: queueReason }) }
}

/** In the order in which they will start. */
export async function queueEntries(station: Station, context: Context): Promise<QueueEntry[]> {
  const { prisma } = context.database
  const [waiting, active] = await Promise.all([
    prisma.run.findMany({
      where: { stationId: station.id, state: 'QUEUED' },
      orderBy: [{ priority: 'desc' }, { queuedAt: 'asc' }, { id: 'asc' }],
      take: MAX_ENTRIES,
    }),
    prisma.run.findFirst({ where: { stationId: station.id, state: { in: [...ACTIVE_RUN_STATES] } }, select: { number: true } }),
  ])
  const { held, reason } = queueStateOf(station, context)
  const mirror = context.stations.find(station.id)
  return waiting.map((run, at) => ({ run, position: at + 1, waitsFor: reasonAt(at) }))

  function reasonAt(at: number): string | undefined {
    if (mirror?.online !== true) return `station ${station.name} is away`
    if (mirror.emergencyStop.active) return 'the emergency stop is active'
    if (held) return reason === undefined ? 'the queue is held' : `the queue is held: ${reason}`
    const before = at === 0 ? active?.number : waiting[at - 1]?.number
    return before === undefined ? undefined : `run ${before}`
  }
}

export async function holdQueue({ id }: Station, reason: string | undefined, { stations, actor }: Context): Promise<void> {
  const mirror = stations.get(id)
  mirror.queue = await mirror.call('holdQueue', { actor, ...(reason !== undefined && { reason }) }, CALL_DEADLINE_MS)
}

export async function releaseQueue({ id }: Station, { stations, actor }: Context): Promise<void> {
  const mirror = stations.get(id)
  mirror.queue = await mirror.call('releaseQueue', { actor }, CALL_DEADLINE_MS)
}
