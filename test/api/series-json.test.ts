import { execute, parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../api/context.ts'
import { buildSchema } from '../../api/schema/index.ts'
import { RawJson } from '../../api/subscriptions/raw-json.ts'
import type { LiveSeries, ReadingBatch } from '../../api/subscriptions/reading-batch.ts'

const schema = buildSchema()
const START = 1_700_000_000_123_456_789n
const SERIES: readonly LiveSeries[] = [
  { parameterId: 'YQ', unit: 'mm', start: START, offsetsMs: [0], numbers: [1.5], qualities: ['GOOD'] },
  { parameterId: 'Yg', unit: '"', start: START, offsetsMs: [0, 0.25], numbers: [null, -1e-30], qualities: ['BAD', 'UNCERTAIN'] },
  { parameterId: 'Yw', start: START + 1n, offsetsMs: [0], texts: ['a "quoted" \n text'], qualities: ['GOOD'] },
  { parameterId: 'ZA', start: 0n, offsetsMs: [0, 1], booleans: [true, null], qualities: ['GOOD', 'STALE'] },
  { parameterId: 'ZQ', start: START, offsetsMs: [0], numbers: [null], qualities: ['BAD'] },
]
const BATCH: ReadingBatch = { cursor: () => 'c', snapshot: true, dropped: 0, series: SERIES }
const ALL = 'parameterId unit start offsetsMs numbers texts booleans qualities'

async function both(selection: string): Promise<{ written: string; byGraphql: string; raw: boolean }> {
  const document = parse(`subscription { readings(select: []) { cursor ${selection} } }`)
  const run = (contextValue: Partial<Context>) => execute({ schema, document, rootValue: BATCH, contextValue })
  let used = false
  const raw = new (class extends RawJson {
    override put(...args: Parameters<RawJson['put']>): void {
      used = true
      super.put(...args)
    }
  })()
  return { written: raw.stringify(await run({ raw })), byGraphql: JSON.stringify(await run({})), raw: used }
}

describe('series written as JSON', () => {
  it.each([`series { ${ALL} }`, 'series { start numbers }', 'few: series { id: parameterId __typename q: qualities }'])(
    'are what graphql-js makes of them: %s',
    async (selection) => {
      const { written, byGraphql, raw } = await both(selection)
      expect(raw).toBe(true)
      expect(written).toBe(byGraphql)
    },
  )

  it.each([`series { ...on LiveSeries { ${ALL} } }`, 'series { numbers @skip(if: true) start }', 'series { start } series { numbers }'])(
    'are left to graphql-js where the selection is not plain: %s',
    async (selection) => {
      const { written, byGraphql, raw } = await both(selection)
      expect(raw).toBe(false)
      expect(written).toBe(byGraphql)
    },
  )
})
