import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, choiceOf, numberOf, refuseUnknown } from '../settings.ts'
import { codeOf, METER_UNITS, type MeterUnit, UNIT_CODE_NAMES, type UnitCodes } from './units.ts'

const units = {
  name: 'units',
  kind: 'ENUM',
  required: false,
  default: 'W',
  choices: METER_UNITS,
  description: 'What the power is read in. The meter is set to it (U), and a reading is bad while it shows anything else',
} as const satisfies SettingSpec
const unitCodes = {
  name: 'unitCodes',
  kind: 'ENUM',
  required: false,
  default: 'W-dBm-dB-REL',
  choices: UNIT_CODE_NAMES,
  description:
    'What U? answers: 1 to 4 for W, dBm, dB, REL, as two drivers have it; or with 2 and 3 the other way round; or from-zero: 0 W, 1 dBm, 2 dB, on a meter ' +
    'whose units are set at the front panel only. Look at the display once: sources contradict each other',
} as const satisfies SettingSpec
const replyTimeoutSeconds = {
  name: 'replyTimeoutSeconds',
  kind: 'FLOAT',
  required: false,
  unit: 's',
  default: '0.5',
  minimum: 0.1,
  maximum: 10,
  description: 'How long an answer may take; replies come well within half a second, and 7 of 69 readings of an early run did not come at all',
} as const satisfies SettingSpec

export const SETTINGS: readonly SettingSpec[] = [
  addressSetting('serial:///dev/serial/by-id/usb-Prolific_Serial-if00-port0'),
  units,
  unitCodes,
  replyTimeoutSeconds,
]

export type Settings = {
  readonly address: string
  readonly unit: MeterUnit
  readonly unitCodes: UnitCodes
  /** What U? must answer. */
  readonly code: string
  readonly replyTimeoutMs: number
}

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): Settings {
  refuseUnknown(settings, SETTINGS)
  const unit = choiceOf(settings, units)
  const table = choiceOf(settings, unitCodes)
  const code = codeOf(table, unit)
  if (code === undefined) throw new InvalidValue(`units: ${unit} has no code in the table ${table}`, ['units'])
  return { address: addressOf(settings, 'serial'), unit, unitCodes: table, code, replyTimeoutMs: 1000 * numberOf(settings, replyTimeoutSeconds) }
}
