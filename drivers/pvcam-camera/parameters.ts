import type { ParameterSpec } from '../../core/parameter.ts'
import type { PvcamChoice } from '../../native/pvcam-types.ts'
import { frameStatisticsParameters } from '../frame-statistics.ts'
import { EXPOSURE_STEP_SECONDS } from './protocol.ts'
import type { StreamModes } from './stream-modes.ts'

const STATISTICS_POLL_MS = 500 // no call of the library: free

/** What the driver itself knows of its streams, and `regions`: of how many the means are told. */
export function streamParameters({ triggers, exposeOuts, binnings, limits }: StreamModes, regions: number): readonly ParameterSpec[] {
  const choice = (name: string, description: string, choices: readonly PvcamChoice[]): readonly ParameterSpec[] =>
    choices.length === 0 ? [] : [{ name, description, kind: 'ENUM', access: 'READ_WRITE', choices: choices.map((each) => each.name) }]
  const told = (name: string, description: string, kind: ParameterSpec['kind'], more: Partial<ParameterSpec> = {}): ParameterSpec => ({
    name,
    description,
    kind,
    access: 'READ_ONLY',
    ...more,
  })
  const polled = { pollMs: STATISTICS_POLL_MS }
  return [
    {
      name: 'exposure',
      description: 'Exposure of one frame, as the camera does it once it has taken one',
      kind: 'FLOAT',
      access: 'READ_WRITE',
      unit: 's',
      ...limits.exposureSeconds,
      step: EXPOSURE_STEP_SECONDS,
    },
    {
      name: 'roi',
      description: `What is read out: x,y,width,height in pixels of the sensor, of up to ${limits.areas} regions with semicolons between them; a frame is the rectangle around all, 0 between them`,
      kind: 'TEXT',
      access: 'READ_WRITE',
    },
    ...choice('binning', 'How many pixels of the sensor are one of a frame, on both axes', binnings),
    ...choice('trigger_mode', 'What a frame waits for', triggers),
    ...choice('expose_out_mode', 'When the camera says at its output that it exposes', exposeOuts),
    told('buffer_mode', 'What PVCAM does when frames are not taken in time: it loses the newest, which is counted', 'TEXT'),
    told('streaming', 'Whether frames are being taken', 'BOOLEAN', polled),
    told('armed', 'Whether it streams and waits for triggers', 'BOOLEAN', polled),
    told('frame_rate', 'Frames per second, measured', 'FLOAT', { unit: 'Hz', deadband: 0.1, ...polled }),
    told('frames_produced', 'Frames since the stream began', 'INTEGER', polled),
    told('frames_dropped', 'Frames that were lost since the stream began', 'INTEGER', polled),
    told('serial', 'Serial number of the camera', 'TEXT'),
    told('chip', 'Sensor of the camera', 'TEXT'),
    told('firmware', 'Firmware version of the camera', 'TEXT'),
    ...frameStatisticsParameters(regions),
  ]
}
