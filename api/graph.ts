import { GraphQLError } from 'graphql'
import { NotFound } from '../core/errors.ts'
import type { NodeKind } from '../graph/model.ts'
import { PROJECTION } from '../graph/queries.ts'
import { type GraphStore, GraphUnavailable } from '../graph/store.ts'
import type { Services } from './context.ts'
import { globalId, type NodeType, parseGlobalId } from './global-id.ts'

/** Nodes of the graph that are nodes of the API, by the same names and the same local ids. A capability is none. */
const KINDS: readonly NodeKind[] = ['Station', 'Port', 'Device', 'Parameter', 'Session', 'Run']

type Projection = { readonly graphId: string; readonly sequence: number; readonly complete: boolean }
export type GraphServices = Pick<Services, 'graph' | 'database'>

/**
 * An answer of the graph with the moment that it stands for: now, or the oldest change that the graph does not have yet. Throws an error with the code
 * GRAPH_UNAVAILABLE while the store is away or holds no whole graph of this lab.
 */
export async function askGraph<Answer>(
  services: GraphServices,
  question: (graph: GraphStore) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly asOf: Date }> {
  try {
    const asOf = (await graphStanding(services)) ?? new Date()
    return { answer: await question(services.graph), asOf }
  } catch (error) {
    if (!(error instanceof GraphUnavailable)) throw error
    throw new GraphQLError(`the graph cannot be asked: ${error.message}`, { extensions: { code: 'GRAPH_UNAVAILABLE' } })
  }
}

/** Since when the graph is behind; undefined where it is in step. Throws GraphUnavailable. */
export async function graphStanding({ graph, database }: GraphServices): Promise<Date | undefined> {
  const [[there], { rows }] = await Promise.all([
    graph.read<Projection>(PROJECTION),
    database.pool.query<{ graphId: string | null; sequence: number | null; behind: Date | null }>(
      `SELECT "graphId", "sequence"::float8, (SELECT min("since") FROM "graph_change") AS "behind" FROM (SELECT 1) AS one LEFT JOIN "graph_standing" ON true`,
    ),
  ])
  const [known] = rows
  if (there?.complete !== true || there.graphId !== known?.graphId || there.sequence < (known.sequence ?? 0))
    throw new GraphUnavailable('it is being made anew')
  return known.behind ?? undefined
}

export type GraphSubject = { readonly kind: NodeKind; readonly id: string }

/** Throws NotFound for what is never in the graph. */
export function graphSubject(id: string): GraphSubject {
  const parsed = parseGlobalId(id)
  const kind = KINDS.find((candidate) => candidate === parsed?.type)
  if (parsed === undefined || kind === undefined) throw new NotFound(`node of the graph with the id ${id}; it knows ${KINDS.join(', ')}`)
  return { kind, id: parsed.localId }
}

export function graphNodeId({ kind, id }: GraphSubject): string {
  return kind === 'Capability' ? Buffer.from(`${kind}:${id}`).toString('base64url') : globalId(kind satisfies NodeType, id)
}
