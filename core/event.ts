import type { Cause } from './cause.ts'
import type { WallNs } from './time.ts'

export const EVENT_KINDS = [
  'MODULE',
  'DEVICE',
  'PARAMETER',
  'SESSION',
  'RUN',
  'DATASET',
  'JOB',
  'ALARM',
  'LEASE',
  'SCRIPT',
  'EMERGENCY_STOP',
  'AUDIT',
  'STATION',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/** One line of the feed of everything. Its id is given by the database, in the order in which events become visible. */
export type LabEvent = {
  readonly time: WallNs
  readonly kind: EventKind
  readonly subject?: { readonly type: 'Device' | 'Parameter' | 'Session' | 'Run' | 'Dataset' | 'Job' | 'Station'; readonly id: string }
  readonly deviceId?: string
  readonly sessionId?: string
  readonly runId?: string
  readonly summary: string
  readonly cause?: Cause
  readonly data?: Readonly<Record<string, unknown>>
}
