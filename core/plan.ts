import type { CountArguments } from './plans/count.ts'
import type { LinearScanArguments } from './plans/linear-scan.ts'
import type { RecordArguments } from './plans/record.ts'

/** A device in a part of the plan; `role` is the plan's word for it. Roles are bound to devices before a run is queued. */
export type RoleBinding = { readonly role: string; readonly deviceId: string }

/** What is recorded at each point: the device's main quantity, or the named parameters. */
export type Detector = {
  readonly role: string
  readonly parameters?: readonly string[]
  readonly exposureSeconds?: number
  readonly frames?: number
  /** Scans per second of a device that samples its inputs by its own clock; in the plan record. Absent: it is read as others are. */
  readonly rateHz?: number
  /** Readings averaged into one value; 1 if absent. */
  readonly average?: number
}

/** What is moved: the position of a movable role, or any settable parameter. */
export type Axis = {
  readonly role: string
  readonly parameter?: string
  readonly start: number
  readonly stop: number
  readonly unit?: string
  readonly relative: boolean
}

export type Settle = { readonly tolerance?: number; readonly timeoutSeconds?: number; readonly dwellSeconds?: number }

export type PlanSpec =
  | { readonly type: 'count'; readonly arguments: CountArguments }
  | { readonly type: 'linearScan'; readonly arguments: LinearScanArguments }
  | { readonly type: 'record'; readonly arguments: RecordArguments }
export type PlanType = PlanSpec['type']

/** A plan with every role bound, as the run's row holds it. */
export type BoundPlan = PlanSpec & { readonly bindings: readonly RoleBinding[] }

/**
 * What a plan asks of the engine, one at a time. The generator is pure: it can be walked without hardware to preview path and length.
 * `set` only starts; `settle` waits for everything started since, by the devices' own status. `row` reads and appends one row.
 */
export type PlanMessage =
  | { readonly do: 'set'; readonly axis: number; readonly value: number }
  | { readonly do: 'settle'; readonly settle: Settle }
  | { readonly do: 'row' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'record'; readonly frames?: number; readonly durationSeconds?: number }
  | { readonly do: 'checkpoint' }

export type PlanGenerator = Generator<PlanMessage, void, void>

/** Where each axis stood before the run, in the axis' unit; for relative ranges and for going back. */
export type AxisOrigins = readonly number[]

/** What the engine needs to know of a plan before it starts. */
export type PlanOutline = {
  readonly axes: readonly Axis[]
  readonly detectors: readonly Detector[]
  /** undefined: until stopped. */
  readonly totalPoints?: number
  readonly shape: readonly number[]
  readonly summary: string
  readonly canPause: boolean
}

/** One file each in core/plans/; plans.ts lists them. */
export interface Plan<Arguments> {
  readonly type: PlanType
  readonly title: string
  readonly description: string
  /** Throws InvalidValue for what is wrong by itself, without looking at any device. */
  check(given: Arguments): void
  outline(given: Arguments): PlanOutline
  messages(given: Arguments, origins: AxisOrigins): PlanGenerator
}

export const MAX_POINTS = 1_000_000 // a scan of a year at one point in thirty seconds; more is a mistake in a form
export const MAX_AXES = 8 // of one scan; the tables stay readable and no lab we know moves more at once
