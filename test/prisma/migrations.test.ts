import { describe, expect, it } from 'vitest'
import { schemaDiff, withoutVectorIndexes } from '../../prisma/schema-engine.mjs'
import { startEmptyDatabase } from '../harness/database.ts'

describe('the migrations', () => {
  it('make exactly what the schema files say', async () => {
    const scratch = await startEmptyDatabase()
    try {
      expect(await schemaDiff({ from: 'migrations', scratchUrl: scratch.url })).toBe('')
    } finally {
      await scratch.stop()
    }
  })

  it('may hold vector indexes that the schema cannot say, and nothing else', () => {
    expect(withoutVectorIndexes('-- DropIndex\nDROP INDEX "state_embedding_hnsw";\n')).toBe('')
    expect(withoutVectorIndexes('-- DropIndex\nDROP INDEX "state_embedding_hnsw";\n\n-- DropIndex\nDROP INDEX "other";\n')).toBe(
      '-- DropIndex\nDROP INDEX "other";\n',
    )
  })
})
