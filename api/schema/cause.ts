import type { Cause } from '../../core/cause.ts'
import { builder } from '../builder.ts'
import { JobRef, RunRef, SessionRef } from '../refs.ts'

const CauseKindEnum = builder.enumType('CauseKind', {
  values: ['PERSON', 'API_KEY', 'PLAN', 'PRESET', 'RESTORE', 'SCRIPT', 'MODULE', 'INTERLOCK', 'EMERGENCY_STOP', 'DEVICE'] as const,
})

export const CauseRef = builder.objectRef<Cause>('Cause').implement({
  description: 'Who or what changed something, and why.',
  fields: (t) => ({
    kind: t.field({ type: CauseKindEnum, resolve: ({ kind }) => kind }),
    actor: t.string({ nullable: true, resolve: ({ actor }) => actor ?? null }),
    session: t.field({
      type: SessionRef,
      nullable: true,
      resolve: async ({ sessionId }, _args, { load }) => (sessionId === undefined ? null : ((await load.session.load(sessionId)) ?? null)),
    }),
    run: t.field({
      type: RunRef,
      nullable: true,
      resolve: async ({ runId }, _args, { load }) => (runId === undefined ? null : ((await load.run.load(runId)) ?? null)),
    }),
    job: t.field({
      type: JobRef,
      nullable: true,
      resolve: async ({ jobId }, _args, { load }) => (jobId === undefined ? null : ((await load.job.load(jobId)) ?? null)),
    }),
    reason: t.string({ nullable: true, resolve: ({ reason }) => reason ?? null }),
    requestId: t.string({ nullable: true, resolve: ({ requestId }) => requestId ?? null }),
  }),
})
