/** Wall time labels; monotonic time measures. Both are nanoseconds in a bigint, so that no digit is lost. */

/** Nanoseconds since 1970-01-01T00:00:00Z (UTC). */
export type WallNs = bigint
/** Nanoseconds since an arbitrary moment of this process; only differences mean anything. */
export type MonotonicNs = bigint

export interface Clock {
  wallNs(): WallNs
  monotonicNs(): MonotonicNs
}

export const NS_PER_MS = 1_000_000n
export const NS_PER_SECOND = 1_000_000_000n

export function wallNsFromMs(milliseconds: number): WallNs {
  return BigInt(Math.round(milliseconds * 1_000)) * 1_000n
}

/** Loses what is below a millisecond; for display and for bounds that people give. */
export function dateFromWallNs(time: WallNs): Date {
  return new Date(Number(time / NS_PER_MS))
}

/** RFC 3339 in UTC with as many fractional digits as are needed: 0, 3, 6 or 9. */
export function formatRfc3339(time: WallNs): string {
  let seconds = time / NS_PER_SECOND
  let fraction = time % NS_PER_SECOND
  if (fraction < 0n) {
    fraction += NS_PER_SECOND
    seconds -= 1n
  }
  const head = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  if (fraction === 0n) return `${head}Z`
  let digits = fraction.toString().padStart(9, '0')
  while (digits.endsWith('000')) digits = digits.slice(0, -3)
  return `${head}.${digits}Z`
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|z|[+-]\d{2}:\d{2})$/

/** undefined if the text is not an RFC 3339 date-time (at most nine fractional digits). */
export function parseRfc3339(text: string): WallNs | undefined {
  const match = RFC3339.exec(text)
  if (match === null) return undefined
  const [, date, time, fraction = '', zone = 'Z'] = match
  const midnight = Date.parse(`${date}T00:00:00Z`)
  const milliseconds = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(midnight) || Number.isNaN(milliseconds)) return undefined
  if (time?.startsWith('24') || new Date(midnight).toISOString().slice(0, 10) !== date) return undefined // Date takes both, and means the next day
  return BigInt(milliseconds) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'))
}
