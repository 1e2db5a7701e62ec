import { type NodeKind, RELATION_TYPES, RELATIONS, type RelationType } from './model.ts'
import { NODES_BY_ID, STEP_AGAINST, STEP_ALONG } from './queries.ts'
import type { GraphStore } from './store.ts'

export type Place = { readonly kind: NodeKind; readonly id: string; readonly name: string }
export type Hop = { readonly from: Place; readonly relation: string; readonly to: Place }
export type View = { readonly nodes: readonly Place[]; readonly edges: readonly Hop[] }

type Edge = Hop & { readonly relation: RelationType }

export const MAX_PATH_HOPS = 8 // from a parameter over a session to a parameter of another station it takes 6
export const MAX_NEIGHBOUR_HOPS = 3 // more is the whole lab
/** They belong to one device, or are said of many: no way leads through them. */
const LEAVES: readonly NodeKind[] = ['Parameter', 'Capability']
const MAX_NODES = 500 // of a neighbourhood; a drawing with more shows nothing
const MAX_PER_STEP = 2_000 // relations of one type in one step: the newest runs of a device that thousands have used

/** One step along and against each relation; along a relation to a leaf only where `toLeaves` says so. */
async function stepFrom(store: GraphStore, from: readonly Place[], limit: number, toLeaves: boolean): Promise<Edge[]> {
  type Step = { from: string; to: string; name: string }
  const idsOf = (kind: NodeKind): string[] => from.filter((place) => place.kind === kind).map(({ id }) => id)
  const known = new Map(from.map((place) => [keyOf(place), place]))
  const steps = RELATION_TYPES.flatMap((relation) => {
    const { from: source, to: target } = RELATIONS[relation]
    const along = async (): Promise<Edge[]> =>
      (await store.read<Step>(STEP_ALONG[relation], { ids: idsOf(source), limit })).flatMap((step) => {
        const start = known.get(`${source}:${step.from}`)
        return start === undefined ? [] : [{ from: start, relation, to: { kind: target, id: step.to, name: step.name } }]
      })
    const against = async (): Promise<Edge[]> =>
      (await store.read<Step>(STEP_AGAINST[relation], { ids: idsOf(target), limit })).flatMap((step) => {
        const end = known.get(`${target}:${step.from}`)
        return end === undefined ? [] : [{ from: { kind: source, id: step.to, name: step.name }, relation, to: end }]
      })
    return [...(toLeaves || !LEAVES.includes(target) ? [along()] : []), ...(target === 'Capability' ? [] : [against()])]
  })
  return (await Promise.all(steps)).flat()
}

/** A shortest way; undefined where there is none of MAX_PATH_HOPS or fewer, or one end is not there. Throws GraphUnavailable. */
export async function pathBetween(store: GraphStore, from: Omit<Place, 'name'>, to: Omit<Place, 'name'>): Promise<readonly Hop[] | undefined> {
  const [start, end] = await Promise.all([placeOf(store, from), placeOf(store, to)])
  if (start === undefined || end === undefined) return undefined
  // From both ends, the narrower front first: the ways of a whole lab meet in the middle long before one end has seen all of it.
  const [front, back] = [new Front(start), new Front(end)]
  for (let hops = 0; ; hops += 1) {
    const middle = front.meets(back)
    if (middle !== undefined) return [...front.wayTo(middle), ...back.wayTo(middle).map(turned).reverse()].map(hopOf)
    const narrower = front.edge.length <= back.edge.length ? front : back
    if (hops === MAX_PATH_HOPS || narrower.edge.length === 0) return undefined
    narrower.advance(await stepFrom(store, narrower.edge, MAX_PER_STEP, false))
  }
}

/** An edge as it is gone along. */
type Stride = { readonly edge: Edge; readonly along: boolean }

/** What was reached from one end, and how. */
class Front {
  /** The places that were reached last. */
  edge: readonly Place[]
  readonly #reached = new Map<string, { readonly by: Stride | undefined; readonly hops: number }>()
  #hops = 0

  constructor(start: Place) {
    this.edge = [start]
    this.#reached.set(keyOf(start), { by: undefined, hops: 0 })
  }

  advance(edges: readonly Edge[]): void {
    const here = new Set(this.edge.map(keyOf))
    const next: Place[] = []
    this.#hops += 1
    for (const edge of edges)
      for (const along of [true, false]) {
        const [left, reached] = along ? [edge.from, edge.to] : [edge.to, edge.from]
        if (!here.has(keyOf(left)) || this.#reached.has(keyOf(reached))) continue
        this.#reached.set(keyOf(reached), { by: { edge, along }, hops: this.#hops })
        next.push(reached)
      }
    this.edge = next
  }

  /** Of the places that both have reached, one with the fewest hops. */
  meets(other: Front): string | undefined {
    let best: { readonly key: string; readonly hops: number } | undefined
    for (const [key, { hops }] of this.#reached) {
      const more = other.#reached.get(key)
      if (more !== undefined && (best === undefined || hops + more.hops < best.hops)) best = { key, hops: hops + more.hops }
    }
    return best?.key
  }

  wayTo(key: string): Stride[] {
    const way: Stride[] = []
    for (let at = key, stride = this.#reached.get(at)?.by; stride !== undefined; stride = this.#reached.get(at)?.by) {
      way.unshift(stride)
      at = keyOf(stride.along ? stride.edge.from : stride.edge.to)
    }
    return way
  }
}

function turned({ edge, along }: Stride): Stride {
  return { edge, along: !along }
}

function hopOf({ edge: { from, relation, to }, along }: Stride): Hop {
  return along ? { from, relation, to } : { from: to, relation: RELATIONS[relation].inverse, to: from }
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
    for (const edge of await stepFrom(store, frontier, MAX_NODES, true)) {
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

function keyOf({ kind, id }: Omit<Place, 'name'>): string {
  return `${kind}:${id}`
}
