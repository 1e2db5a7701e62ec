import type { TimeRing } from './time-ring.ts'

export type LaneView = {
  readonly times: number[]
  readonly values: (number | null)[]
  /** The scale that shows all of it, with a little air. */
  readonly low: number
  readonly high: number
  /** Of the values, whatever its sign: what the unit is chosen for. The scale's ends are no values: those around a constant 0 W are 500 mW away. */
  readonly largest: number
}

const AIR = 0.12 // of the extent, above and below

/** What one lane draws for the `seconds` up to now. `holds`: the last value is known to be still so, and the line goes on to now. */
export function laneView(ring: TimeRing, now: number, seconds: number, maxPoints: number, holds: boolean): LaneView {
  const { times, values } = ring.view(now - seconds, now + 1, maxPoints)
  const last = values.at(-1)
  if (holds && typeof last === 'number' && (times.at(-1) ?? now) < now) {
    times.push(now)
    values.push(last)
  }
  let minimum = Number.POSITIVE_INFINITY
  let maximum = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value === null) continue
    minimum = Math.min(minimum, value)
    maximum = Math.max(maximum, value)
  }
  if (minimum > maximum) return { times, values, low: 0, high: 1, largest: 0 }
  const air = (maximum - minimum) * AIR || Math.abs(maximum) * 0.01 || 0.5 // a constant value is a line in the middle
  return { times, values, low: minimum - air, high: maximum + air, largest: Math.max(Math.abs(minimum), Math.abs(maximum)) }
}
