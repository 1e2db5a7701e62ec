import { Problem } from '../core/errors.ts'
import type { Measured } from '../core/reading.ts'

/**
 * Reads parameters one after the other, each with its own exchange, so that the devices of one port take turns. What fails is `bad` with its
 * reason; only a lost port or the caller's signal ends the whole.
 */
export async function readEach(
  names: readonly string[],
  readOne: (name: string) => Promise<Measured>,
  stopped: { readonly lost: AbortSignal; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, Measured>> {
  const readings = new Map<string, Measured>()
  for (const name of names) {
    try {
      readings.set(name, await readOne(name))
    } catch (error) {
      if (!(error instanceof Problem) || stopped.lost.aborted || stopped.signal.aborted) throw error
      readings.set(name, { bad: error.message })
    }
  }
  return readings
}
