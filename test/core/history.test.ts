import { describe, expect, it } from 'vitest'
import { HEARTBEAT_MS, isSample, readingsAt, type Sampled } from '../../core/history.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Quality, Reading } from '../../core/reading.ts'
import { NS_PER_MS } from '../../core/time.ts'

const HEARTBEAT_NS = BigInt(HEARTBEAT_MS) * NS_PER_MS
const START = 1_763_632_800_000_000_000n
const POLLED: ParameterSpec = { name: 'power', description: '', kind: 'FLOAT', access: 'READ_ONLY', deadband: 0.1, pollMs: 500 }
const ASKED: ParameterSpec = { name: 'serial', description: '', kind: 'TEXT', access: 'READ_ONLY' }

function reading(value: number | string, time: bigint, quality: Quality = 'GOOD'): Reading {
  return quality === 'BAD' ? { time, quality, reason: 'no reply' } : { time, quality, value }
}

describe('what enters the history', () => {
  const last = reading(1, START)
  it.each([
    ['the first reading', undefined, reading(1, START), true],
    ['what stays within the deadband', last, reading(1.05, START + 1n), false],
    ['what leaves it', last, reading(1.2, START + 1n), true],
    ['another quality', last, reading(1, START + 1n, 'STALE'), true],
    ['the same, just before a heartbeat', last, reading(1, START + HEARTBEAT_NS - 1n), false],
    ['the same, a heartbeat later', last, reading(1, START + HEARTBEAT_NS), true],
    ['a failure that goes on, a heartbeat later', reading(0, START, 'BAD'), reading(0, START + HEARTBEAT_NS, 'BAD'), true],
  ])('%s', (_what, before, next, expected) => {
    expect(isSample(POLLED, before, next)).toBe(expected)
  })

  it('every reading of what is streamed, also when it stays the same', () => {
    expect(isSample({ ...POLLED, streamed: true }, last, reading(1, START + 1n))).toBe(true)
  })
})

describe('what the history says of a moment', () => {
  const qualitiesAt = (at: bigint, ...samples: Sampled[]): Quality[] => readingsAt(samples, at).map(({ quality }) => quality)

  it('tells a constant from what is dead, by the heartbeat', () => {
    const sample = { spec: POLLED, reading: reading(1, START) }
    expect(qualitiesAt(START + 2n * HEARTBEAT_NS, sample)).toEqual(['GOOD'])
    expect(qualitiesAt(START + 2n * HEARTBEAT_NS + 1n, sample)).toEqual(['STALE'])
    expect(readingsAt([sample], START + 3n * HEARTBEAT_NS)[0]).toMatchObject({ value: 1, time: START, reason: expect.stringContaining('heartbeat') })
  })

  it('keeps BAD as BAD and STALE as STALE', () => {
    const late = START + 100n * HEARTBEAT_NS
    expect(qualitiesAt(late, { spec: POLLED, reading: reading(1, START, 'BAD') }, { spec: POLLED, reading: reading(1, START, 'STALE') })).toEqual([
      'BAD',
      'STALE',
    ])
  })

  it('holds what is only read when asked for as long as its device is alive', () => {
    const late = START + 100n * HEARTBEAT_NS
    const serial = { spec: ASKED, reading: reading('A1', START) }
    expect(qualitiesAt(late, serial, { spec: POLLED, reading: reading(1, late) })).toEqual(['GOOD', 'GOOD'])
    expect(qualitiesAt(late, serial, { spec: POLLED, reading: reading(1, START) })).toEqual(['STALE', 'STALE'])
    expect(qualitiesAt(late, serial, { spec: POLLED, reading: reading(1, late, 'BAD') })).toEqual(['STALE', 'BAD'])
  })

  it('waits for two polls where these are rarer than heartbeats', () => {
    const rare = { spec: { ...POLLED, pollMs: 10 * HEARTBEAT_MS }, reading: reading(1, START) }
    expect(qualitiesAt(START + 20n * HEARTBEAT_NS, rare)).toEqual(['GOOD'])
    expect(qualitiesAt(START + 20n * HEARTBEAT_NS + 1n, rare)).toEqual(['STALE'])
  })
})
