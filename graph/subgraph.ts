import type { NodeKind, PropertyValue, RelationType } from './model.ts'

export type GraphNode = { readonly id: string; readonly kind: NodeKind; readonly properties: Readonly<Record<string, PropertyValue>> }
export type GraphRelation = { readonly type: RelationType; readonly from: string; readonly to: string; readonly role: string }

/** A part of the graph, or all of it. */
export class Subgraph {
  readonly nodes = new Map<string, GraphNode>()
  readonly relations = new Map<string, GraphRelation>()

  addNode(node: GraphNode): void {
    this.nodes.set(`${node.kind}:${node.id}`, node)
  }

  addRelation(relation: GraphRelation): void {
    const { type, from, to, role } = relation
    this.relations.set(`${type}:${from}:${to}:${role}`, relation)
  }
}

export type GraphChange = {
  readonly setNodes: readonly GraphNode[]
  readonly removeNodes: readonly GraphNode[]
  readonly addRelations: readonly GraphRelation[]
  readonly removeRelations: readonly GraphRelation[]
}

/** What leads from one to the other. */
export function changeBetween(current: Subgraph, wanted: Subgraph): GraphChange {
  const missing = <T>(from: ReadonlyMap<string, T>, to: ReadonlyMap<string, T>): T[] => [...from].filter(([key]) => !to.has(key)).map(([, value]) => value)
  return {
    setNodes: [...wanted.nodes].filter(([key, node]) => !sameProperties(current.nodes.get(key), node)).map(([, node]) => node),
    removeNodes: missing(current.nodes, wanted.nodes),
    addRelations: missing(wanted.relations, current.relations),
    removeRelations: missing(current.relations, wanted.relations),
  }
}

function sameProperties(a: GraphNode | undefined, b: GraphNode): boolean {
  return a !== undefined && Object.keys(b.properties).every((name) => a.properties[name] === b.properties[name])
}
