import type { ParameterSpec } from '../../core/parameter.ts'
import { type AxisUnit, UNIT_NAMES } from './units.ts'

const IDLE_POLL_MS = 200
const BUSY_POLL_MS = 50 // while the axis moves; one question takes about 12 ms of a 19200 baud line
const UNITS_POLL_MS = 2000 // the front panel can change them, and then every position means something else
const SLOW_POLL_MS = 5000 // what only this API or the front panel changes
const SMALLEST = 0.000001 // the last decimal of a command: less would be sent as zero

/** What one axis tells and takes; `unit` is what the controller says it counts in. */
export function axisParameters({ ucum: unit, deadband }: AxisUnit): readonly ParameterSpec[] {
  const perSecond = `${unit}/s`
  const perSecond2 = `${unit}/s2`
  const rate = { kind: 'FLOAT', access: 'READ_WRITE', minimum: SMALLEST } as const // how fast is too fast, the controller says
  const limit = { kind: 'FLOAT', access: 'READ_WRITE', unit } as const
  return [
    {
      name: 'position',
      description: 'Actual position (TP)',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit,
      deadband,
      pollMs: IDLE_POLL_MS,
      busyPollMs: BUSY_POLL_MS,
    },
    { name: 'setpoint', description: 'Position the trajectory asks for (DP)', kind: 'FLOAT', access: 'READ_ONLY', unit, deadband },
    {
      name: 'moving',
      description: 'Whether the controller is moving the axis (MD)',
      kind: 'BOOLEAN',
      access: 'READ_ONLY',
      pollMs: IDLE_POLL_MS,
      busyPollMs: BUSY_POLL_MS,
    },
    { name: 'homed', description: 'Whether a search for home ended well since the connection was made', kind: 'BOOLEAN', access: 'READ_ONLY' },
    { name: 'velocity', description: 'Velocity of moves (VA)', unit: perSecond, pollMs: SLOW_POLL_MS, ...rate },
    { name: 'acceleration', description: 'Acceleration of moves (AC)', unit: perSecond2, ...rate },
    { name: 'deceleration', description: 'Deceleration of moves and stops (AG)', unit: perSecond2, ...rate },
    {
      name: 'motor_on',
      description: 'Whether the motor is powered (MO, MF); a move with the motor off is refused',
      kind: 'BOOLEAN',
      access: 'READ_WRITE',
      pollMs: SLOW_POLL_MS,
    },
    { name: 'soft_limit_minimum', description: 'Lower travel limit kept by the controller (SL)', ...limit },
    { name: 'soft_limit_maximum', description: 'Upper travel limit kept by the controller (SR)', ...limit },
    {
      name: 'units',
      description: 'What the axis counts in (SN); setting it describes every other quantity anew. Positions are bad while the panel has set another one',
      kind: 'ENUM',
      access: 'READ_WRITE',
      choices: UNIT_NAMES,
      pollMs: UNITS_POLL_MS,
    },
    { name: 'any_axis_moving', description: 'Whether some axis of the controller moves (TS)', kind: 'BOOLEAN', access: 'READ_ONLY' },
    { name: 'any_motor_on', description: 'Whether some motor of the controller has power (TS)', kind: 'BOOLEAN', access: 'READ_ONLY' },
    { name: 'stage', description: 'What the stage says it is (ID)', kind: 'TEXT', access: 'READ_ONLY' },
  ]
}
