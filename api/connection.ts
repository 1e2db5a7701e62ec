import { GraphQLError } from 'graphql'
import { builder, type Ref } from './builder.ts'

/** Rows of one page; the contract says 200. What needs more goes on from the cursor. */
export const MAX_PAGE = 200

export type Edge<Node> = { readonly node: Node; readonly cursor: string }
export type PageInfo = {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}
export type Connection<Node> = { readonly edges: readonly Edge<Node>[]; readonly pageInfo: PageInfo; readonly totalCount?: () => Promise<number> }

const PageInfoRef = builder.objectRef<PageInfo>('PageInfo').implement({
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.expose('startCursor', { type: 'Cursor', nullable: true }),
    endCursor: t.expose('endCursor', { type: 'Cursor', nullable: true }),
  }),
})

/** `<Name>Connection` and `<Name>Edge` of the contract. `counted`: with totalCount, which costs and is only computed when asked for. */
export function connectionRef<Node extends object>(name: string, node: Ref<Node>, { counted = false } = {}) {
  const edge = builder.objectRef<Edge<Node>>(`${name}Edge`)
  edge.implement({
    fields: (t) => ({
      // Pothos' types cannot follow a type parameter; every Node is an object.
      node: t.field({ type: node as unknown as Ref<object>, resolve: (parent): object => parent.node }),
      cursor: t.field({ type: 'Cursor', resolve: ({ cursor }) => cursor }),
    }),
  })
  const connection = builder.objectRef<Connection<Node>>(`${name}Connection`)
  connection.implement({
    fields: (t) => ({
      edges: t.field({ type: [edge], complexity: { field: 0, multiplier: 1 }, resolve: ({ edges }) => edges }),
      pageInfo: t.field({ type: PageInfoRef, resolve: ({ pageInfo }) => pageInfo }),
      ...(counted && { totalCount: t.int({ nullable: true, complexity: 100, resolve: ({ totalCount }) => totalCount?.() ?? null }) }),
    }),
  })
  return connection
}

/** `first` as given (null: the default); it counts in the cost of the operation. */
export type PageArgs = { readonly first?: number | null | undefined; readonly after?: string | null | undefined }
export const DEFAULT_FIRST = 50
export const pageCost = ({ first }: PageArgs): { field: number; multiplier: number } => ({ field: 20, multiplier: Math.max(1, first ?? DEFAULT_FIRST) })

export function pageArgs(first = DEFAULT_FIRST) {
  return builder.args((t) => ({ first: t.int({ defaultValue: first }), after: t.field({ type: 'Cursor' }) }))
}

export function checkedFirst(given: number | null | undefined): number {
  const first = given ?? DEFAULT_FIRST
  if (!Number.isInteger(first) || first < 1 || first > MAX_PAGE)
    throw new GraphQLError(`first: ${first} is not allowed; give 1 to ${MAX_PAGE} and go on with after`, { extensions: { code: 'BAD_USER_INPUT' } })
  return first
}

/** A place in a list: its keys as JSON. Throws for what is no cursor of ours. */
export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url')
}

export function decodeCursor(cursor: string): (string | number)[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(keys) && keys.every((key) => typeof key === 'string' || typeof key === 'number')) return keys
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw badCursor(cursor)
}

export function badCursor(cursor: string): GraphQLError {
  return new GraphQLError(`${JSON.stringify(cursor)} is not a cursor of this list`, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** Takes one row more than asked for: it says whether there is a next page. */
export async function pageOf<Row>(
  args: PageArgs,
  rows: (take: number) => Promise<readonly Row[]>,
  cursorOf: (row: Row) => string,
  totalCount?: () => Promise<number>,
): Promise<Connection<Row>> {
  const first = checkedFirst(args.first)
  const found = await rows(first + 1)
  const edges = found.slice(0, first).map((node) => ({ node, cursor: cursorOf(node) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: found.length > first,
      hasPreviousPage: args.after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    ...(totalCount !== undefined && { totalCount }),
  }
}

/** For Prisma: the cursor names a row by its id; PostgreSQL compares with that row's own sort keys, to the last digit. */
export function after(args: PageArgs): { cursor: { id: string }; skip: 1 } | Record<string, never> {
  if (args.after == null) return {}
  const [id] = decodeCursor(args.after)
  if (typeof id !== 'string') throw badCursor(args.after)
  return { cursor: { id }, skip: 1 }
}

export const idCursor = (row: { readonly id: string }): string => encodeCursor([row.id])
