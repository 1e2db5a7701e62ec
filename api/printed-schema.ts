import { lexicographicSortSchema, printSchema } from 'graphql'
import { buildSchema } from './schema/index.ts'

/** The text of the GraphQL schema, in an order that does not depend on the order of the files. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(buildSchema()))}\n`
}
