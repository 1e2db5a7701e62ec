import { NODE_KINDS } from '../model.ts'

/** One node per id, also when two projectors make it at once; each brings the index that finds it. */
export function constraintTexts(): string[] {
  return [...NODE_KINDS, 'Projection'].map(
    (kind) => `CREATE CONSTRAINT kymograph_${kind.toLowerCase()}_id IF NOT EXISTS FOR (n:${kind}) REQUIRE n.id IS UNIQUE`,
  )
}
