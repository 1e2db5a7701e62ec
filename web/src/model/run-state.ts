/** How a run's state is said and marked, wherever one is shown. */
export const RUN_WORDS = {
  QUEUED: 'queued',
  PREPARING: 'preparing',
  RUNNING: 'running',
  PAUSING: 'pausing',
  PAUSED: 'paused',
  RESUMING: 'resuming',
  COMPLETED: 'completed',
  ABORTED: 'aborted',
  FAILED: 'failed',
  INTERRUPTED: 'interrupted',
} as const

export type RunState = keyof typeof RUN_WORDS

export const RUN_TONES: Readonly<Record<RunState, 'good' | 'warn' | 'bad' | 'accent' | 'idle'>> = {
  QUEUED: 'idle',
  PREPARING: 'accent',
  RUNNING: 'accent',
  PAUSING: 'warn',
  PAUSED: 'warn',
  RESUMING: 'accent',
  COMPLETED: 'good',
  ABORTED: 'warn',
  FAILED: 'bad',
  INTERRUPTED: 'bad',
}

const ACTIVE: ReadonlySet<RunState> = new Set(['PREPARING', 'RUNNING', 'PAUSING', 'PAUSED', 'RESUMING'])

/** It holds its devices now. */
export function isActive(state: RunState): boolean {
  return ACTIVE.has(state)
}
