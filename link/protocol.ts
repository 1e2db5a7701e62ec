import type { Capability } from '../core/capability.ts'
import type { Actor } from '../core/cause.ts'
import type { CommandAnswer, CommandProgress, CommandRequest, DeviceStopResult } from '../core/command.ts'
import type { DatasetColumn } from '../core/dataset.ts'
import type { DeviceSettings, DeviceState, EmergencyStopState, PortKind } from '../core/device.ts'
import type { ProblemRecord } from '../core/errors.ts'
import type { FrameHeader, FrameView } from '../core/frame.ts'
import type { SettingSpec } from '../core/parameter.ts'
import type { RowCell } from '../core/row.ts'
import type { WallNs } from '../core/time.ts'

/**
 * The station link: what an api says to a station, and a station to an api. Frames of [u32 big-endian length][MessagePack], two connections for
 * each pair: one for calls (commands, stop), one for streams (readings, rows, pixels), so that a stop never waits behind a picture.
 */

/** Calls: one request, one answer. */
export type LinkCalls = {
  /** Checked, accepted within acceptWithinMs, journalled, done, answered. Throws Problems. */
  command: { params: CommandRequest; result: CommandAnswer }
  /** Preempts what is on every wire. `elapsedMs` is how long ago the request arrived at the api. */
  emergencyStop: {
    params: { readonly actor: Actor; readonly reason?: string; readonly elapsedMs: number }
    result: { readonly state: EmergencyStopState; readonly devices: readonly DeviceStopResult[]; readonly elapsedMs: number }
  }
  releaseEmergencyStop: { params: { readonly actor: Actor; readonly reason?: string }; result: { readonly state: EmergencyStopState } }
  holdQueue: { params: { readonly actor: Actor; readonly reason?: string }; result: QueueState }
  releaseQueue: { params: { readonly actor: Actor }; result: QueueState }
  abortRun: { params: { readonly runId: string; readonly actor: Actor; readonly reason?: string }; result: { readonly known: boolean } }
  /** The registry in PostgreSQL has changed; read it again and answer when it is carried out. `postponed`: devices that are busy and follow when they are free. */
  syncDevices: { params: Record<string, never>; result: { readonly postponed: readonly string[] } }
  /** Before a device is registered: checks the settings by the driver's own rules (InvalidValue, NotFound for the driver) and says which port they name. */
  checkDevice: { params: { readonly driverId: string; readonly settings: DeviceSettings }; result: DeviceLocation }
  /** Which ports the host has and what answers on them; within DISCOVER_WITHIN_MS, with what was found by then. */
  discover: { params: Record<string, never>; result: { readonly found: readonly FoundPort[] } }
  health: { params: Record<string, never>; result: StationHealth }
}

export const DISCOVER_WITHIN_MS = 15_000 // a person waits for it: one bus of sixteen addresses that are all silent takes about this long

/** A port, and for each instrument on it, one of these. */
export type FoundPort = {
  /** As a device on it is registered; otherwise as one would be. */
  readonly address: string
  /** The same by a name that stays. */
  readonly path: string
  readonly portKind: PortKind
  readonly serialNumber?: string
  readonly vendor?: string
  /** What answered: who it says it is, and how it would be registered. */
  readonly identity?: string
  readonly driverId?: string
  readonly subAddress?: string
  readonly settings?: DeviceSettings
  /** The registered device that it is. */
  readonly deviceId?: string
}

export type DeviceLocation = { readonly address: string; readonly subAddress?: string; readonly portKind: PortKind; readonly simulated: boolean }

/** A model that the station can speak to. */
export type DriverDescription = {
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly version: string
  readonly capabilities: readonly Capability[]
  readonly settings: readonly SettingSpec[]
  /** The driver can only speak to a simulator; false for those of real instruments, whatever address they are given. */
  readonly simulated: boolean
  readonly documentation?: string
}

export type QueueState = { readonly held: boolean; readonly reason?: string; readonly activeRunId?: string }

export type StationHealth = {
  readonly cpuPercent: number
  readonly memoryBytes: number
  readonly diskFreeBytes: number
  readonly journalBacklog: number
  readonly components: readonly { readonly name: string; readonly state: 'OK' | 'DEGRADED' | 'DOWN'; readonly message?: string }[]
}

/** Streams: opened once, items until closed by either side. Each begins with the present (a snapshot) where that means something. */
export type LinkStreams = {
  state: { params: Record<string, never>; item: StateItem }
  readings: { params: ReadingsParams; item: ReadingsItem }
  runRows: { params: { readonly runId: string; readonly fromRow: number }; item: RunRowsItem }
  frames: {
    params: { readonly deviceId: string; readonly maxRateHz: number; readonly view: FrameView }
    item: { readonly header: FrameHeader; readonly pixels: Uint8Array }
  }
  command: { params: { readonly requestId: string }; item: CommandProgress }
}

