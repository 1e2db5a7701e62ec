import { InvalidValue } from './errors.ts'
import { NS_PER_MS, parseRfc3339, type WallNs } from './time.ts'

/**
 * Times as people's programs write them: ISO 8601 without a zone. Which moment such a one is, only the zone of the clock that it was read from says.
 */

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/
/** A time up to its tens of minutes: clocks change at none but such moments, and a file's times lie close together. */
const BLOCK_LENGTH = 15
const MAX_BLOCKS = 10_000 // half a year of them

export type ReadTime = (text: string) => WallNs | undefined

/**
 * Reads RFC 3339 as it stands, and a time without a zone as one of `timeZone` (IANA). Where the clocks were put back, the first of the two moments; where
 * they were put forward, as if they had not been yet. undefined for what is no time. Throws InvalidValue for a zone that does not exist.
 */
export function timesOfZone(timeZone: string): ReadTime {
  const format = formatOf(timeZone)
  const offsets = new Map<string, number>()
  return (text) => {
    const match = LOCAL.exec(text)
    if (match === null) return parseRfc3339(text)
    const [, year, month, day, hour, minute, second = '0', fraction = ''] = match
    const asUtcMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
    if (new Date(asUtcMs).toISOString().slice(0, 10) !== text.slice(0, 10) || Number(minute) > 59 || Number(second) > 59) return undefined
    const block = text.slice(0, BLOCK_LENGTH)
    const offsetMs = offsets.get(block) ?? offsetAt(format, asUtcMs)
    if (offsets.size >= MAX_BLOCKS) offsets.clear()
    offsets.set(block, offsetMs)
    return BigInt(asUtcMs - offsetMs) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'))
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
  } catch {
    throw new InvalidValue(`${JSON.stringify(timeZone)} is not a time zone; give an IANA name such as Europe/Paris or UTC`, ['timeZone'])
  }
}

/** What the zone's clocks are ahead of UTC when they show `localMs` (which is read as if it were UTC). */
function offsetAt(format: Intl.DateTimeFormat, localMs: number): number {
  const before = aheadAt(format, localMs - DAY_MS)
  const after = aheadAt(format, localMs + DAY_MS)
  // The offset of before a change counts as long as it gives this local time; it does so first of the two where clocks go back.
  return aheadAt(format, localMs - before) === before || aheadAt(format, localMs - after) !== after ? before : after
}

const DAY_MS = 86_400_000

function aheadAt(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts = Object.fromEntries(format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(utcMs / 1000) * 1000
}
