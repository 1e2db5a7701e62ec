import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dateFromWallNs, formatRfc3339, NS_PER_SECOND, parseRfc3339, wallNsFromMs } from '../../core/time.ts'

const YEAR_0001 = -62_135_596_800n
const YEAR_9999 = 253_402_300_799n
const anyTime = fc.bigInt({ min: YEAR_0001 * NS_PER_SECOND, max: YEAR_9999 * NS_PER_SECOND })

test('a time comes back from its text, to the nanosecond, in every year', () => {
  fc.assert(fc.property(anyTime, (time) => parseRfc3339(formatRfc3339(time)) === time))
})

test('the text has as many digits as it needs', () => {
  expect([0n, 500_000_000n, 1_500n, 1n, -1n].map(formatRfc3339)).toEqual([
    '1970-01-01T00:00:00Z',
    '1970-01-01T00:00:00.500Z',
    '1970-01-01T00:00:00.000001500Z',
    '1970-01-01T00:00:00.000000001Z',
    '1969-12-31T23:59:59.999999999Z',
  ])
  expect(formatRfc3339(1_500_000n)).toBe('1970-01-01T00:00:00.001500Z')
})

test('the order of texts of one length is the order of times', () => {
  fc.assert(
    fc.property(anyTime, anyTime, (one, other) => {
      const [a, b] = [formatRfc3339(one), formatRfc3339(other)]
      if (a.length === b.length) expect(a < b).toBe(one < other)
    }),
  )
})

test('zones, small letters and a space are taken, as RFC 3339 says', () => {
  const noon = parseRfc3339('2026-11-20T12:00:00Z')
  for (const same of ['2026-11-20t12:00:00z', '2026-11-20 13:00:00+01:00', '2026-11-20T06:30:00-05:30', '2026-11-20T12:00:00.000Z'])
    expect(parseRfc3339(same)).toBe(noon)
})

test.each([
  '',
  'now',
  '2026-11-20',
  '2026-11-20T12:00:00',
  '2026-11-20T12:00Z',
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-20T24:00:00Z',
  '2026-11-20T12:60:00Z',
  '2026-11-20T12:00:00.Z',
  '2026-11-20T12:00:00.1234567890Z',
  '2026-11-20T12:00:00+25:00',
  ' 2026-11-20T12:00:00Z',
  '1763640000',
])('"%s" is not a time', (text) => {
  expect(parseRfc3339(text)).toBeUndefined()
})

test('milliseconds and dates', () => {
  expect(wallNsFromMs(1_700_000_000_123.456)).toBe(1_700_000_000_123_456_000n)
  expect(dateFromWallNs(1_700_000_000_123_456_789n).toISOString()).toBe('2023-11-14T22:13:20.123Z')
})
