import { setMaxListeners } from 'node:events'
import { setTimeout as timer } from 'node:timers/promises'
import type { Problem } from '../../../core/errors.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1 // Node's timers fire at once for anything longer; 24 days

/** Fires with its parent, or with the problem when the time is over. Dispose it: a forgotten one would hold its parent's listener for ever. */
export function deadline(parent: AbortSignal, milliseconds: number, problem: () => Problem): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal) // one for each device that is waited for
  const follow = (): void => controller.abort(parent.reason)
  const late = setTimeout(() => controller.abort(problem()), Math.min(milliseconds, LONGEST_TIMER_MS))
  if (parent.aborted) follow()
  else parent.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(late)
      parent.removeEventListener('abort', follow)
    },
  }
}

/** The promise, or the signal's reason, whichever is first: a driver that does not notice a signal must not hold a caller. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Until the time is over or the signal fires; never throws. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await timer(Math.min(milliseconds, LONGEST_TIMER_MS), undefined, { signal }).catch(() => undefined) // aborted: whoever cares asks the signal
}
