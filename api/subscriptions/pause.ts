import { setTimeout as timer } from 'node:timers/promises'

/** Ends early, and quietly, when the signal fires. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await timer(milliseconds, undefined, { signal }).catch(() => undefined)
}
