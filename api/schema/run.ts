import { NotFound, type ProblemRecord } from '../../core/errors.ts'
import type { BoundPlan } from '../../core/plan.ts'
import { outlineOf } from '../../core/plans/plans.ts'
import type { RunState } from '../../core/run.ts'
import type { Prisma } from '../../prisma/client.ts'
import { builder } from '../builder.ts'
import { after, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { containing } from '../containing.ts'
import { localId, localIds } from '../global-id.ts'
import type { Run, RunDeviceRow } from '../loaders.ts'
import { manifestOfRun } from '../manifest.ts'
import { DatasetRef, DeviceRef, JobRef, NodeRef, ProblemRef, RunConnectionRef, RunRef, SessionRef, StationRef } from '../refs.ts'
import { abortRun } from '../runs/abort.ts'
import { startRun } from '../runs/start.ts'
import { type RunProgress, runSource } from '../subscriptions/run.ts'
import { RunStateEnum } from './enums.ts'
import { GapRef } from './gap.ts'
import { ManifestRef } from './manifest.ts'
import { PlanInputRef, planOf } from './plan.ts'
import { answer, resultUnion, type ServedCode } from './problem.ts'
import { TimeRangeRef, within } from './time-range.ts'

const PlanInstanceRef = builder.objectRef<Run>('PlanInstance').implement({
  fields: (t) => ({
    type: t.string({ resolve: ({ planType }) => planType }),
    arguments: t.field({ type: 'JSON', resolve: ({ plan }) => (plan as unknown as BoundPlan).arguments }),
    summary: t.exposeString('summary'),
  }),
})
const RoleBindingEntryRef = builder.objectRef<RunDeviceRow>('RoleBindingEntry').implement({
  fields: (t) => ({ role: t.exposeString('role'), device: t.field({ type: DeviceRef, resolve: ({ device }) => device }) }),
})

RunRef.implement({
  description: 'One execution of one plan.',
  interfaces: [NodeRef],
  fields: (t) => ({
    number: t.exposeInt('number'),
    session: t.field({ type: SessionRef, resolve: (run, _args, { load }) => there(load.session.load(run.sessionId), 'session') }),
    station: t.field({ type: StationRef, resolve: (run, _args, { load }) => there(load.station.load(run.stationId), 'station') }),
    startBefore: t.field({
      type: 'Time',
      nullable: true,
      description: 'After this moment it does not start any more.',
      resolve: ({ startBefore }) => startBefore,
    }),
    plan: t.field({ type: PlanInstanceRef, resolve: (run) => run }),
    state: t.field({ type: RunStateEnum, resolve: ({ state }) => state as RunState }),
    startedAt: t.field({ type: 'Time', nullable: true, resolve: ({ startedAt }) => startedAt }),
    endedAt: t.field({ type: 'Time', nullable: true, resolve: ({ endedAt }) => endedAt }),
    points: t.field({ type: 'SafeInt', resolve: ({ points }) => points }),
    totalPoints: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'null where it goes on until it is stopped.',
      resolve: ({ totalPoints }) => totalPoints,
    }),
    progress: t.float({
      nullable: true,
      description: '0 to 1.',
      resolve: ({ points, totalPoints }) => (totalPoints === null || totalPoints === 0 ? null : Math.min(1, points / totalPoints)),
    }),
    exitReason: t.exposeString('exitReason', { nullable: true }),
    problem: t.field({
      type: ProblemRef,
      nullable: true,
      resolve: async ({ id, stationId, problem }, _args, { load }) => {
        if (problem === null) return null
        const record = problem as unknown as ProblemRecord
        const [first] = await load.devicesOfRun.load(id)
        return { ...record, facts: { stationId, runId: id, ...(first !== undefined && { deviceId: first.device.id }), ...record.facts } }
      },
    }),
    devices: t.field({
      type: [DeviceRef],
      resolve: async ({ id }, _args, { load }) => [...new Map((await load.devicesOfRun.load(id)).map(({ device }) => [device.id, device])).values()],
    }),
    bindings: t.field({ type: [RoleBindingEntryRef], resolve: ({ id }, _args, { load }) => load.devicesOfRun.load(id) }),
    datasets: t.field({ type: [DatasetRef], resolve: ({ id }, _args, { load }) => load.datasetsOfRun.load(id) }),
    manifest: t.field({
      type: ManifestRef,
      nullable: true,
      description: 'What was true when it started; null before that.',
      resolve: (run) => manifestOfRun(run),
    }),
    canPause: t.boolean({ resolve: ({ plan }) => outlineOf(plan as unknown as BoundPlan).canPause }),
    job: t.field({
      type: JobRef,
      nullable: true,
      resolve: async ({ jobId }, _args, { load }) => (jobId === null ? null : ((await load.job.load(jobId)) ?? null)),
    }),
  }),
})

