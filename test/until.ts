import { setTimeout as pause } from 'node:timers/promises'

/** Long enough for a machine that does ten other things: it ends what hangs, and claims nothing about how fast anything is. */
const DEADLINE_MS = 30_000

/** Waits for a condition instead of for a time. Throws what the condition last threw, or says that it never held. */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { deadlineMs?: number; everyMs?: number; what?: string } = {},
): Promise<Exclude<T, false | '' | 0 | null | undefined>> {
  const { deadlineMs = DEADLINE_MS, everyMs = 10, what = 'the condition' } = options
  const end = performance.now() + deadlineMs
  let failure: unknown
  for (;;) {
    try {
      failure = undefined
      const value = await condition()
      if (value) return value as Exclude<T, false | '' | 0 | null | undefined>
    } catch (error) {
      failure = error
    }
    if (performance.now() > end) throw failure ?? new Error(`${what} did not hold within ${deadlineMs} ms`)
    await pause(everyMs)
  }
}
