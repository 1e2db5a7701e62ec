import { setTimeout as pause } from 'node:timers/promises'

/** Does the work again and again, one after the other, until the signal. It must not throw. */
export async function every(milliseconds: number, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let dueMs = performance.now(); !signal.aborted; ) {
    await work()
    dueMs = Math.max(dueMs + milliseconds, performance.now())
    await pause(dueMs - performance.now(), undefined, { signal }).catch(() => undefined) // closed: the loop ends
  }
}
