import { expect, it } from 'vitest'
import { HEARTBEAT_MS } from '../../../../core/history.ts'
import type { JournalEntry } from '../../../../core/journal.ts'
import { NS_PER_MS } from '../../../../core/time.ts'
import { ReadingsHub } from '../../../../workers/station/host/readings-hub.ts'
import { Sampler } from '../../../../workers/station/host/sampler.ts'

const START = 1_763_632_800_000_000_000n
const POLL_MS = 500

it('a constant that is read has a sample each heartbeat, one that nobody reads has none', () => {
  const noted: JournalEntry[] = []
  const sampler = new Sampler((entry) => noted.push(entry))
  const spec = { description: '', kind: 'FLOAT', access: 'READ_ONLY', deadband: 0.1 } as const
  sampler.know(1, 'device', { ...spec, name: 'read', pollMs: POLL_MS })
  sampler.know(2, 'device', { ...spec, name: 'unread' })
  const hub = new ReadingsHub({ epoch: 1, onBatch: (batch) => sampler.take(batch) })
  hub.publish(2, { time: START, quality: 'GOOD', value: 7 }, 'measured')
  for (let ms = 0; ms <= 3 * HEARTBEAT_MS; ms += POLL_MS) {
    hub.publish(1, { time: START + BigInt(ms) * NS_PER_MS, quality: 'GOOD', value: 1 + (ms % 1000) / 1e5 }, 'measured')
    hub.flush()
  }
  const samples = noted.flatMap((entry) => (entry.type === 'samples' ? entry.samples : []))
  const times = (name: string) => samples.filter(({ parameter }) => parameter === name).map(({ reading }) => Number((reading.time - START) / NS_PER_MS))
  expect(times('read')).toEqual([0, HEARTBEAT_MS, 2 * HEARTBEAT_MS, 3 * HEARTBEAT_MS])
  expect(times('unread')).toEqual([0])
})

it('the first reading in another unit is a sample, whatever its number', () => {
  const noted: JournalEntry[] = []
  const sampler = new Sampler((entry) => noted.push(entry))
  const spec = { name: 'power', description: '', kind: 'FLOAT', access: 'READ_ONLY', deadband: 0.1 } as const
  const hub = new ReadingsHub({ epoch: 1, onBatch: (batch) => sampler.take(batch) })
  for (const [at, unit] of ['W', 'W', 'mW'].entries()) {
    sampler.know(1, 'device', { ...spec, unit })
    hub.publish(1, { time: START + BigInt(at), quality: 'GOOD', value: 1 }, 'measured')
    hub.flush()
  }
  expect(noted.flatMap((entry) => (entry.type === 'samples' ? entry.samples : [])).map(({ reading }) => reading.time - START)).toEqual([0n, 2n])
})
