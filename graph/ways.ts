import { type NodeKind, RELATION_TYPES, RELATIONS, type RelationType } from './model.ts'
import { NODES_BY_ID, STEP_AGAINST, STEP_ALONG } from './queries.ts'
import type { GraphStore } from './store.ts'

export type Place = { readonly kind: NodeKind; readonly id: string; readonly name: string }
export type Hop = { readonly from: Place; readonly relation: string; readonly to: Place }
export type View = { readonly nodes: readonly Place[]; readonly edges: readonly Hop[] }

type Edge = Hop & { readonly relation: RelationType }

export const MAX_PATH_HOPS = 8 // from any node to any other of two stations that share a session it takes 7
export const MAX_NEIGHBOUR_HOPS = 3 // more is the whole lab
const MAX_NODES = 500 // of a neighbourhood; a drawing with more shows nothing
const MAX_PER_STEP = 2_000 // relations of one type in one step: the newest runs of a device that thousands have used

/** Steps from node to node, whichever way a relation points. A capability is said of many devices and leads from none to another. */
async function stepFrom(store: GraphStore, from: readonly Place[], limit: number): Promise<Edge[]> {
  const edges: Edge[] = []
  const idsOf = (kind: NodeKind): string[] => from.filter((place) => place.kind === kind).map(({ id }) => id)
  const known = new Map(from.map((place) => [keyOf(place), place]))
  type Step = { from: string; to: string; name: string }
  for (const type of RELATION_TYPES) {
    const { from: source, to: target } = RELATIONS[type]
    for (const step of await store.read<Step>(STEP_ALONG[type], { ids: idsOf(source), limit })) {
      const start = known.get(`${source}:${step.from}`)
      if (start !== undefined) edges.push({ from: start, relation: type, to: { kind: target, id: step.to, name: step.name } })
    }
    if (type === 'CAN') continue
    for (const step of await store.read<Step>(STEP_AGAINST[type], { ids: idsOf(target), limit })) {
      const end = known.get(`${target}:${step.from}`)
      if (end !== undefined) edges.push({ from: { kind: source, id: step.to, name: step.name }, relation: type, to: end })
    }
  }
  return edges
}

/** A shortest way; undefined where there is none of MAX_PATH_HOPS or fewer, or one end is not there. Throws GraphUnavailable. */
export async function pathBetween(store: GraphStore, from: Omit<Place, 'name'>, to: Omit<Place, 'name'>): Promise<readonly Hop[] | undefined> {
  const start = await placeOf(store, from)
  if (start === undefined || (await placeOf(store, to)) === undefined) return undefined
  const cameBy = new Map<string, Edge | undefined>([[keyOf(start), undefined]])
  let frontier: readonly Place[] = [start]
  for (let hops = 0; hops < MAX_PATH_HOPS && frontier.length > 0 && !cameBy.has(keyOf(to)); hops += 1) {
    const next: Place[] = []
    const here = new Set(frontier.map(keyOf))
    for (const edge of await stepFrom(store, frontier, MAX_PER_STEP)) {
      const reached = here.has(keyOf(edge.from)) && !cameBy.has(keyOf(edge.to)) ? edge.to : edge.from
      if (cameBy.has(keyOf(reached))) continue
      cameBy.set(keyOf(reached), edge)
      next.push(reached)
    }
    frontier = next
  }
  return cameBy.has(keyOf(to)) ? wayBack(cameBy, to) : undefined
}

/** Everything within that many hops, up to MAX_NODES. undefined where there is no such node. Throws GraphUnavailable. */
export async function neighbourhoodOf(store: GraphStore, of: Omit<Place, 'name'>, hops: number): Promise<View | undefined> {
  const centre = await placeOf(store, of)
  if (centre === undefined) return undefined
  const nodes = new Map([[keyOf(centre), centre]])
  const edges = new Map<string, Edge>()
  let frontier: readonly Place[] = [centre]
  for (let hop = 0; hop < hops && frontier.length > 0 && nodes.size < MAX_NODES; hop += 1) {
    const next: Place[] = []
    for (const edge of await stepFrom(store, frontier, MAX_NODES)) {
      for (const place of [edge.from, edge.to]) {
        if (nodes.has(keyOf(place)) || nodes.size >= MAX_NODES) continue
        nodes.set(keyOf(place), place)
        next.push(place)
      }
      if (nodes.has(keyOf(edge.from)) && nodes.has(keyOf(edge.to))) edges.set(`${edge.relation} ${keyOf(edge.from)} ${keyOf(edge.to)}`, edge)
    }
    frontier = next
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] }
}

async function placeOf(store: GraphStore, { kind, id }: Omit<Place, 'name'>): Promise<Place | undefined> {
  const [row] = await store.read<{ name: string }>(NODES_BY_ID[kind], { ids: [id] })
  return row && { kind, id, name: row.name }
}

/** In the order of the way, each hop told in its direction. */
function wayBack(cameBy: ReadonlyMap<string, Edge | undefined>, to: Omit<Place, 'name'>): Hop[] {
  const way: Hop[] = []
  for (let at = keyOf(to), edge = cameBy.get(at); edge !== undefined; edge = cameBy.get(at)) {
    const { from, relation } = edge
    const hop = at === keyOf(edge.to) ? edge : { from: edge.to, relation: RELATIONS[relation].inverse, to: from }
    way.unshift(hop)
    at = keyOf(hop.from)
  }
  return way
}

function keyOf({ kind, id }: Omit<Place, 'name'>): string {
  return `${kind}:${id}`
}
