import { brandWithType } from '@pothos/core'
import { GraphQLError } from 'graphql'
import { builder, type Types } from '../builder.ts'
import { MAX_PAGE } from '../connection.ts'
import type { Context } from '../context.ts'
import { globalId, type NodeType, parseGlobalId } from '../global-id.ts'
import { parameterById } from '../parameters.ts'
import { DatasetRef, DeviceRef, JobRef, NodeRef, ParameterRef, PortRef, PresetRef, RunRef, SessionRef, StationRef } from '../refs.ts'

type Finder = {
  readonly ref: Parameters<typeof brandWithType<Types>>[1]
  readonly find: (id: string, context: Context) => Promise<{ readonly id: string } | undefined>
}

/** How each type that implements Node is found. */
const NODES: Readonly<Record<Exclude<NodeType, 'Note' | 'ApiKey'>, Finder>> = {
  Station: { ref: StationRef, find: (id, { load }) => load.station.load(id) },
  Port: { ref: PortRef, find: (id, { load }) => load.port.load(id) },
  Device: { ref: DeviceRef, find: (id, { load }) => load.device.load(id) },
  Parameter: { ref: ParameterRef, find: (id, context) => parameterById(id, context) },
  Session: { ref: SessionRef, find: (id, { load }) => load.session.load(id) },
  Run: { ref: RunRef, find: (id, { load }) => load.run.load(id) },
  Dataset: { ref: DatasetRef, find: (id, { load }) => load.dataset.load(id) },
  Job: { ref: JobRef, find: (id, { load }) => load.job.load(id) },
  Preset: { ref: PresetRef, find: (id, { load }) => load.preset.load(id) },
}

NodeRef.implement({
  fields: (t) => ({
    id: t.id({ resolve: (node, _args, _context, info) => globalId(info.parentType.name as NodeType, node.id) }),
  }),
})

/** undefined where there is no such thing, or no longer. */
export async function findNode(id: string, context: Context): Promise<{ readonly id: string } | undefined> {
  const parsed = parseGlobalId(id)
  if (parsed === undefined || parsed.type === 'Note' || parsed.type === 'ApiKey') return undefined
  const { ref, find } = NODES[parsed.type]
  const found = await find(parsed.localId, context)
  if (found !== undefined) brandWithType<Types>(found, ref)
  return found
}

builder.queryFields((t) => ({
  node: t.field({
    type: NodeRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => (await findNode(id, context)) ?? null,
  }),
  nodes: t.field({
    type: [NodeRef],
    nullable: { list: false, items: true },
    args: { ids: t.arg.idList({ required: true }) },
    complexity: ({ ids }) => ({ field: 1, multiplier: ids.length }),
    resolve: (_root, { ids }, context) => {
      if (ids.length > MAX_PAGE) throw new GraphQLError(`${ids.length} ids; give at most ${MAX_PAGE}`, { extensions: { code: 'BAD_USER_INPUT' } })
      return Promise.all(ids.map(async (id) => (await findNode(id, context)) ?? null))
    },
  }),
}))
