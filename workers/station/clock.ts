import { type Clock, NS_PER_MS } from '../../core/time.ts'

const FOLLOW_BEYOND_NS = 2n * NS_PER_MS // the system's clock is read in whole milliseconds; a larger difference is a clock that was set

/** Wall time with the resolution of the monotonic clock. It runs evenly between the moments at which the system's clock was set. */
export function systemClock(): Clock {
  const monotonicNs = (): bigint => process.hrtime.bigint()
  const systemNs = (): bigint => BigInt(Date.now()) * NS_PER_MS
  let offset = systemNs() - monotonicNs()
  return {
    monotonicNs,
    wallNs() {
      const wall = monotonicNs() + offset
      const ahead = wall - systemNs()
      if (ahead < FOLLOW_BEYOND_NS && ahead > -FOLLOW_BEYOND_NS) return wall
      offset -= ahead
      return wall - ahead
    },
  }
}
