import { Conflict, InvalidValue } from '../../core/errors.ts'
import type { Prisma } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { builder } from '../builder.ts'
import { after, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { containing } from '../containing.ts'
import { type Context, causeOf } from '../context.ts'
import { localId, localIds } from '../global-id.ts'
import type { Session } from '../loaders.ts'
import { manifestOfSession } from '../manifest.ts'
import { nowNs } from '../now.ts'
import { DatasetConnectionRef, DeviceRef, NodeRef, NoteRef, RunConnectionRef, SessionConnectionRef, SessionRef } from '../refs.ts'
import { holdOpenSession, openSession } from '../sessions.ts'
import { RunStateEnum } from './enums.ts'
import { ManifestRef } from './manifest.ts'
import { answer, resultUnion } from './problem.ts'
import { TimeRangeRef, within } from './time-range.ts'

const SessionStateEnum = builder.enumType('SessionState', { values: ['OPEN', 'CLOSED'] as const })

SessionRef.implement({
  description: "A person's bounded use of the lab: an experiment. It holds runs, datasets, notes and a manifest of every parameter at its start.",
  interfaces: [NodeRef],
  fields: (t) => ({
    title: t.exposeString('title'),
    operator: t.exposeString('operator'),
    startedAt: t.field({ type: 'Time', resolve: ({ startedAt }) => startedAt }),
    endedAt: t.field({ type: 'Time', nullable: true, resolve: ({ endedAt }) => endedAt }),
    state: t.field({ type: SessionStateEnum, resolve: ({ state }) => (state === 'OPEN' ? 'OPEN' : 'CLOSED') }),
    tags: t.exposeStringList('tags'),
    metadata: t.field({ type: 'JSON', nullable: true, resolve: ({ metadata }) => metadata }),
    runs: t.field({
      type: RunConnectionRef,
      args: pageArgs(),
      complexity: pageCost,
      resolve: ({ id }, args, { database: { prisma } }) => {
        const where = { sessionId: id }
        return pageOf(
          args,
          (take) => prisma.run.findMany({ where, orderBy: [{ queuedAt: 'desc' }, { id: 'desc' }], take, ...after(args) }),
          idCursor,
          () => prisma.run.count({ where }),
        )
      },
    }),
    datasets: t.field({
      type: DatasetConnectionRef,
      args: pageArgs(),
      complexity: pageCost,
      resolve: ({ id }, args, { database: { prisma } }) => {
        const where = { sessionId: id }
        return pageOf(
          args,
          (take) => prisma.dataset.findMany({ where, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take, ...after(args) }),
          idCursor,
          () => prisma.dataset.count({ where }),
        )
      },
    }),
    notes: t.field({ type: [NoteRef], resolve: ({ id }, _args, { load }) => load.notesOfSession.load(id) }),
    devices: t.field({
      type: [DeviceRef],
      description: 'Every device that one of its runs used.',
      resolve: ({ id }, _args, { load }) => load.devicesOfSession.load(id),
    }),
    manifest: t.field({ type: ManifestRef, description: 'What was true when it started.', resolve: (session) => manifestOfSession(session) }),
    summary: t.exposeString('summary', { nullable: true }),
  }),
})

const SessionFilterRef = builder.inputType('SessionFilter', {
  fields: (t) => ({
    text: t.string({ description: 'In its title, its summary or a note.' }),
    operators: t.stringList(),
    deviceIds: t.idList(),
    tags: t.stringList({ description: 'Has all of them.' }),
    range: t.field({ type: TimeRangeRef }),
    state: t.field({ type: SessionStateEnum }),
    plans: t.stringList(),
    outcomes: t.field({ type: [RunStateEnum] }),
  }),
})
const SessionOrderEnum = builder.enumType('SessionOrder', { values: ['STARTED_DESC', 'STARTED_ASC'] as const })

builder.queryFields((t) => ({
  session: t.field({
    type: SessionRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { load }) => (await load.session.load(localId('Session', id))) ?? null,
  }),
  sessions: t.field({
    type: SessionConnectionRef,
    args: { filter: t.arg({ type: SessionFilterRef }), orderBy: t.arg({ type: SessionOrderEnum, defaultValue: 'STARTED_DESC' }), ...pageArgs() },
    complexity: pageCost,
    resolve: (_root, { filter, orderBy, ...args }, { database: { prisma } }) => {
      const where = whereOf(filter ?? {})
      const order = orderBy === 'STARTED_ASC' ? 'asc' : 'desc'
      return pageOf(
        args,
        (take) => prisma.session.findMany({ where, orderBy: [{ startedAt: order }, { id: order }], take, ...after(args) }),
        idCursor,
        () => prisma.session.count({ where }),
      )
    },
  }),
}))

