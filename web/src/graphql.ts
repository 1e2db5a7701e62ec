import { initGraphQLTada } from 'gql.tada'
import type { introspection } from '../graphql-env.d.ts'

/** Documents typed by the printed schema, without a code generator: `graphql(\`query ...\`)`. `graphql-env.d.ts` is written by `gql.tada generate-output`. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  disableMasking: true
  scalars: { Time: string; Cursor: string; SafeInt: number; JSON: unknown; Value: number | string | boolean | number[] }
}>()

export type { ResultOf } from 'gql.tada'

/** What every refusal says; mutations select it beside their payload. */
export type Refusal = { readonly message: string; readonly code: string }

/** The problem in a mutation's answer, if it is one. `Problem` members carry a code, payloads do not. */
export function refusalOf(result: object | null | undefined): Refusal | undefined {
  if (result === null || result === undefined || !('message' in result) || !('code' in result)) return undefined
  return { message: String(result.message), code: String(result.code) }
}
