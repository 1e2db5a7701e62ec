import { brandWithType } from '@pothos/core'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { globalId, localId, type NodeType, parseGlobalId } from '../global-id.ts'
import { parameterById } from '../parameters.ts'
import { NodeRef } from '../refs.ts'

/** How each type that implements Node is found. */
const FIND: Readonly<Record<Exclude<NodeType, 'Note' | 'ApiKey'>, (id: string, context: Context) => Promise<{ readonly id: string } | undefined>>> = {
  Station: (id, { load }) => load.station.load(id),
  Port: (id, { load }) => load.port.load(id),
  Device: (id, { load }) => load.device.load(id),
  Parameter: (id, context) => parameterById(id, context),
  Session: (id, { load }) => load.session.load(id),
  Run: (id, { load }) => load.run.load(id),
  Dataset: (id, { load }) => load.dataset.load(id),
  Job: (id, { load }) => load.job.load(id),
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
  const found = await FIND[parsed.type](parsed.localId, context)
  if (found !== undefined) brandWithType<never>(found, parsed.type as never)
  return found
}

const MAX_NODES = 200 // as a page of a connection

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
    resolve: (_root, { ids }, context) => Promise.all(ids.slice(0, MAX_NODES).map(async (id) => (await findNode(id, context)) ?? null)),
  }),
}))
