import type { ParameterSpec } from '../../core/parameter.ts'
import type { Link } from './settings.ts'
import type { Watchdog } from './watchdog.ts'

const FEEDS_PER_WATCHDOG = 3 // polls within its time, so that one that is lost does not end the emission
const WAVELENGTH_DEADBAND_NM = 0.5
const POWER_DEADBAND_W = 0.005

export type Range = { readonly minimum: number; readonly maximum: number }

/** What the laser tells and takes; `range` is what it says it can be tuned to, in nm. */
export function laserParameters(range: Range, link: Link, watchdog: Pick<Watchdog, 'seconds' | 'tells'>): readonly ParameterSpec[] {
  const { pollMs, slowPollMs } = link
  const fed = watchdog.seconds > 0 ? Math.min(pollMs, (watchdog.seconds * 1000) / FEEDS_PER_WATCHDOG) : pollMs
  return [
    {
      name: 'wavelength',
      description: 'Measured wavelength (READ:WAVelength)',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit: 'nm',
      deadband: WAVELENGTH_DEADBAND_NM,
      pollMs,
    },
    {
      name: 'wavelength_setpoint',
      description: 'Wavelength that the laser tunes to (WAVelength); it takes whole nanometres, and seconds to arrive',
      kind: 'INTEGER',
      access: 'READ_WRITE',
      unit: 'nm',
      ...range,
      step: 1,
      pollMs: slowPollMs,
    },
    { name: 'shutter', description: 'Whether the shutter is open (SHUTter). It is no interlock', kind: 'BOOLEAN', access: 'READ_WRITE', pollMs },
    {
      name: 'emission',
      description: 'Whether the laser emits (ON, OFF; bit 0 of the status byte). Switched on only with the shutter seen closed and at 100 % of the warm-up',
      kind: 'BOOLEAN',
      access: 'READ_WRITE',
      pollMs: fed,
    },
    { name: 'power', description: 'Output power (READ:POWer)', kind: 'FLOAT', access: 'READ_ONLY', unit: 'W', deadband: POWER_DEADBAND_W, pollMs },
    { name: 'pump_power', description: 'Power of the pump laser (READ:PLASer:POWer)', kind: 'FLOAT', access: 'READ_ONLY', unit: 'W', pollMs: slowPollMs },
    {
      name: 'warm_up',
      description: 'How far it has warmed up (READ:PCTWarmedup); from cold, 20 to 30 minutes',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit: '%',
      pollMs: slowPollMs,
    },
    { name: 'humidity', description: 'Relative humidity in the head (READ:HUM)', kind: 'FLOAT', access: 'READ_ONLY', unit: '%', pollMs: slowPollMs },
    { name: 'pump_mode', description: 'What the pump is held at (MODE)', kind: 'TEXT', access: 'READ_ONLY', pollMs: slowPollMs },
    {
      name: 'status_byte',
      description: 'Status byte (*STB): bit 0 is emission, the others are not documented well enough to be named',
      kind: 'INTEGER',
      access: 'READ_ONLY',
      pollMs: fed,
    },
    { name: 'pump_error', description: 'Fault code of the pump laser (PLASer:ERRCode); 0 is none', kind: 'INTEGER', access: 'READ_ONLY', pollMs: slowPollMs },
    ...(watchdog.tells ? [watchdogParameter(slowPollMs)] : []),
    {
      name: 'obeys',
      description: 'Whether the last set had an effect; one that had none means that the front panel is in LOCAL',
      kind: 'BOOLEAN',
      access: 'READ_ONLY',
      pollMs: slowPollMs,
    },
  ]
}

function watchdogParameter(pollMs: number): ParameterSpec {
  return {
    name: 'watchdog',
    description: 'After how long without a command it ends its emission (TIMer:WATChdog); 0: never',
    kind: 'INTEGER',
    access: 'READ_ONLY',
    unit: 's',
    pollMs,
  }
}
