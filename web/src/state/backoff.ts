const FIRST_MS = 250
const LONGEST_MS = 4000 // a person who looks at a lost connection should not wait longer for it to come back
const JITTER = 0.3 // so that a room full of dashboards does not come back in the same instant

/** How long to wait before the attempt number `attempt` (from 0) to connect again. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
  return base * (1 - JITTER + 2 * JITTER * random())
}
