import { expect, it } from 'vitest'
import { StorageFull } from '../../../../core/errors.ts'
import { noteIn } from '../../../../workers/station/host/note.ts'
import { ReadingsHub } from '../../../../workers/station/host/readings-hub.ts'
import { Sampler } from '../../../../workers/station/host/sampler.ts'

it('a full journal costs the history, not the station, and is said once', () => {
  const lines: string[] = []
  let full = true
  let kept = 0
  const append = (): number => {
    if (full) throw new StorageFull(64, 0)
    return ++kept
  }
  const sampler = new Sampler(noteIn({ append }, (line) => lines.push(line)))
  sampler.know(1, 'device', { name: 'power', description: '', kind: 'FLOAT', access: 'READ_ONLY' })
  const hub = new ReadingsHub({ epoch: 1, onBatch: (batch) => sampler.take(batch) })
  for (const value of [1, 2, 3]) {
    hub.publish(1, { time: 1n, quality: 'GOOD', value }, 'measured')
    hub.flush()
  }
  expect(lines).toEqual([expect.stringContaining('64 bytes are needed')])
  full = false
  hub.publish(1, { time: 1n, quality: 'GOOD', value: 4 }, 'measured')
  hub.flush()
  expect(kept).toBe(1)
})
