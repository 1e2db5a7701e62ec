import type { CommandRequest } from '../../../core/command.ts'
import type { DeviceRecord, DeviceState } from '../../../core/device.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { ParameterValue, Reading } from '../../../core/reading.ts'
import type { DeviceHandle, Driver } from '../../../drivers/driver.ts'

/** Who writes, and for a run its fencing number. */
export type Writer = Pick<CommandRequest, 'cause' | 'fence'>

/** A registered device as this station has it now. Methods throw DeviceOffline while it is not connected, NotFound for an unknown parameter. */
export interface HostedDevice {
  readonly record: DeviceRecord
  /** undefined when no installed driver has this id. */
  readonly driver: Driver | undefined
  /** undefined while not connected. */
  readonly handle: DeviceHandle | undefined
  readonly state: DeviceState
  spec(name: string): ParameterSpec
  reading(name: string): Reading | undefined
  setpoint(name: string): Reading | undefined
  /** Fresh from the instrument, published too. One reading per name; a failed one is BAD with its reason. */
  readNow(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Reading>>
  /** Checked, written, read back, published, journalled. Returns what the instrument confirms. */
  set(name: string, value: ParameterValue, unit: string | undefined, writer: Writer, signal: AbortSignal): Promise<Reading>
  /** Returns once the instrument has accepted the move; `settled` waits for its end. The position is in `unit`, or the axis' own. */
  moveTo(position: number, unit: string | undefined, writer: Writer, signal: AbortSignal): Promise<void>
  home(writer: Writer, signal: AbortSignal): Promise<void>
  /** Never refused. */
  stop(signal: AbortSignal): Promise<void>
  /** Grows with each stop, whoever asked for it: a move that began before did not end by itself. */
  readonly stops: number
  /** Until the device's own status says that it stands (at once for what does not move). */
  settled(signal: AbortSignal): Promise<void>
  /** Until what was set is there (a laser has tuned), by the device's own status; at once where it takes no time. */
  arrived(signal: AbortSignal): Promise<void>
}
