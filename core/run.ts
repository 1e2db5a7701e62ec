/**
 * The life of a run.
 *
 * QUEUED until its station claims it; PREPARING while devices are checked, the manifest is taken and files are opened; RUNNING while the plan's messages are
 * carried out. It ends COMPLETED, ABORTED (a person), FAILED (a device, the disk, the plan) or INTERRUPTED (its process died; the rows so far are safe).
 * PAUSING, PAUSED and RESUMING exist only for plans that say where they can be paused. An ended run never moves again, but for one that was only presumed to
 * be INTERRUPTED because its station was away: such a row has no end time, and the station's own word replaces it.
 */
export const RUN_STATES = ['QUEUED', 'PREPARING', 'RUNNING', 'PAUSING', 'PAUSED', 'RESUMING', 'COMPLETED', 'ABORTED', 'FAILED', 'INTERRUPTED'] as const
export type RunState = (typeof RUN_STATES)[number]

const NEXT: Readonly<Record<RunState, readonly RunState[]>> = {
  QUEUED: ['PREPARING', 'ABORTED', 'FAILED'],
  PREPARING: ['RUNNING', 'ABORTED', 'FAILED', 'INTERRUPTED'],
  RUNNING: ['PAUSING', 'COMPLETED', 'ABORTED', 'FAILED', 'INTERRUPTED'],
  PAUSING: ['PAUSED', 'RUNNING', 'ABORTED', 'FAILED', 'INTERRUPTED'],
  PAUSED: ['RESUMING', 'ABORTED', 'FAILED', 'INTERRUPTED'],
  RESUMING: ['RUNNING', 'ABORTED', 'FAILED', 'INTERRUPTED'],
  COMPLETED: [],
  ABORTED: [],
  FAILED: [],
  INTERRUPTED: [],
}

export function mayFollow(from: RunState, to: RunState): boolean {
  return NEXT[from].includes(to)
}

export function hasEnded(state: RunState): boolean {
  return NEXT[state].length === 0
}

/** Ended, and by the word of its station or of a person: what is only presumed may still turn out otherwise. */
export function isOver({ state, endedAt }: { readonly state: string; readonly endedAt: Date | null }): boolean {
  return endedAt !== null && RUN_STATES.some((known) => known === state && hasEnded(known))
}

/** States in which a station holds the run's devices. */
export const ACTIVE_RUN_STATES = ['PREPARING', 'RUNNING', 'PAUSING', 'PAUSED', 'RESUMING'] as const satisfies readonly RunState[]
