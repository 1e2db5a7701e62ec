import type { PropertyValue } from './model.ts'

/**
 * A store of the graph, embedded or a server. Both take the same Cypher: the subset that is in queries.ts. Whoever opens one closes it.
 */
export interface GraphStore extends AsyncDisposable {
  /** 'LadybugDB' or 'Neo4j'. */
  readonly kind: string
  readonly embedded: boolean
  /** Rows of scalars, by the names after AS. Throws GraphUnavailable. */
  read<T extends Row>(text: string, parameters?: Parameters): Promise<T[]>
  /**
   * All of them, in one transaction, or none. A statement with `mustMatch` that returns no row takes everything back: `false` is returned.
   * Throws GraphUnavailable, and then it is not known whether it was done.
   */
  write(statements: readonly Statement[]): Promise<boolean>
}

export type Scalar = PropertyValue | null
export type Row = Readonly<Record<string, Scalar>>
export type Parameters = Readonly<Record<string, PropertyValue | readonly PropertyValue[] | readonly Readonly<Record<string, PropertyValue>>[]>>
export type Statement = { readonly text: string; readonly parameters: Parameters; readonly mustMatch?: boolean }

/** The store is away, too slow or refuses. The graph is derived: nothing is lost, and whoever asked goes on without. */
export class GraphUnavailable extends Error {
  override readonly name = 'GraphUnavailable'
}

export const READ_DEADLINE_MS = 5_000 // a person waits; the largest question takes a tenth of it at a thousand devices
export const WRITE_DEADLINE_MS = 30_000 // one chunk of the projector takes about a second on the slower store

/** Ladybug refuses UNWIND of an empty list, and on either store it would do nothing. */
export function isIdle({ text, parameters }: Statement): boolean {
  const list = /^UNWIND \$(\w+)/.exec(text)?.[1]
  const value = list === undefined ? undefined : parameters[list]
  return Array.isArray(value) && value.length === 0
}
