import type { ParameterSpec } from '../../core/parameter.ts'
import { FILTERS, RANGES, type StatusBit, WAVELENGTH_MAXIMUM_NM, WAVELENGTH_MINIMUM_NM } from './protocol.ts'
import { METER_UNITS, type MeterUnit, UCUM } from './units.ts'

const POWER_POLL_MS = 200
const STATUS_POLL_MS = 1000
const SETTING_POLL_MS = 5000 // what the front panel may change

/** The parameter of each bit of the status byte, with what it says. */
export const STATUS_PARAMETERS: Readonly<Record<string, { readonly bit: StatusBit; readonly description: string }>> = {
  status_parameter_error: { bit: 'parameterError', description: 'A command had a parameter that the meter refused' },
  status_command_error: { bit: 'commandError', description: 'The meter did not understand a command' },
  status_saturated: { bit: 'saturated', description: 'The detector is saturated' },
  status_out_of_range: { bit: 'outOfRange', description: 'The light is beyond the range that is set' },
  status_message_available: { bit: 'messageAvailable', description: 'A reply waits in the meter' },
  status_busy: { bit: 'busy', description: 'The meter is busy, as after a change of range' },
  status_service_request: { bit: 'serviceRequest', description: 'The meter asks for service' },
  status_new_reading: { bit: 'newReading', description: 'There is a reading that was not asked for yet' },
}

export function meterParameters(unit: MeterUnit): readonly ParameterSpec[] {
  const setting = { access: 'READ_WRITE', pollMs: SETTING_POLL_MS } as const
  const unread = { kind: 'BOOLEAN', access: 'WRITE_ONLY' } as const
  return [
    {
      name: 'power',
      description: `Optical power at the set wavelength, in ${unit} (D)`,
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit: UCUM[unit],
      pollMs: POWER_POLL_MS,
    },
    {
      name: 'wavelength',
      description: 'Wavelength that the detector is corrected for (W); it must follow the light',
      kind: 'INTEGER',
      unit: 'nm',
      minimum: WAVELENGTH_MINIMUM_NM,
      maximum: WAVELENGTH_MAXIMUM_NM,
      step: 1,
      ...setting,
    },
    { name: 'range', description: 'Signal range (R); a change costs a few readings', kind: 'ENUM', choices: RANGES, ...setting },
    { name: 'attenuator', description: 'Whether the attenuator is corrected for (A)', kind: 'BOOLEAN', ...setting },
    { name: 'filter', description: 'Averaging: slow 16, medium 4, fast 1 (F)', kind: 'ENUM', choices: FILTERS, ...setting },
    { name: 'background_subtraction', description: 'Setting it takes the present reading as zero (Z)', kind: 'BOOLEAN', ...setting },
    { name: 'running', description: 'Whether the display runs; off holds it, and the power with it (G)', kind: 'BOOLEAN', ...setting },
    { name: 'beep', description: 'Whether the meter beeps (B); it does not tell', ...unread },
    { name: 'echo', description: 'Whether the meter repeats what it is told (E); switched off when connected; it does not tell', ...unread },
    { name: 'lock_out', description: 'Whether the front panel is locked (L); it does not tell', ...unread },
    {
      name: 'shown_units',
      description: 'What the meter shows (U); the power is bad while it is not what the settings say',
      kind: 'ENUM',
      access: 'READ_ONLY',
      choices: METER_UNITS,
      pollMs: STATUS_POLL_MS,
    },
    { name: 'status', description: 'What the status byte (Q) complains of, or ok', kind: 'TEXT', access: 'READ_ONLY', pollMs: STATUS_POLL_MS },
    ...Object.entries(STATUS_PARAMETERS).map(
      ([name, { description }]): ParameterSpec => ({ name, description: `${description} (Q)`, kind: 'BOOLEAN', access: 'READ_ONLY', pollMs: STATUS_POLL_MS }),
    ),
  ]
}
