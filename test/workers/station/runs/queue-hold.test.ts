import { expect, it } from 'vitest'
import { StorageFull } from '../../../../core/errors.ts'
import type { JournalEntry } from '../../../../core/journal.ts'
import { systemClock } from '../../../../workers/station/clock.ts'
import { StationMemory } from '../../../../workers/station/journal/memory.ts'
import { QueueHold } from '../../../../workers/station/runs/queue-hold.ts'

it('is taken although the disk is full, and not let go of while it is', () => {
  let full = true
  const entries: JournalEntry[] = []
  const append = (entry: JournalEntry): number => {
    if (full) throw new StorageFull(64, 0)
    return entries.push(entry)
  }
  const lines: string[] = []
  const journal = { append, memory: new StationMemory() }
  const hold = new QueueHold({ journal, clock: systemClock(), log: (line) => lines.push(line) }, 'not known yet')
  hold.hold('emergency stop')
  expect(hold).toMatchObject({ held: true, reason: 'emergency stop' })
  expect(lines).toEqual([expect.stringContaining('64 bytes are needed')])
  expect(() => hold.release()).toThrow(StorageFull)
  expect(hold).toMatchObject({ held: true, reason: 'emergency stop' })
  full = false
  hold.release()
  expect(hold.held).toBe(false)
  expect(entries).toMatchObject([{ type: 'queue', held: false }])
})
