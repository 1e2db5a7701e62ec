import { setTimeout as pause } from 'node:timers/promises'

/** Longer than any driver may take for one call: its time-outs, and the way back into step after them. */
export const HANG_MS = 40_000

/** The promise, or the failure that it hung. */
export async function within<T>(what: string, promise: PromiseLike<T>, deadlineMs = HANG_MS): Promise<T> {
  const over = new AbortController()
  const hung = pause(deadlineMs, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error(`${what} hung: nothing within ${deadlineMs} ms`)
  })
  hung.catch(() => undefined) // the promise was faster
  try {
    return await Promise.race([promise, hung])
  } finally {
    over.abort()
  }
}
