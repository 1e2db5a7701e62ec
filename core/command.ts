import type { Cause } from './cause.ts'
import type { CommandSpec } from './command-spec.ts'
import type { Roi } from './device.ts'
import type { ProblemRecord } from './errors.ts'
import type { ParameterValue, Reading } from './reading.ts'

/** What can be asked of a device. Values are still in the caller's unit; the station checks and converts them. */
export type CommandCall =
  | { readonly kind: 'set'; readonly name: string; readonly value: ParameterValue; readonly unit?: string; readonly expected?: ParameterValue }
  | { readonly kind: 'refresh'; readonly names?: readonly string[] }
  | { readonly kind: 'move'; readonly to?: number; readonly by?: number; readonly unit?: string; readonly wait: boolean }
  | { readonly kind: 'home'; readonly wait: boolean }
  | { readonly kind: 'stop' }
  | { readonly kind: 'read' }
  | { readonly kind: 'trigger'; readonly frames: number }
  | { readonly kind: 'configureCamera'; readonly exposureSeconds?: number; readonly roi?: Roi; readonly binning?: number }
  | { readonly kind: 'startLive' }
  | { readonly kind: 'stopLive' }
  | { readonly kind: 'setShutter'; readonly open: boolean }
  | { readonly kind: 'setEmission'; readonly on: boolean }
  | { readonly kind: 'setWavelength'; readonly value: number; readonly unit?: string; readonly wait: boolean }
  | { readonly kind: 'invoke'; readonly command: string; readonly arguments: Readonly<Record<string, ParameterValue>> }
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }

/** Several calls in one request are all checked before the first one is carried out. */
export type CommandRequest = {
  readonly requestId: string
  readonly calls: readonly { readonly deviceId: string; readonly call: CommandCall }[]
  /** In the order given, or started together. */
  readonly order: 'sequence' | 'together'
  readonly cause: Cause
  readonly idempotencyKey?: string
  readonly acceptWithinMs: number
  readonly completeWithinMs?: number
  /** Set by the run engine: the fencing number of the run that writes. */
  readonly fence?: { readonly runId: string; readonly number: number }
}

export const DEFAULT_ACCEPT_MS = 2000 // as the GraphQL contract says
export const DEFAULT_COMPLETE_MS = 60_000 // no command waits for ever; the slowest documented homing stays below
export const MAX_COMPLETE_MS = 1_200_000 // the slowest documented command, the cleaning of a mount, may take a quarter of an hour

/** What a device says of how long it may need. */
export type Pace = { readonly motion?: { readonly longestMs?: number }; readonly commands?: readonly CommandSpec[] }

/** Within which a request is to be done: as it asks, else a minute, or longer where the device says that a call of it may take longer. */
export function completeWithin(askedMs: number | undefined, calls: readonly { readonly call: CommandCall; readonly device: Pace | undefined }[]): number {
  return Math.min(askedMs ?? Math.max(DEFAULT_COMPLETE_MS, ...calls.map(({ call, device }) => longestOf(call, device) ?? 0)), MAX_COMPLETE_MS)
}

function longestOf(call: CommandCall, device: Pace | undefined): number | undefined {
  if (call.kind === 'move' || call.kind === 'home') return device?.motion?.longestMs
  return call.kind === 'invoke' ? device?.commands?.find(({ name }) => name === call.command)?.longestMs : undefined
}

/** ACCEPTED: it is on the wire. DONE: the instrument's own answer confirms it. */
export type CommandState = 'ACCEPTED' | 'DONE'
/** `setpoint`: what was asked for; otherwise what the instrument says. */
export type CommandReading = { readonly deviceId: string; readonly parameter: string; readonly reading: Reading; readonly setpoint?: true }

export type CommandAnswer = {
  readonly requestId: string
  readonly state: CommandState
  readonly results: readonly CommandResult[]
  readonly elapsedMs: number
}

/** Of one call. `value`: what a command of the driver's own answered with. */
export type CommandResult = { readonly deviceId: string; readonly readings: readonly CommandReading[]; readonly value?: ParameterValue }

export type CommandProgress = {
  readonly requestId: string
  readonly state: CommandState
  readonly readings: readonly CommandReading[]
  readonly problem?: ProblemRecord
  readonly done: boolean
}

export type DeviceStopResult = {
  readonly deviceId: string
  /** Milliseconds from the arrival of the request to the stop bytes being on the wire. */
  readonly sentMs?: number
  readonly confirmed: boolean
  readonly confirmedMs?: number
  readonly problem?: ProblemRecord
}
