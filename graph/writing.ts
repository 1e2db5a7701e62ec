import { NODE_KINDS, RELATION_TYPES, type RelationType } from './model.ts'
import { ADD_RELATIONS, REMOVE_NODES, REMOVE_RELATIONS, SET_NODES } from './queries.ts'
import type { Statement } from './store.ts'
import { isIdle } from './store.ts'
import type { GraphChange, GraphRelation } from './subgraph.ts'

/** The statements of a change: relations need their nodes first, and nodes go last. */
export function statementsOf({ setNodes, removeNodes, addRelations, removeRelations }: GraphChange): Statement[] {
  const relationsOf = (wanted: RelationType, among: readonly GraphRelation[]) =>
    among.filter(({ type }) => type === wanted).map(({ from, to, role }) => ({ from, to, role }))
  return [
    ...NODE_KINDS.map((kind) => ({
      text: SET_NODES[kind],
      parameters: { rows: setNodes.filter((node) => node.kind === kind).map(({ properties }) => properties) },
    })),
    ...RELATION_TYPES.map((type) => ({ text: REMOVE_RELATIONS[type], parameters: { rows: relationsOf(type, removeRelations) } })),
    ...RELATION_TYPES.map((type) => ({ text: ADD_RELATIONS[type], parameters: { rows: relationsOf(type, addRelations) } })),
    ...NODE_KINDS.map((kind) => ({ text: REMOVE_NODES[kind], parameters: { ids: removeNodes.filter((node) => node.kind === kind).map(({ id }) => id) } })),
  ].filter((statement) => !isIdle(statement))
}
