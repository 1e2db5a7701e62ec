import { NODE_KINDS, type NodeKind, RELATION_TYPES, RELATIONS, type RelationType } from './model.ts'
import { ALL_NODES, ALL_RELATIONS, NODES_BY_ID, OWNED_RELATIONS, PARAMETERS_OF_DEVICES } from './queries.ts'
import type { GraphStore, Row } from './store.ts'
import { Subgraph } from './subgraph.ts'

type RelationRow = { readonly from: string; readonly to: string; readonly role: string }

/** Everything: nodes, relations and properties, always in the same order. For comparing graphs. */
export async function dump(store: GraphStore): Promise<Subgraph> {
  const graph = new Subgraph()
  for (const kind of NODE_KINDS) addNodes(graph, kind, await store.read(ALL_NODES[kind]))
  for (const type of RELATION_TYPES) addRelations(graph, type, await store.read(ALL_RELATIONS[type]))
  return graph
}

/** The nodes of one kind with what is written together with them: the relations that they own and, of devices, their parameters. */
export async function readOwned(store: GraphStore, kind: NodeKind, ids: readonly string[], into: Subgraph): Promise<void> {
  if (ids.length === 0) return
  addNodes(into, kind, await store.read(NODES_BY_ID[kind], { ids }))
  for (const type of RELATION_TYPES.filter((each) => RELATIONS[each][RELATIONS[each].owner] === kind))
    addRelations(into, type, await store.read(OWNED_RELATIONS[type], { ids }))
  if (kind === 'Device') addNodes(into, 'Parameter', await store.read(PARAMETERS_OF_DEVICES, { ids }))
}

function addNodes(graph: Subgraph, kind: NodeKind, rows: readonly Row[]): void {
  for (const { ...properties } of rows) {
    const known = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value ?? '']))
    graph.addNode({ id: String(properties['id']), kind, properties: known })
  }
}

function addRelations(graph: Subgraph, type: RelationType, rows: readonly RelationRow[]): void {
  for (const { from, to, role } of rows) graph.addRelation({ type, from, to, role })
}
