import { InvalidValue, NotFound } from '../../core/errors.ts'
import { type Hop, MAX_NEIGHBOUR_HOPS, neighbourhoodOf, type Place, pathBetween, type View } from '../../graph/ways.ts'
import { builder } from '../builder.ts'
import { askGraph, graphNodeId, graphSubject } from '../graph.ts'
import { NodeRef } from '../refs.ts'
import { findNode } from './node.ts'

export const GraphNodeRef = builder.objectRef<Place>('GraphNode').implement({
  fields: (t) => ({
    id: t.id({ resolve: graphNodeId }),
    label: t.string({ description: 'What people call it.', resolve: ({ name }) => name }),
    kind: t.exposeString('kind', { description: 'Station, Port, Device, Capability, Parameter, Session or Run.' }),
    node: t.field({
      type: NodeRef,
      nullable: true,
      description: 'null of a capability, and of what is gone since.',
      resolve: async (place, _args, context) => (await findNode(graphNodeId(place), context)) ?? null,
    }),
  }),
})

const GraphHopRef = builder.objectRef<Hop>('GraphHop').implement({
  fields: (t) => ({
    from: t.field({ type: GraphNodeRef, resolve: ({ from }) => from }),
    relation: t.exposeString('relation', {
      description: 'From `from` to `to`: HAS_PORT, HAS_DEVICE, CAN, HAS_PARAMETER, IN_SESSION, ON_STATION, USES, or the inverse.',
    }),
    to: t.field({ type: GraphNodeRef, resolve: ({ to }) => to }),
  }),
})

const GraphViewRef = builder.objectRef<View & { readonly asOf: Date }>('GraphView').implement({
  fields: (t) => ({
    asOf: t.field({ type: 'Time', description: 'Every change up to then is in it.', resolve: ({ asOf }) => asOf }),
    nodes: t.field({ type: [GraphNodeRef], resolve: ({ nodes }) => nodes }),
    edges: t.field({ type: [GraphHopRef], resolve: ({ edges }) => edges }),
  }),
})

builder.queryFields((t) => ({
  graphPath: t.field({
    type: [GraphHopRef],
    nullable: true,
    description: 'A shortest way from one node of the graph to another; null where there is none. It leads through no capability.',
    args: { from: t.arg.id({ required: true }), to: t.arg.id({ required: true }) },
    resolve: async (_root, { from, to }, context) => {
      const [start, end] = [graphSubject(from), graphSubject(to)]
      const { answer } = await askGraph(context, (graph) => pathBetween(graph, start, end))
      return answer ?? null
    },
  }),
  neighbourhood: t.field({
    type: GraphViewRef,
    nullable: true,
    description: `Everything within 1 to ${MAX_NEIGHBOUR_HOPS} hops; of a device that thousands of runs used, the newest.`,
    args: { of: t.arg.id({ required: true }), hops: t.arg.int({ defaultValue: 1 }) },
    resolve: async (_root, { of, hops: given }, context) => {
      const hops = given ?? 1
      if (hops < 1 || hops > MAX_NEIGHBOUR_HOPS) throw new InvalidValue(`hops: ${hops} is not allowed; give 1 to ${MAX_NEIGHBOUR_HOPS}`, ['hops'])
      const subject = graphSubject(of)
      const { answer, asOf } = await askGraph(context, (graph) => neighbourhoodOf(graph, subject, hops))
      if (answer === undefined) throw new NotFound(`${subject.kind.toLowerCase()} with the id ${of} in the graph`)
      return { ...answer, asOf }
    },
  }),
}))
