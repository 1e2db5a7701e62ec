import type { Cause } from '../../core/cause.ts'
import { EVENT_KINDS } from '../../core/event.ts'
import type { Prisma } from '../../prisma/client.ts'
import { builder } from '../builder.ts'
import { encodeStreamCursor } from '../cursor.ts'
import { globalId, localId, localIds, NODE_TYPES } from '../global-id.ts'
import type { Event } from '../loaders.ts'
import { NodeRef } from '../refs.ts'
import { type EventBatch, eventSource } from '../subscriptions/events.ts'
import { CauseRef } from './cause.ts'
import { EventKindEnum } from './enums.ts'
import { GapRef } from './gap.ts'
import { findNode } from './node.ts'

const EventRef = builder.objectRef<Event>('Event').implement({
  fields: (t) => ({
    cursor: t.field({ type: 'Cursor', resolve: async ({ id }, _args, { feed }) => encodeStreamCursor({ feed: await feed.identity(), event: id }) }),
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    kind: t.field({ type: EventKindEnum, resolve: ({ kind }) => EVENT_KINDS.find((known) => known === kind) ?? 'AUDIT' }),
    subject: t.field({
      type: NodeRef,
      nullable: true,
      resolve: async ({ subjectType, subjectId }, _args, context) => {
        const type = NODE_TYPES.find((known) => known === subjectType)
        return type === undefined || subjectId === null ? null : ((await findNode(globalId(type, subjectId), context)) ?? null)
      },
    }),
    summary: t.exposeString('summary'),
    cause: t.field({ type: CauseRef, nullable: true, resolve: ({ cause }) => cause as unknown as Cause | null }),
    data: t.field({ type: 'JSON', nullable: true, resolve: ({ data }) => data }),
  }),
})

const EventBatchRef = builder.objectRef<EventBatch>('EventBatch').implement({
  fields: (t) => ({
    cursor: t.field({ type: 'Cursor', resolve: ({ cursor }) => cursor }),
    gap: t.field({ type: GapRef, nullable: true, resolve: ({ gap }) => gap ?? null }),
    events: t.field({ type: [EventRef], resolve: ({ events }) => events }),
  }),
})

const EventFilterRef = builder.inputType('EventFilter', {
  fields: (t) => ({ kinds: t.field({ type: [EventKindEnum] }), deviceIds: t.idList(), sessionId: t.id(), runId: t.id() }),
})

builder.subscriptionField('events', (t) =>
  t.field({
    type: EventBatchRef,
    description: 'Everything that happens in the lab, one resumable feed: from now on, or after a cursor.',
    args: { filter: t.arg({ type: EventFilterRef }), after: t.arg({ type: 'Cursor' }) },
    subscribe: (_root, { filter, after }, context) => eventSource(whereOf(filter ?? {}), after ?? undefined, context),
    resolve: (batch) => batch,
  }),
)

function whereOf({ kinds, deviceIds, sessionId, runId }: typeof EventFilterRef.$inferInput): Prisma.EventWhereInput {
  return {
    AND: [
      kinds == null ? {} : { kind: { in: kinds } },
      deviceIds == null ? {} : { deviceId: { in: localIds('Device', deviceIds) } },
      sessionId == null ? {} : { sessionId: localId('Session', sessionId) },
      runId == null ? {} : { runId: localId('Run', runId) },
    ],
  }
}
