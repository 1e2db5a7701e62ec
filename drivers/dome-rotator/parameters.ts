import type { ParameterSpec } from '../../core/parameter.ts'
import { FRAME_STATES, type FrameState } from './wheel-count.ts'

const IDLE_POLL_MS = 1000
const BUSY_POLL_MS = 200
const SLOW_POLL_MS = 5000
const POSITION_DEADBAND = 0.05 // degrees; the slit is some tens of degrees wide, and the encoder's filter trembles by a hundredth

export const CALIBRATION_STATES = ['unknown', 'running', 'ok', 'degraded'] as const
export const CALIBRATION_METHODS = ['none', 'sweep', 'live_switch', 'exception', 'set'] as const

const own = (name: string, kind: ParameterSpec['kind'], description: string, more: Partial<ParameterSpec> = {}): ParameterSpec => ({
  name,
  kind,
  access: 'READ_ONLY',
  description,
  ...more,
})
const watched = { pollMs: IDLE_POLL_MS, busyPollMs: BUSY_POLL_MS }

const ALWAYS: readonly ParameterSpec[] = [
  own('moving', 'BOOLEAN', 'Whether a motion is under way, by the motor controller', watched),
  own('position', 'FLOAT', 'Azimuth of the slit: by the encoder, else by the steps made, which is always doubtful', {
    unit: 'deg',
    deadband: POSITION_DEADBAND,
    ...watched,
  }),
  own('target', 'FLOAT', 'Where the last move was to end', { unit: 'deg', ...watched }),
  own('motor_steps', 'INTEGER', 'Steps made since the connection, rising azimuth positive', watched),
  own('calibrated', 'BOOLEAN', 'Whether the azimuth was confirmed at the switch, or set, and the count not lost since', watched),
  own('last_calibration_at', 'TEXT', 'When the switch was last passed (RFC 3339, UTC)', watched),
  own('calibration_status', 'ENUM', 'Of the last calibration; degraded: it ended without a pass of the switch', { choices: CALIBRATION_STATES, ...watched }),
  own('calibration_method', 'ENUM', 'How the azimuth was last found', { choices: CALIBRATION_METHODS, ...watched }),
  own('calibration_error', 'TEXT', 'Why the last calibration failed; empty: it did not', watched),
  own('calibration_duration', 'FLOAT', 'How long the last calibration sweep took', { unit: 's', ...watched }),
  own('point_in_bounds', 'BOOLEAN', 'Whether the last target of the command point was one that the table or geometry was made for', watched),
]

const COUNTERS: Readonly<Record<FrameState, string>> = {
  good: 'Frames that gave a position',
  jump: 'Frames farther from the last one than the dome can turn',
  unanswered: 'Transfers that failed',
  short: 'Frames of the wrong length',
  parity: 'Frames with wrong parity',
  'not-ready': 'Frames before the offset compensation had finished (S1)',
  overflow: 'Frames with CORDIC overflow (S2): no position',
  linearity: 'Frames with linearity alarm (S3): a doubtful position',
  field: "Frames with the magnet's field out of range (S4 and S5): a doubtful position",
}

const ENCODER: readonly ParameterSpec[] = [
  own('encoder_status', 'ENUM', 'What the last frame of the encoder was', { choices: FRAME_STATES, ...watched }),
  own('encoder_raw', 'INTEGER', 'Position of the encoder as it was read, 0 to 1023', watched),
  ...FRAME_STATES.map((state) => own(counterName(state), 'INTEGER', COUNTERS[state], { pollMs: SLOW_POLL_MS })),
]

export function counterName(state: FrameState): string {
  return `encoder_frames_${state.replace('-', '_')}`
}

const SWITCH = own('switch_pressed', 'BOOLEAN', 'Whether the dome is on the recalibration switch', watched)

export function rotatorParameters(fitted: { readonly encoder: boolean; readonly recalibration: boolean }): readonly ParameterSpec[] {
  return [...ALWAYS, ...(fitted.encoder ? ENCODER : []), ...(fitted.recalibration ? [SWITCH] : [])]
}
