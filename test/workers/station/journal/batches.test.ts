import { expect, test } from 'vitest'
import type { JournalEntry } from '../../../../core/journal.ts'
import { inBatches } from '../../../../workers/station/journal/batch.ts'
import type { StoredEntry } from '../../../../workers/station/journal/record.ts'

/** The history goes into PostgreSQL in batches: a transaction for each reading would be the database's whole work. */

const sampled = (samples: number): JournalEntry => ({
  type: 'samples',
  samples: Array.from({ length: samples }, () => ({ deviceId: 'd', parameter: 'p', reading: { time: 1n, quality: 'GOOD', value: 1 } })),
})
const LIMITS = { entries: 1000, waitMs: 60_000, weight: 5000, weigh: (entry: JournalEntry) => (entry.type === 'samples' ? entry.samples.length : 1) }

async function* journal(entries: number, samplesOfEach: number): AsyncGenerator<StoredEntry> {
  for (let sequence = 1; sequence <= entries; sequence += 1) yield { sequence, entry: sampled(samplesOfEach) }
}

async function batchesOf(source: AsyncIterable<StoredEntry>): Promise<readonly (readonly StoredEntry[])[]> {
  const batches: (readonly StoredEntry[])[] = []
  for await (const batch of inBatches(source, LIMITS)) batches.push(batch)
  return batches
}

test('what has gathered goes together, up to the limits, each entry once and in order', async () => {
  const batches = await batchesOf(journal(2500, 1))
  expect(batches.map((batch) => batch.length)).toEqual([1000, 1000, 500])
  expect(batches.flat().map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2500 }, (_, at) => at + 1))
})

test('entries of many samples fill a batch sooner', async () => {
  expect((await batchesOf(journal(25, 1000))).map((batch) => batch.length)).toEqual([5, 5, 5, 5, 5])
})

test('what comes alone does not wait for others for ever', async () => {
  const stop = new AbortController()
  async function* lonely(): AsyncGenerator<StoredEntry> {
    yield { sequence: 1, entry: sampled(1) }
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
  }
  const batches = inBatches(lonely(), { ...LIMITS, waitMs: 10 })
  expect((await batches.next()).value).toMatchObject([{ sequence: 1 }])
  stop.abort()
  expect(await batches.next()).toEqual({ done: true, value: undefined })
})
