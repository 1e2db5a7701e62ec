import type { ProblemRecord } from '../../core/errors.ts'
import { MAX_LOG_LINES } from '../../core/job.ts'
import type { Prisma } from '../../prisma/client.ts'
import { builder } from '../builder.ts'
import { after, connectionRef, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { localId } from '../global-id.ts'
import { cancelJob } from '../jobs/cancel.ts'
import { requestExport } from '../jobs/export.ts'
import { JobRef, NodeRef, ProblemRef, RunRef } from '../refs.ts'
import { jobSource } from '../subscriptions/job.ts'
import { datasetsWhere } from './dataset.ts'
import { ExportInputRef, ExportRef } from './export.ts'
import { answer, resultUnion } from './problem.ts'

const JOB_STATES = ['WAITING', 'ACTIVE', 'PAUSED', 'COMPLETED', 'FAILED', 'CANCELLED', 'STALLED'] as const
const JobStateEnum = builder.enumType('JobState', { values: JOB_STATES })

JobRef.implement({
  description: 'Work in a queue: an acquisition, an export.',
  interfaces: [NodeRef],
  fields: (t) => ({
    queue: t.exposeString('queue'),
    name: t.exposeString('name'),
    state: t.field({ type: JobStateEnum, resolve: ({ state }) => JOB_STATES.find((known) => known === state) ?? 'WAITING' }),
    progress: t.float({ description: '0 to 1.', resolve: ({ progress, state }) => (state === 'COMPLETED' ? 1 : (progress ?? 0)) }),
    progressText: t.exposeString('progressText', { nullable: true }),
    priority: t.exposeInt('priority', { description: 'Larger goes first; 0 is normal.' }),
    attempts: t.exposeInt('attempts'),
    createdAt: t.field({ type: 'Time', resolve: ({ createdAt }) => createdAt }),
    startedAt: t.field({ type: 'Time', nullable: true, resolve: ({ startedAt }) => startedAt }),
    finishedAt: t.field({ type: 'Time', nullable: true, resolve: ({ finishedAt }) => finishedAt }),
    requestedBy: t.exposeString('requestedBy'),
    run: t.field({ type: RunRef, nullable: true, resolve: async ({ id }, _args, { load }) => (await load.runOfJob.load(id)) ?? null }),
    export: t.field({
      type: ExportRef,
      nullable: true,
      description: 'null until it is whole.',
      resolve: async ({ id }, _args, { load }) => (await load.exportOfJob.load(id)) ?? null,
    }),
    problem: t.field({ type: ProblemRef, nullable: true, resolve: ({ problem }) => problem as unknown as ProblemRecord | null }),
    log: t.stringList({
      args: { last: t.arg.int({ defaultValue: 50 }) },
      resolve: ({ log }, { last }) => log.slice(-Math.min(Math.max(last ?? 50, 1), MAX_LOG_LINES)),
    }),
  }),
})

const JobConnectionRef = connectionRef('Job', JobRef, { counted: true })
const JobFilterRef = builder.inputType('JobFilter', {
  fields: (t) => ({ queue: t.string(), states: t.field({ type: [JobStateEnum] }), runId: t.id(), datasetId: t.id() }),
})

builder.queryFields((t) => ({
  job: t.field({
    type: JobRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { load }) => (await load.job.load(localId('Job', id))) ?? null,
  }),
  jobs: t.field({
    type: JobConnectionRef,
    args: { filter: t.arg({ type: JobFilterRef }), ...pageArgs() },
    complexity: pageCost,
    resolve: (_root, { filter, ...args }, { database: { prisma } }) => {
      const where = whereOf(filter ?? {})
      return pageOf(
        args,
        (take) => prisma.job.findMany({ where, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take, ...after(args) }),
        idCursor,
        () => prisma.job.count({ where }),
      )
    },
  }),
}))

function whereOf({ queue, states, runId, datasetId }: typeof JobFilterRef.$inferInput): Prisma.JobWhereInput {
  return {
    AND: [
      queue == null ? {} : { queue },
      states == null ? {} : { state: { in: states } },
      runId == null ? {} : { run: { id: localId('Run', runId) } },
      datasetId == null ? {} : { payload: { path: ['datasetIds'], array_contains: [localId('Dataset', datasetId)] } },
    ],
  }
}

export const JobResult = resultUnion('JobResult', JobRef, ['INVALID_VALUE', 'NOT_FOUND', 'NOT_SUPPORTED', 'CONFLICT', 'STORAGE_FULL', 'FORBIDDEN'])

builder.mutationFields((t) => ({
  requestExport: t.field({
    type: JobResult,
    args: { input: t.arg({ type: ExportInputRef, required: true }) },
    resolve: (_root, { input }, context) =>
      answer(() => requestExport({ ...input, selection: input.selection == null ? undefined : datasetsWhere(input.selection) }, context)),
  }),
  cancelJob: t.field({
    type: JobResult,
    description: 'One that works ends soon and leaves nothing half done. An acquisition is ended by abortRun.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => answer(() => cancelJob(id, context)),
  }),
}))

builder.subscriptionField('job', (t) =>
  t.field({
    type: JobRef,
    description: 'The job as it is, then each change, until it has ended.',
    args: { id: t.arg.id({ required: true }) },
    subscribe: (_root, { id }, context) => jobSource(localId('Job', id), context),
    resolve: (job) => job,
  }),
)
