import { describe, expect, it } from 'vitest'
import { completeWithin, DEFAULT_COMPLETE_MS, MAX_COMPLETE_MS, type Pace } from '../../core/command.ts'

const DOME: Pace = { motion: { longestMs: 540_000 }, commands: [{ name: 'point', description: '', arguments: [], longestMs: 540_000 }] }
const move = { kind: 'move', to: 1, wait: true } as const
const point = { kind: 'invoke', command: 'point', arguments: {} } as const

describe('how long a command may take', () => {
  it('is what was asked for, and never longer than any command may', () => {
    expect(completeWithin(5, [{ call: move, device: DOME }])).toBe(5)
    expect(completeWithin(MAX_COMPLETE_MS + 1, [{ call: move, device: DOME }])).toBe(MAX_COMPLETE_MS)
  })

  it('is a minute, or what the slowest of its calls needs by its device', () => {
    const stage: Pace = { motion: {} }
    expect(completeWithin(undefined, [{ call: move, device: stage }])).toBe(DEFAULT_COMPLETE_MS)
    expect(completeWithin(undefined, [{ call: move, device: undefined }])).toBe(DEFAULT_COMPLETE_MS)
    expect(completeWithin(undefined, [{ call: { kind: 'read' }, device: DOME }])).toBe(DEFAULT_COMPLETE_MS)
    expect(completeWithin(undefined, [{ call: { kind: 'home', wait: true }, device: { motion: { longestMs: 1000 } } }])).toBe(DEFAULT_COMPLETE_MS)
    for (const call of [move, point]) {
      const calls = [
        { call: move, device: stage },
        { call, device: DOME },
      ]
      expect(completeWithin(undefined, calls)).toBe(540_000)
    }
  })
})
