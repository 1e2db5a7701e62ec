import type { Actor } from '../../../core/cause.ts'
import type { CommandAnswer, CommandProgress, CommandRequest, DeviceStopResult } from '../../../core/command.ts'
import type { Manifest } from '../../../core/dataset.ts'
import type { DeviceState, EmergencyStopState } from '../../../core/device.ts'
import type { HostedDevice } from './hosted-device.ts'
import type { ReadingsHub } from './readings-hub.ts'

/** Devices exclusively held by one run. Aborted, with the Problem that says why, when the run must stop writing (an emergency stop, a newer claim). */
export interface Claim extends AsyncDisposable {
  readonly runId: string
  readonly fence: number
  readonly signal: AbortSignal
}

export type HostChange =
  | { readonly kind: 'device'; readonly device: DeviceState }
  | { readonly kind: 'removed'; readonly deviceId: string }
  | { readonly kind: 'emergencyStop'; readonly state: EmergencyStopState }

export type StopReport = { readonly state: EmergencyStopState; readonly devices: readonly DeviceStopResult[]; readonly elapsedMs: number }

/** Everything that this host's instruments can be asked. */
export interface DeviceHost extends AsyncDisposable {
  readonly devices: ReadonlyMap<string, HostedDevice>
  readonly readings: ReadingsHub
  readonly stopState: EmergencyStopState
  /** Throws NotFound. */
  device(deviceId: string): HostedDevice
  states(): readonly DeviceState[]
  manifest(): Manifest
  command(request: CommandRequest, signal: AbortSignal): Promise<CommandAnswer>
  /** The present first, then what changes, until done. Throws NotFound. */
  progress(requestId: string, signal: AbortSignal): AsyncIterable<CommandProgress>
  /** Nothing refuses it. `elapsedMs`: how long ago the request reached us. */
  emergencyStop(actor: Actor, reason: string | undefined, elapsedMs: number): Promise<StopReport>
  releaseEmergencyStop(actor: Actor, reason: string | undefined): Promise<EmergencyStopState>
  /** Called at once, before the stop bytes are confirmed. */
  onEmergencyStop(listener: (state: EmergencyStopState) => void): () => void
  /** From now on only writes that carry this run's fence reach these devices. Throws NotFound, DeviceBusy, EmergencyStopped. */
  claim(runId: string, fence: number, deviceIds: readonly string[]): Claim
  /** Each device's newest state after it changed (coalesced, so that a slow reader holds no memory). Values travel over `readings`. */
  changes(signal: AbortSignal): AsyncIterable<HostChange>
  /** Reads the registry again and carries out what is new, changed or removed. */
  syncDevices(): Promise<void>
  /** Stops whatever moves, on every device at once; for the end of the process. */
  stopMotion(): Promise<void>
}
