import { VERSION } from '../../core/version.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { presentCursor } from '../cursor.ts'
import { type ComponentHealth, databaseHealth, graphHealth, queueHealth } from '../health.ts'
import { StationRef } from '../refs.ts'
import { HealthStateEnum } from './enums.ts'

type Backend = {
  readonly role: 'DATABASE' | 'QUEUE' | 'GRAPH'
  readonly kind: string
  readonly embedded: boolean
  readonly health: (context: Context) => Promise<ComponentHealth>
}

const BackendRef = builder.objectRef<Backend>('Backend').implement({
  description: 'What stands behind each role, and whether it is embedded.',
  fields: (t) => ({
    role: t.field({ type: builder.enumType('BackendRole', { values: ['DATABASE', 'QUEUE', 'GRAPH'] as const }), resolve: ({ role }) => role }),
    kind: t.exposeString('kind'),
    embedded: t.exposeBoolean('embedded'),
    state: t.field({ type: HealthStateEnum, resolve: async ({ health }, _args, context) => (await health(context)).state }),
  }),
})

const LAB_NAME = 'Kymograph'
const LabRef = builder.objectRef<object>('Lab').implement({
  fields: (t) => ({
    name: t.string({ resolve: () => LAB_NAME }),
    version: t.string({ resolve: () => VERSION }),
    commit: t.string({ nullable: true, resolve: (_lab, _args, { config }) => config.commit ?? null }),
    time: t.field({ type: 'Time', resolve: () => new Date() }),
    cursor: t.field({
      type: 'Cursor',
      description: 'Where every stream stands now: subscribe after it, and nothing is missed.',
      resolve: (_lab, _args, context) => presentCursor(context),
    }),
    backends: t.field({
      type: [BackendRef],
      resolve: (_lab, _args, { config: { databaseEmbedded, redisUrl }, graph }): Backend[] => [
        { role: 'DATABASE', kind: databaseEmbedded ? 'PGlite' : 'PostgreSQL', embedded: databaseEmbedded, health: databaseHealth },
        {
          role: 'QUEUE',
          kind: redisUrl === undefined ? 'BullMQ on PostgreSQL' : 'BullMQ on Redis',
          embedded: redisUrl === undefined && databaseEmbedded,
          health: queueHealth,
        },
        { role: 'GRAPH', kind: graph.kind, embedded: graph.embedded, health: graphHealth },
      ],
    }),
    stations: t.field({ type: [StationRef], resolve: (_lab, _args, { database: { prisma } }) => prisma.station.findMany({ orderBy: { name: 'asc' } }) }),
  }),
})

builder.queryField('lab', (t) => t.field({ type: LabRef, resolve: () => ({}) }))
