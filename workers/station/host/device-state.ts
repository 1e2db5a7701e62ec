import type { AcquisitionState, CameraState, DeviceRecord, DeviceState, DeviceStatus, MotionState, ParameterState, PortState } from '../../../core/device.ts'
import { type AcquisitionFacet, capabilitiesOf, type DeviceHandle, type Driver, type FrameFacet, type MotionFacet } from '../../../drivers/driver.ts'
import type { Connection } from './device-connection.ts'

export type KnownOfDevice = {
  readonly record: DeviceRecord
  readonly driver: Driver | undefined
  readonly simulated: boolean
  readonly handle: DeviceHandle | undefined
  readonly connection: Connection
  readonly status: DeviceStatus
  readonly parameters: readonly ParameterState[]
  readonly moving: boolean | undefined
  readonly port: PortState | undefined
  readonly runId: string | undefined
}

/** A device as its station sees it now; what only a connected instrument can say is absent while it is away. */
export function deviceState({ record, driver, simulated, handle, connection, status, parameters, moving, port, runId }: KnownOfDevice): DeviceState {
  const { state, since, reason } = connection
  return {
    id: record.id,
    name: record.name,
    driverId: record.driverId,
    simulated,
    ...(handle !== undefined && { identity: handle.identity }),
    connection: state,
    ...(reason !== undefined && { connectionReason: reason }),
    connectionSince: since,
    status,
    capabilities: handle === undefined ? (driver?.capabilities ?? []) : capabilitiesOf(handle),
    parameters,
    ...(handle?.motion !== undefined && { motion: motionState(handle.motion, moving) }),
    ...(handle?.readout !== undefined && { readoutParameter: handle.readout.parameter }),
    ...(handle?.frames !== undefined && { camera: cameraState(handle.frames, handle.exposure?.parameter ?? 'exposure') }),
    ...(handle?.acquisition !== undefined && { acquisition: acquisitionState(handle.acquisition) }),
    ...(handle?.shutter !== undefined && { shutterParameter: handle.shutter.parameter }),
    ...(handle?.emission !== undefined && { emissionParameter: handle.emission.parameter }),
    ...(handle?.wavelength !== undefined && { wavelength: { ...handle.wavelength } }),
    ...(handle?.commands !== undefined && { commands: handle.commands.specs }),
    ...(port !== undefined && { port }),
    ...(runId !== undefined && { runId }),
  }
}

/** `unreadable`: why nothing of a connected device could be read the last time. */
export function statusOf({ state, reason }: Connection, unreadable: string | undefined, busy: boolean): Pick<DeviceStatus, 'code' | 'text'> {
  const text = reason === undefined ? {} : { text: reason }
  switch (state) {
    case 'FAILED':
      return { code: 'ERROR', ...text }
    case 'DISCONNECTED':
      return { code: 'DISABLED', ...text }
    case 'CONNECTING':
    case 'RECONNECTING':
      return { code: 'WARNING', ...text }
    case 'CONNECTED':
      return unreadable === undefined ? { code: busy ? 'BUSY' : 'IDLE' } : { code: 'ERROR', text: unreadable }
  }
}

function motionState(motion: MotionFacet, moving: boolean | undefined): MotionState {
  const homed = motion.homed()
  return {
    ...(moving !== undefined && { moving }),
    ...(homed !== undefined && { homed }),
    unit: motion.unit,
    ...motion.limits(),
    positionParameter: motion.positionParameter,
    ...(motion.velocityParameter !== undefined && { velocityParameter: motion.velocityParameter }),
    ...(motion.longestMs !== undefined && { longestMs: motion.longestMs }),
  }
}

function acquisitionState({ inputs, minimumRateHz, maximumRateHz }: AcquisitionFacet): AcquisitionState {
  return { inputs, minimumRateHz, maximumRateHz }
}

function cameraState(frames: FrameFacet, exposureParameter: string): CameraState {
  const { roi, binning } = frames.configuration()
  const { produced, lost, frameRate } = frames.statistics()
  return {
    width: frames.sensor.width,
    height: frames.sensor.height,
    bitDepth: frames.sensor.bitDepth,
    dtype: 'uint16',
    roi,
    binning: { x: binning, y: binning },
    exposureParameter,
    ...(frames.temperatureParameter !== undefined && { temperatureParameter: frames.temperatureParameter }),
    streaming: frames.streaming,
    frameRate,
    framesProduced: produced,
    framesDropped: lost,
  }
}