/** First `snapshot`, then what changed. Values of readings come over `readings`, not here. */
export type StateItem =
  | {
      readonly kind: 'snapshot'
      readonly stationId: string
      readonly epoch: number
      readonly drivers: readonly DriverDescription[]
      readonly devices: readonly DeviceState[]
      readonly emergencyStop: EmergencyStopState
      readonly queue: QueueState
    }
  /** All that there are now, after one came, changed or went. */
  | { readonly kind: 'drivers'; readonly drivers: readonly DriverDescription[] }
  | { readonly kind: 'device'; readonly device: DeviceState }
  | { readonly kind: 'removed'; readonly deviceId: string }
  | { readonly kind: 'emergencyStop'; readonly state: EmergencyStopState }
  | { readonly kind: 'queue'; readonly queue: QueueState }

/** Where a reader of readings stands. A new epoch begins with each start of the station; positions grow by one for each published batch. */
export type ReadingsPosition = { readonly epoch: number; readonly position: number }

export type ReadingsParams = {
  /** Absent: all. Handles of ParameterState. */
  readonly handles?: readonly number[]
  /** Go on after this position; absent: a snapshot first, then what comes. */
  readonly after?: ReadingsPosition
}

/**
 * Lossless and in order. When the reader falls behind the hub's bounded memory, or asks for what is no longer there, the item is a gap; after a gap a
 * snapshot follows. Column-wise: the i-th entries of the arrays belong together.
 */
export type ReadingsItem =
  | { readonly kind: 'gap'; readonly from?: ReadingsPosition; readonly to: ReadingsPosition; readonly reason: string }
  | { readonly kind: 'snapshot' | 'batch'; readonly at: ReadingsPosition; readonly columns: ReadingColumns }

export type ReadingColumns = {
  /** Wall time of the first reading. */
  readonly start: WallNs
  readonly handles: readonly number[]
  readonly offsetsMs: readonly number[]
  /** Index into QUALITIES. */
  readonly qualities: readonly number[]
  readonly values: readonly (number | string | boolean | readonly number[] | null)[]
  /** Why a value is missing or doubtful; there only if some reading says so. */
  readonly reasons?: readonly (string | null)[]
  /** 'setpoint' readings are marked by their index here; all others are measured. */
  readonly setpoints?: readonly number[]
}

export type RunRowsItem = {
  readonly columns: readonly DatasetColumn[]
  readonly firstRow: number
  readonly rows: readonly (readonly RowCell[])[]
  readonly ended: boolean
}

export type CallName = keyof LinkCalls
export type StreamName = keyof LinkStreams

/** The first message of a client on each connection. */
export type Hello = { readonly type: 'hello'; readonly protocol: 1; readonly token: string; readonly lane: 'calls' | 'streams' }
export type Welcome = { readonly type: 'welcome'; readonly stationId: string; readonly name: string; readonly epoch: number }

export type ClientMessage =
  | Hello
  | { readonly type: 'call'; readonly id: number; readonly name: CallName; readonly params: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'open'; readonly id: number; readonly name: StreamName; readonly params: unknown }
  /** The reader has taken so many items: the station may send as many again. */
  | { readonly type: 'taken'; readonly id: number; readonly count: number }
  | { readonly type: 'close'; readonly id: number }

export type ServerMessage =
  | Welcome
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'problem'; readonly id: number; readonly problem: ProblemRecord }
  | { readonly type: 'item'; readonly id: number; readonly item: unknown }
  | { readonly type: 'end'; readonly id: number; readonly problem?: ProblemRecord }

export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024 // twice a full frame of 4096 x 4096 x 16 bit
/** Of one picture; what stands beside the pixels takes less than the rest. */
export const MAX_PICTURE_BYTES = MAX_MESSAGE_BYTES - 4096
/** Items of one stream under way to a reader. One slow reader then holds back its own stream only, and the station's own bounds (a gap, a dropped frame) apply. */
export const STREAM_WINDOW: Readonly<Record<StreamName, number>> = { state: 64, readings: 64, runRows: 16, frames: 2, command: 64 }
export const HELLO_DEADLINE_MS = 2_000 // a peer that does not introduce itself is none of ours

/** What a station offers; link/server.ts carries it. Streams must stop when the signal fires, and the server awaits each item's `send` (back-pressure). */
export type LinkHandler = {
  readonly calls: { readonly [Name in CallName]: (params: LinkCalls[Name]['params'], signal: AbortSignal) => Promise<LinkCalls[Name]['result']> }
  readonly streams: { readonly [Name in StreamName]: (params: LinkStreams[Name]['params'], signal: AbortSignal) => AsyncIterable<LinkStreams[Name]['item']> }
}

/** An api's side of one station; link/client.ts. Reconnects by itself with back-off; a call while away throws StationOffline at once and is never kept. */
export interface StationLink extends AsyncDisposable {
  readonly stationId: string
  readonly online: boolean
  readonly onlineSince: WallNs | undefined
  call<Name extends CallName>(
    name: Name,
    params: LinkCalls[Name]['params'],
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<LinkCalls[Name]['result']>
  /** Ends with StationOffline when the connection is lost. */
  stream<Name extends StreamName>(name: Name, params: LinkStreams[Name]['params'], signal: AbortSignal): AsyncIterable<LinkStreams[Name]['item']>
  /** Called on each change of `online`. */
  onChange(listener: (online: boolean) => void): () => void
}
