import type { Cause } from './cause.ts'
import type { CommandAnswer, CommandCall } from './command.ts'
import type { DatasetColumn, DatasetFile, DatasetKind, DatasetState, Manifest } from './dataset.ts'
import type { EmergencyStopState } from './device.ts'
import type { ProblemRecord } from './errors.ts'
import type { LabEvent } from './event.ts'
import type { ParameterSpec } from './parameter.ts'
import type { Reading } from './reading.ts'
import type { RunState } from './run.ts'
import type { WallNs } from './time.ts'

/**
 * What a station appends to its own disk before it answers, and ships to PostgreSQL: everything it accepts, does and sees. One sequence for all,
 * without holes, never reset; (station, sequence) names an entry for ever. The shipper applies entries in order, each exactly once.
 */
export type JournalEntry =
  /** Written before the hardware acts; a command without an outcome after a crash may have acted. */
  | {
      readonly type: 'command'
      readonly time: WallNs
      readonly requestId: string
      readonly idempotencyKey?: string
      readonly cause: Cause
      readonly calls: readonly { readonly deviceId: string; readonly call: CommandCall }[]
    }
  | { readonly type: 'outcome'; readonly time: WallNs; readonly requestId: string; readonly answer?: CommandAnswer; readonly problem?: ProblemRecord }
  | { readonly type: 'parameters'; readonly time: WallNs; readonly deviceId: string; readonly specs: readonly ParameterSpec[] }
  /** Readings that left their deadband, and every change of quality. */
  | { readonly type: 'samples'; readonly samples: readonly { readonly deviceId: string; readonly parameter: string; readonly reading: Reading }[] }
  | {
      readonly type: 'change'
      readonly time: WallNs
      readonly deviceId: string
      readonly parameter: string
      readonly unit?: string
      readonly old?: Reading
      readonly new: Reading
      readonly cause: Cause
    }
  /** A state, or progress within one: the first RUNNING of a run has 0 points. Carries what the feed of events says of it, because it may ship much later. */
  | {
      readonly type: 'run'
      readonly time: WallNs
      readonly runId: string
      readonly fence: number
      readonly state: RunState
      readonly points: number
      readonly totalPoints?: number
      readonly exitReason?: string
      readonly problem?: ProblemRecord
      readonly manifest?: Manifest
      readonly cause?: Cause
      readonly sessionId?: string
      readonly number?: number
    }
  | { readonly type: 'dataset'; readonly time: WallNs; readonly dataset: DatasetRecord }
  | { readonly type: 'queue'; readonly time: WallNs; readonly held: boolean; readonly reason?: string }
  /** A life of the station. One that began and did not end was lost: killed, or its machine died. `afterLoss`: the one before this. */
  | { readonly type: 'life'; readonly time: WallNs; readonly state: 'BEGAN' | 'ENDED'; readonly afterLoss?: true }
  | { readonly type: 'emergencyStop'; readonly state: EmergencyStopState }
  | { readonly type: 'event'; readonly event: LabEvent }

/** A dataset as its station knows it; the whole row each time, so that applying it again changes nothing. */
export type DatasetRecord = {
  readonly id: string
  readonly name: string
  readonly kind: DatasetKind
  readonly state: DatasetState
  readonly sessionId?: string
  readonly runId?: string
  readonly deviceId?: string
  readonly axes: readonly string[]
  readonly signals: readonly string[]
  readonly shape: readonly number[]
  readonly createdAt: WallNs
  readonly completedAt?: WallNs
  readonly rows: number
  readonly bytes: number
  readonly dropped: number
  readonly columns: readonly DatasetColumn[]
  readonly sha256?: string
  /** Below DATA_DIR. */
  readonly folder: string
  readonly files: readonly DatasetFile[]
}
