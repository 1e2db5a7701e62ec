import type { ParameterSpec } from '../../core/parameter.ts'
import { frameStatisticsParameters } from '../frame-statistics.ts'
import { EXPOSURE_MAXIMUM_SECONDS, EXPOSURE_MINIMUM_SECONDS, SETPOINT_MAXIMUM_CELSIUS, SETPOINT_MINIMUM_CELSIUS } from './protocol.ts'

const TEMPERATURE_POLL_MS = 2000
const STATISTICS_POLL_MS = 500 // no call of the library: free

/** `regions`: of how many the means are told. */
export function cameraParameters(regions: number): readonly ParameterSpec[] {
  return [
    {
      name: 'exposure',
      description: 'Exposure of one frame',
      kind: 'FLOAT',
      access: 'READ_WRITE',
      unit: 's',
      minimum: EXPOSURE_MINIMUM_SECONDS,
      maximum: EXPOSURE_MAXIMUM_SECONDS,
      step: EXPOSURE_MINIMUM_SECONDS,
    },
    {
      name: 'temperature',
      description: 'Temperature of the sensor; not read while the camera streams',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit: 'Cel',
      deadband: 0.05,
      pollMs: TEMPERATURE_POLL_MS,
    },
    {
      name: 'temperature_setpoint',
      description: 'Temperature that the sensor is cooled to',
      kind: 'FLOAT',
      access: 'READ_WRITE',
      unit: 'Cel',
      minimum: SETPOINT_MINIMUM_CELSIUS,
      maximum: SETPOINT_MAXIMUM_CELSIUS,
      step: 0.01,
    },
    { name: 'streaming', description: 'Whether frames are being taken', kind: 'BOOLEAN', access: 'READ_ONLY', pollMs: STATISTICS_POLL_MS },
    {
      name: 'frame_rate',
      description: 'Frames per second, measured',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit: 'Hz',
      deadband: 0.1,
      pollMs: STATISTICS_POLL_MS,
    },
    { name: 'frames_produced', description: 'Frames since the stream began', kind: 'INTEGER', access: 'READ_ONLY', pollMs: STATISTICS_POLL_MS },
    { name: 'frames_dropped', description: 'Frames that were lost since the stream began', kind: 'INTEGER', access: 'READ_ONLY', pollMs: STATISTICS_POLL_MS },
    { name: 'serial', description: 'Serial number of the camera', kind: 'TEXT', access: 'READ_ONLY' },
    { name: 'chip', description: 'Sensor of the camera', kind: 'TEXT', access: 'READ_ONLY' },
    { name: 'firmware', description: 'Firmware version of the camera', kind: 'TEXT', access: 'READ_ONLY' },
    ...frameStatisticsParameters(regions),
  ]
}
