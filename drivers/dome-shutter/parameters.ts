import type { ParameterSpec } from '../../core/parameter.ts'

const POLL_MS = 2000
const BUSY_POLL_MS = 500 // as often as the cycle itself looks

export const SHUTTER_STATES = ['idle', 'cycle', 'cooldown', 'error', 'disabled'] as const
export type ShutterState = (typeof SHUTTER_STATES)[number]
export const END_SWITCHES = ['open', 'closed', 'between', 'both'] as const

const own = (name: string, kind: ParameterSpec['kind'], description: string, more: Partial<ParameterSpec> = {}): ParameterSpec => ({
  name,
  kind,
  access: 'READ_ONLY',
  description,
  pollMs: POLL_MS,
  busyPollMs: BUSY_POLL_MS,
  ...more,
})

export const PARAMETERS: readonly ParameterSpec[] = [
  own('open', 'BOOLEAN', 'By its end switches; between them it is neither. Set it to open or close the shutter', { access: 'READ_WRITE' }),
  own('state', 'ENUM', 'Of the cycle: under way, cooling down, or ended badly', { choices: SHUTTER_STATES }),
  own('end_switches', 'ENUM', 'Which end switches are pressed; both: one of them or a cable is broken', { choices: END_SWITCHES }),
  own('supply_on', 'BOOLEAN', 'Whether the 24 V supply is on'),
  own('motor_on', 'BOOLEAN', 'Whether the relay of the motor is on'),
  own('cooldown_left', 'FLOAT', 'How long commands are still refused after a cycle', { unit: 's', deadband: 1 }),
  own('last_error', 'TEXT', 'Why the last cycle ended badly; empty: it did not'),
]
