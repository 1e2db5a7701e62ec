import type { CommandReading } from '../../../core/command.ts'
import { NotSupported } from '../../../core/errors.ts'
import type { ParameterValue, Reading } from '../../../core/reading.ts'
import type { Writer } from './hosted-device.ts'
import type { StationDevice } from './station-device.ts'

/** One call of a command, checked and ready. */
export type Step = {
  readonly device: StationDevice
  /** read and refresh change nothing: they are not journalled, and a run's device may be asked by others. */
  readonly changes: boolean
  readonly start: (signal: AbortSignal) => Promise<readonly CommandReading[]>
  /** What it answered with beside readings, once it has started. */
  readonly value?: () => ParameterValue | undefined
  /** What goes on after `start`: a motion. Stops it when the signal fires. */
  readonly finish?: (signal: AbortSignal, moved: (readings: readonly CommandReading[]) => void) => Promise<readonly CommandReading[]>
  /** Whether the caller waits for `finish`. */
  readonly wait: boolean
}

export type StepContext = {
  readonly device: StationDevice
  readonly writer: Writer
  /** Throws EmergencyStopped or DeviceBusy. */
  readonly permit: () => void
  /** Throws DeviceBusy only: letting go of a device and stopping a stream are safe in an emergency. */
  readonly permitRelease: () => void
  readonly signal: AbortSignal
}

export function entry(device: StationDevice, parameter: string, reading: Reading): CommandReading {
  return { deviceId: device.record.id, parameter, reading }
}

/** Fresh from the instrument. */
export async function readings(device: StationDevice, names: readonly string[], signal: AbortSignal): Promise<readonly CommandReading[]> {
  return [...(await device.readNow(names, signal))].map(([name, reading]) => entry(device, name, reading))
}

/** Throws NotSupported where the device lacks what a call needs. */
export function need<T>(device: StationDevice, facet: T | undefined, capability: string, words: string): T {
  if (facet === undefined) throw notSupported(device, capability, words)
  return facet
}

export function notSupported(device: StationDevice, capability: string, words: string): NotSupported {
  return new NotSupported(`${device.record.name} ${words}`, capability)
}
