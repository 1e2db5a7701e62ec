import { NotFound } from '../../core/errors.ts'
import { need } from '../actor.ts'
import { builder } from '../builder.ts'
import { localId } from '../global-id.ts'
import type { Station } from '../loaders.ts'
import { RunRef, StationRef } from '../refs.ts'
import { holdQueue, type QueueEntry, queueEntries, queueStateOf, releaseQueue } from '../runs/queue.ts'
import { answer, resultUnion } from './problem.ts'

const QueueEntryRef = builder.objectRef<QueueEntry>('QueueEntry').implement({
  fields: (t) => ({
    run: t.field({ type: RunRef, resolve: ({ run }) => run }),
    position: t.exposeInt('position', { description: '1 is the next to start.' }),
    waitsFor: t.string({ nullable: true, resolve: ({ waitsFor }) => waitsFor ?? null }),
  }),
})

const RunQueueRef = builder.objectRef<Station>('RunQueue').implement({
  description: 'HELD until a person lets it go on: after a restart of its station and after an emergency stop.',
  fields: (t) => ({
    station: t.field({ type: StationRef, resolve: (station) => station }),
    held: t.boolean({ resolve: (station, _args, context) => queueStateOf(station, context).held }),
    reason: t.string({ nullable: true, resolve: (station, _args, context) => queueStateOf(station, context).reason ?? null }),
    entries: t.field({ type: [QueueEntryRef], resolve: (station, _args, context) => queueEntries(station, context) }),
  }),
})
const QueueResult = resultUnion('QueueResult', RunQueueRef, ['NOT_FOUND', 'STATION_OFFLINE', 'EMERGENCY_STOPPED', 'CONFLICT', 'FORBIDDEN'])

builder.queryField('runQueue', (t) =>
  t.field({
    type: RunQueueRef,
    nullable: true,
    description: 'What waits on a station, in order, with the reason each waits.',
    args: { stationId: t.arg.id({ required: true }) },
    resolve: async (_root, { stationId }, { load }) => (await load.station.load(localId('Station', stationId))) ?? null,
  }),
)

builder.mutationFields((t) => ({
  holdQueue: t.field({
    type: QueueResult,
    description: 'What runs goes on; nothing more is started.',
    args: { stationId: t.arg.id({ required: true }), reason: t.arg.string() },
    resolve: (_root, { stationId, reason }, context) =>
      answer(async () => {
        need(context, 'OPERATOR')
        const station = await stationWithId(stationId, context.load.station)
        await holdQueue(station, reason ?? undefined, context)
        return station
      }),
  }),
  releaseQueue: t.field({
    type: QueueResult,
    description: 'A queue is held after a station restart or an emergency stop.',
    args: { stationId: t.arg.id({ required: true }) },
    resolve: (_root, { stationId }, context) =>
      answer(async () => {
        need(context, 'OPERATOR')
        const station = await stationWithId(stationId, context.load.station)
        await releaseQueue(station, context)
        return station
      }),
  }),
}))

async function stationWithId(id: string, stations: { load(id: string): Promise<Station | undefined> }): Promise<Station> {
  const station = await stations.load(localId('Station', id))
  if (station === undefined) throw new NotFound(`station with the id ${id}`)
  return station
}
