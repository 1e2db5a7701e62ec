import { expect, test } from 'vitest'
import type { DatasetRecord, JournalEntry } from '../../../../core/journal.ts'
import { batchOf } from '../../../../workers/station/journal/batch.ts'
import { eventsOf } from '../../../../workers/station/journal/events-of.ts'

const time = 5n
const reading = (value: number | string) => ({ time, quality: 'GOOD', value }) as const
const cause = { kind: 'PERSON', actor: 'ana' } as const
const summaries = (entry: JournalEntry): readonly string[] => eventsOf(entry, 'station').map(({ summary }) => summary)
const run = (state: 'PREPARING' | 'RUNNING' | 'COMPLETED' | 'FAILED', points: number, more: object = {}): JournalEntry => ({
  type: 'run',
  time,
  runId: 'r',
  number: 7,
  fence: 1,
  state,
  points,
  ...more,
})

test('a run is told when it starts and when it ends, not while it goes on', () => {
  expect(summaries(run('PREPARING', 0))).toEqual([])
  expect(summaries(run('RUNNING', 0))).toEqual(['Run 7 started'])
  expect(summaries(run('RUNNING', 3))).toEqual([])
  expect(summaries(run('COMPLETED', 9))).toEqual(['Run 7 completed after 9 points'])
  expect(summaries(run('FAILED', 2, { problem: { code: 'HARDWARE_FAULT', message: 'no answer', facts: {} } }))).toEqual([
    'Run 7 failed after 2 points: no answer',
  ])
})

test('a change names old and new, long texts shortened', () => {
  expect(summaries({ type: 'change', time, deviceId: 'd', parameter: 'mode', new: reading('slow'), cause })).toEqual(['mode: slow'])
  const [long] = summaries({ type: 'change', time, deviceId: 'd', parameter: 'mode', unit: 'mm', old: reading(1), new: reading('x'.repeat(500)), cause })
  expect(long?.length).toBeLessThan(120)
})

test('a dataset is told once, when it is whole; a checksum that comes later is no event', () => {
  const dataset: DatasetRecord = {
    id: 'i',
    name: 'run 7',
    kind: 'FRAMES',
    state: 'COMPLETE',
    axes: [],
    signals: [],
    shape: [],
    createdAt: 1n,
    completedAt: 5n,
    rows: 3,
    bytes: 9,
    dropped: 2,
    columns: [],
    folder: 'f',
    files: [],
  }
  expect(summaries({ type: 'dataset', time, dataset })).toEqual(['Dataset run 7 is complete: 3 rows, 2 dropped'])
  expect(summaries({ type: 'dataset', time: 6n, dataset })).toEqual([])
  expect(summaries({ type: 'dataset', time, dataset: { ...dataset, state: 'RECORDING' } })).toEqual([])
})

test('the hold of the queue and the emergency stop are told with their reasons', () => {
  expect(summaries({ type: 'queue', time, held: true, reason: 'smoke' })).toEqual(['The run queue is held: smoke'])
  expect(summaries({ type: 'queue', time, held: false })).toEqual(['The run queue goes on'])
  expect(summaries({ type: 'emergencyStop', state: { active: true, by: 'ana', reason: 'smoke', at: time } })).toEqual(['Emergency stop by ana: smoke'])
  expect(summaries({ type: 'emergencyStop', state: { active: false, by: 'bo', at: time } })).toEqual(['Emergency stop released by bo'])
})

test('a batch keeps the last progress of each state, in order, and every event', () => {
  const entries = [run('RUNNING', 0), run('RUNNING', 1), run('RUNNING', 2), run('COMPLETED', 3)].map((entry, sequence) => ({ sequence, entry }))
  const batch = batchOf(entries, 'station')
  expect(batch.runs.map(({ state, points }) => [state, points])).toEqual([
    ['RUNNING', 2],
    ['COMPLETED', 3],
  ])
  expect(batch.events).toHaveLength(2)
})