const RunFilterRef = builder.inputType('RunFilter', {
  fields: (t) => ({
    sessionId: t.id(),
    states: t.field({ type: [RunStateEnum] }),
    plans: t.stringList(),
    deviceIds: t.idList(),
    range: t.field({ type: TimeRangeRef }),
    text: t.string({ description: 'In what it does, or why it ended.' }),
  }),
})
const RunOrderEnum = builder.enumType('RunOrder', { values: ['STARTED_DESC', 'STARTED_ASC'] as const, description: 'By the moment it was asked for.' })

builder.queryFields((t) => ({
  run: t.field({
    type: RunRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { load }) => (await load.run.load(localId('Run', id))) ?? null,
  }),
  runs: t.field({
    type: RunConnectionRef,
    args: { filter: t.arg({ type: RunFilterRef }), orderBy: t.arg({ type: RunOrderEnum, defaultValue: 'STARTED_DESC' }), ...pageArgs() },
    complexity: pageCost,
    resolve: (_root, { filter, orderBy, ...args }, { database: { prisma } }) => {
      const where = whereOf(filter ?? {})
      const order = orderBy === 'STARTED_ASC' ? 'asc' : 'desc'
      return pageOf(
        args,
        (take) => prisma.run.findMany({ where, orderBy: [{ queuedAt: order }, { id: order }], take, ...after(args) }),
        idCursor,
        () => prisma.run.count({ where }),
      )
    },
  }),
}))

function whereOf({ sessionId, states, plans, deviceIds, range, text }: typeof RunFilterRef.$inferInput): Prisma.RunWhereInput {
  const contains = containing(text ?? '')
  return {
    AND: [
      sessionId == null ? {} : { sessionId: localId('Session', sessionId) },
      states == null ? {} : { state: { in: states } },
      plans == null ? {} : { planType: { in: plans } },
      deviceIds == null ? {} : { devices: { some: { deviceId: { in: localIds('Device', deviceIds) } } } },
      range == null ? {} : { queuedAt: within(range) },
      text == null ? {} : { OR: [{ summary: contains }, { exitReason: contains }] },
    ],
  }
}

const RoleBindingInputRef = builder.inputType('RoleBindingInput', {
  fields: (t) => ({ role: t.string({ required: true }), deviceId: t.id({ required: true }) }),
})
const RunInputRef = builder.inputType('RunInput', {
  description:
    "Without sessionId: the actor's open session, or a new one named after the plan and the day. A role without a binding is the device of that name or id. " +
    'startBefore: after this moment it does not start any more. The same idempotencyKey again gives the first run.',
  fields: (t) => ({
    sessionId: t.id(),
    startBefore: t.field({ type: 'Time' }),
    plan: t.field({ type: PlanInputRef, required: true }),
    bindings: t.field({ type: [RoleBindingInputRef] }),
    metadata: t.field({ type: 'JSON' }),
    tags: t.stringList(),
    priority: t.int(),
    idempotencyKey: t.string(),
  }),
})

const CODES = [
  'PLAN_REJECTED',
  'INVALID_VALUE',
  'NOT_FOUND',
  'NOT_SUPPORTED',
  'LIMIT_VIOLATION',
  'READ_ONLY',
  'INCOMPATIBLE_UNIT',
  'DEVICE_OFFLINE',
  'STATION_OFFLINE',
  'EMERGENCY_STOPPED',
  'DEADLINE_EXCEEDED',
  'STORAGE_FULL',
  'CONFLICT',
  'FORBIDDEN',
] as const satisfies readonly ServedCode[]
const RunResult = resultUnion('RunResult', RunRef, CODES)

builder.mutationFields((t) => ({
  startRun: t.field({
    type: RunResult,
    args: { input: t.arg({ type: RunInputRef, required: true }) },
    resolve: (_root, { input }, context) => answer(() => startRun({ ...input, plan: planOf(input.plan) }, context)),
  }),
  abortRun: t.field({
    type: RunResult,
    description: 'One that waits does not start; one that runs is ended by its station: motion stopped, files closed whole.',
    args: { id: t.arg.id({ required: true }), reason: t.arg.string() },
    resolve: (_root, { id, reason }, context) => answer(() => abortRun(id, reason ?? undefined, context)),
  }),
}))

const RunProgressRef = builder.objectRef<RunProgress>('RunProgress').implement({
  fields: (t) => ({
    cursor: t.field({ type: 'Cursor', resolve: ({ cursor }) => cursor }),
    gap: t.field({ type: GapRef, nullable: true, resolve: ({ gap }) => gap ?? null }),
    run: t.field({ type: RunRef, resolve: ({ run }) => run }),
  }),
})

builder.subscriptionField('run', (t) =>
  t.field({
    type: RunProgressRef,
    description: 'The run as it is, then each change, until it has ended.',
    args: { id: t.arg.id({ required: true }), after: t.arg({ type: 'Cursor' }) },
    subscribe: (_root, { id, after: cursor }, context) => runSource(localId('Run', id), cursor ?? undefined, context),
    resolve: (progress) => progress,
  }),
)

async function there<Row>(row: Promise<Row | undefined>, what: string): Promise<Row> {
  const found = await row
  if (found === undefined) throw new NotFound(`${what} of the run`)
  return found
}