function whereOf({ text, operators, deviceIds, tags, range, state, plans, outcomes }: typeof SessionFilterRef.$inferInput): Prisma.SessionWhereInput {
  const contains = containing(text ?? '')
  return {
    AND: [
      text == null ? {} : { OR: [{ title: contains }, { summary: contains }, { notes: { some: { text: contains } } }] },
      operators == null ? {} : { operator: { in: operators } },
      deviceIds == null ? {} : { runs: { some: { devices: { some: { deviceId: { in: localIds('Device', deviceIds) } } } } } },
      tags == null ? {} : { tags: { hasEvery: tags } },
      range == null ? {} : { startedAt: within(range) },
      state == null ? {} : { state },
      plans == null ? {} : { runs: { some: { planType: { in: plans } } } },
      outcomes == null ? {} : { runs: { some: { state: { in: outcomes } } } },
    ],
  }
}

const StartSessionInputRef = builder.inputType('StartSessionInput', {
  fields: (t) => ({ title: t.string({ required: true }), tags: t.stringList(), metadata: t.field({ type: 'JSON' }) }),
})
const SessionResult = resultUnion('SessionResult', SessionRef, ['INVALID_VALUE', 'NOT_FOUND', 'CONFLICT', 'FORBIDDEN'])

builder.mutationFields((t) => ({
  startSession: t.field({
    type: SessionResult,
    args: { input: t.arg({ type: StartSessionInputRef, required: true }) },
    resolve: (_root, { input: { title, tags, metadata } }, context) =>
      answer(() => {
        need(context, 'OPERATOR')
        return openSession({ title, tags: tags ?? [], metadata }, context)
      }),
  }),
  endSession: t.field({
    type: SessionResult,
    description: 'Its recordings stay; a run of it that still goes on is refused with Conflict.',
    args: { id: t.arg.id({ required: true }), summary: t.arg.string() },
    resolve: (_root, { id, summary }, context) => answer(() => endSession(id, summary ?? undefined, context)),
  }),
}))

const MAX_SUMMARY_LENGTH = 20_000 // as a note

async function endSession(id: string, summary: string | undefined, context: Context): Promise<Session> {
  need(context, 'OPERATOR')
  const sessionId = localId('Session', id)
  if ((summary?.length ?? 0) > MAX_SUMMARY_LENGTH) throw new InvalidValue(`summary: give at most ${MAX_SUMMARY_LENGTH} characters`, ['summary'])
  return context.database.prisma.$transaction(async (tx) => {
    await holdOpenSession(tx, sessionId)
    const open = await tx.run.findFirst({ where: { sessionId, endedAt: null } })
    if (open !== null) throw new Conflict(`run ${open.number} of the session has not ended; abort it or wait for it`, { runId: open.id })
    const ended = await tx.session.update({
      where: { id: sessionId },
      data: { state: 'CLOSED', endedAt: new Date(), ...(summary !== undefined && { summary }) },
    })
    await appendEvents(tx, [
      {
        time: nowNs(),
        kind: 'SESSION',
        subject: { type: 'Session', id: sessionId },
        sessionId,
        summary: `session ${ended.title} ended`,
        cause: causeOf(context),
      },
    ])
    return ended
  })
}
