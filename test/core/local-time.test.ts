import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timesOfZone } from '../../core/local-time.ts'
import { formatRfc3339, parseRfc3339 } from '../../core/time.ts'

const read = (zone: string, text: string): string | undefined => {
  const time = timesOfZone(zone)(text)
  return time === undefined ? undefined : formatRfc3339(time)
}

test.each([
  ['Europe/Paris', '2025-12-25T18:19:20.884905', '2025-12-25T17:19:20.884905Z'],
  ['Europe/Paris', '2025-07-01 12:00:00', '2025-07-01T10:00:00Z'],
  ['Europe/Istanbul', '2026-01-31T00:30', '2026-01-30T21:30:00Z'],
  ['UTC', '2026-01-31T00:30:15,5', '2026-01-31T00:30:15.500Z'],
  ['Asia/Kathmandu', '2026-01-31T05:45:00', '2026-01-31T00:00:00Z'],
  ['Europe/Paris', '2025-12-25T18:19:20Z', '2025-12-25T18:19:20Z'], // it says itself which zone
  ['Europe/Paris', '2025-12-25T18:19:20+09:00', '2025-12-25T09:19:20Z'],
])('%s %s', (zone, text, moment) => {
  expect(read(zone, text)).toBe(moment)
})

test('where clocks go back, the first of two moments; where they go forward, as if they had not yet', () => {
  expect(read('Europe/Paris', '2025-10-26T01:59:59')).toBe('2025-10-25T23:59:59Z')
  expect(read('Europe/Paris', '2025-10-26T02:30:00')).toBe('2025-10-26T00:30:00Z')
  expect(read('Europe/Paris', '2025-10-26T03:00:00')).toBe('2025-10-26T02:00:00Z')
  expect(read('Europe/Paris', '2025-03-30T02:30:00')).toBe('2025-03-30T01:30:00Z')
  expect(read('Europe/Paris', '2025-03-30T01:59:59')).toBe('2025-03-30T00:59:59Z')
  expect(read('Europe/Paris', '2025-03-30T03:00:00')).toBe('2025-03-30T01:00:00Z')
  expect(read('America/New_York', '2025-11-02T01:30:00')).toBe('2025-11-02T05:30:00Z')
})

test('what is no time, or no zone', () => {
  for (const text of ['', 'yesterday', '2025-13-01T00:00:00', '2025-02-30T00:00:00', '2025-01-01T24:00:00', '2025-01-01T00:61:00', '1735689600'])
    expect(read('UTC', text)).toBeUndefined()
  expect(() => timesOfZone('Middle/Earth')).toThrow('is not a time zone')
})

test('in UTC it is what RFC 3339 says', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1950-01-01'), max: new Date('2150-01-01'), noInvalidDate: true }), (date) => {
      const text = date.toISOString().slice(0, -1)
      expect(timesOfZone('UTC')(text)).toBe(parseRfc3339(`${text}Z`))
    }),
  )
})
