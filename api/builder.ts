import SchemaBuilder, { type ObjectRef } from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import { GraphQLError } from 'graphql'
import type { ParameterValue } from '../core/reading.ts'
import type { RowCell } from '../core/row.ts'
import type { Context } from './context.ts'

/**
 * What one request may cost. A point is about one field of one object; a page multiplies what is inside it by `first`, another list by LIST_GUESS.
 * The whole dashboard asks for about a tenth of the allowance; a page of pages of pages is refused before anything runs.
 */
const MAX_COMPLEXITY = 100_000
const MAX_DEPTH = 14 // the deepest of our own documents has 9
const MAX_BREADTH = 1_000 // fields of one document
const LIST_GUESS = 5 // of a list whose length is not in the document

export type SchemaTypes = {
  Context: Context
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    Time: { Input: bigint; Output: bigint | Date }
    Cursor: { Input: string; Output: string }
    SafeInt: { Input: number; Output: number | bigint }
    JSON: { Input: unknown; Output: unknown }
    Value: { Input: RowCell; Output: RowCell | ParameterValue }
  }
}

/** One for the whole GraphQL schema; the files of schema/ add their nouns to it. */
export const builder = new SchemaBuilder<SchemaTypes>({
  defaultFieldNullability: false,
  plugins: [ComplexityPlugin],
  complexity: {
    defaultListMultiplier: LIST_GUESS,
    limit: { complexity: MAX_COMPLEXITY, depth: MAX_DEPTH, breadth: MAX_BREADTH },
    complexityError: (kind, { complexity, depth, breadth }) => {
      const [has, may] = { Complexity: [complexity, MAX_COMPLEXITY], Depth: [depth, MAX_DEPTH], Breadth: [breadth, MAX_BREADTH] }[kind]
      return new GraphQLError(`the operation is too large: its ${kind.toLowerCase()} is ${has}, allowed is ${may}`, {
        extensions: { code: 'OPERATION_TOO_LARGE' },
      })
    },
  },
})

export type Types = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>
/** A type of the GraphQL schema, by what stands behind it. */
export type Ref<Source> = ObjectRef<Types, Source>

builder.queryType({})
builder.mutationType({})
builder.subscriptionType({})
