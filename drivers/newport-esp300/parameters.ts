import type { ParameterSpec } from '../../core/parameter.ts'

const IDLE_POLL_MS = 200
const BUSY_POLL_MS = 50 // while the axis moves; one question takes about 12 ms of a 19200 baud line
const SLOW_POLL_MS = 5000 // what only this API or the front panel changes
const POSITION_DEADBAND = 0.0005 // below it a standing servo hunts

/** What one axis tells and takes; `unit` is what the controller says it counts in. */
export function axisParameters(unit: string): readonly ParameterSpec[] {
  const perSecond = `${unit}/s`
  const perSecond2 = `${unit}/s2`
  return [
    {
      name: 'position',
      description: 'Actual position (TP)',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit,
      deadband: POSITION_DEADBAND,
      pollMs: IDLE_POLL_MS,
      busyPollMs: BUSY_POLL_MS,
    },
    { name: 'setpoint', description: 'Position the trajectory asks for (DP)', kind: 'FLOAT', access: 'READ_ONLY', unit, deadband: POSITION_DEADBAND },
    {
      name: 'moving',
      description: 'Whether the controller is moving the axis (MD)',
      kind: 'BOOLEAN',
      access: 'READ_ONLY',
      pollMs: IDLE_POLL_MS,
      busyPollMs: BUSY_POLL_MS,
    },
    { name: 'homed', description: 'Whether a search for home ended well since the connection was made', kind: 'BOOLEAN', access: 'READ_ONLY' },
    { name: 'velocity', description: 'Velocity of moves (VA)', kind: 'FLOAT', access: 'READ_WRITE', unit: perSecond, minimum: 0.000001, pollMs: SLOW_POLL_MS },
    { name: 'acceleration', description: 'Acceleration of moves (AC)', kind: 'FLOAT', access: 'READ_WRITE', unit: perSecond2, minimum: 0.000001 },
    { name: 'deceleration', description: 'Deceleration of moves and stops (AG)', kind: 'FLOAT', access: 'READ_WRITE', unit: perSecond2, minimum: 0.000001 },
    {
      name: 'motor_on',
      description: 'Whether the motor is powered (MO, MF); a move with the motor off is refused',
      kind: 'BOOLEAN',
      access: 'READ_WRITE',
      pollMs: SLOW_POLL_MS,
    },
    { name: 'soft_limit_minimum', description: 'Lower travel limit kept by the controller (SL)', kind: 'FLOAT', access: 'READ_WRITE', unit },
    { name: 'soft_limit_maximum', description: 'Upper travel limit kept by the controller (SR)', kind: 'FLOAT', access: 'READ_WRITE', unit },
    { name: 'stage', description: 'What the stage says it is (ID)', kind: 'TEXT', access: 'READ_ONLY' },
  ]
}
