import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { type ComponentHealth, type Health, healthOfStation, labHealth } from '../health.ts'
import { healthSource } from '../subscriptions/health.ts'
import { HealthStateEnum } from './enums.ts'

const ComponentHealthRef = builder.objectRef<ComponentHealth>('ComponentHealth').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    state: t.field({ type: HealthStateEnum, resolve: ({ state }) => state }),
    message: t.string({ nullable: true, resolve: ({ message }) => message ?? null }),
    lastSeen: t.field({ type: 'Time', nullable: true, resolve: ({ lastSeen }) => lastSeen ?? null }),
    latencyMs: t.float({ nullable: true, resolve: ({ latencyMs }) => latencyMs ?? null }),
  }),
})

export const HealthRef = builder.objectRef<Health>('Health').implement({
  fields: (t) => ({
    state: t.field({ type: HealthStateEnum, resolve: ({ state }) => state }),
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    components: t.field({ type: [ComponentHealthRef], resolve: ({ components }) => components }),
    cpuPercent: t.float({ nullable: true, description: 'Of one core.', resolve: ({ cpuPercent }) => cpuPercent ?? null }),
    memoryBytes: t.field({ type: 'SafeInt', nullable: true, resolve: ({ memoryBytes }) => memoryBytes ?? null }),
    diskFreeBytes: t.field({ type: 'SafeInt', nullable: true, resolve: ({ diskFreeBytes }) => diskFreeBytes ?? null }),
  }),
})

export async function stationHealth(stationId: string, { stations }: Context): Promise<Health | null> {
  const mirror = stations.find(stationId)
  return mirror === undefined ? null : healthOfStation(mirror)
}

builder.queryField('health', (t) => t.field({ type: HealthRef, complexity: 50, resolve: (_root, _args, context) => labHealth(context) }))

builder.subscriptionField('health', (t) =>
  t.field({
    type: HealthRef,
    args: { intervalMs: t.arg.int({ defaultValue: 1000 }) },
    subscribe: (_root, { intervalMs }, context) => healthSource(intervalMs ?? 1000, context),
    resolve: (health) => health,
  }),
)
