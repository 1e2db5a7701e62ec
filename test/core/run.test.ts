import { expect, test } from 'vitest'
import { ACTIVE_RUN_STATES, hasEnded, mayFollow, RUN_STATES } from '../../core/run.ts'

test('an ended run never moves again, and every other can come to an end', () => {
  for (const from of RUN_STATES) {
    const next = RUN_STATES.filter((to) => mayFollow(from, to))
    if (hasEnded(from)) expect(next).toEqual([])
    else expect(next.some(hasEnded), from).toBe(true)
    expect(mayFollow(from, from)).toBe(false)
  }
})

test('a run holds devices from its claim to its end', () => {
  expect(RUN_STATES.filter((state) => !hasEnded(state) && state !== 'QUEUED').sort()).toEqual([...ACTIVE_RUN_STATES].sort())
  for (const state of ACTIVE_RUN_STATES) expect(mayFollow(state, 'INTERRUPTED')).toBe(true)
  expect(mayFollow('QUEUED', 'RUNNING')).toBe(false)
})
