import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, choiceOf, numberOf, optionalNumberOf, refuseUnknown, wholeNumberOf } from '../settings.ts'
import { AXES, type Axis, HOME_MODES, type HomeMode, LARGEST } from './protocol.ts'
import { type AxisUnit, UNIT_NAMES, unitNamed } from './units.ts'

const BAUD_RATES = [300, 1200, 2400, 4800, 9600, 19_200] // what its front panel offers
const AS_STORED = 'controller'

const axis = { name: 'axis', kind: 'INTEGER', required: true, description: 'Axis of the controller: 1, 2 or 3' } as const satisfies SettingSpec
const baudRate = {
  name: 'baudRate',
  kind: 'INTEGER',
  required: false,
  default: '19200',
  description: 'Must be what the controller is set to',
} as const satisfies SettingSpec
const flowControl = {
  name: 'flowControl',
  kind: 'ENUM',
  required: false,
  default: 'hardware',
  choices: ['hardware', 'none'],
  description: 'The manual asks for RTS/CTS; firmware 3.04 was also seen to work without. A pseudo-terminal has no modem lines and takes either',
} as const satisfies SettingSpec
const replyTimeoutSeconds = {
  name: 'replyTimeoutSeconds',
  kind: 'FLOAT',
  required: false,
  unit: 's',
  default: '5',
  minimum: 0.1,
  maximum: 60,
  description: 'How long an answer may take. Bench notes say 1 to 3 s, and 5 s later: a controller that is busy with the tables of a stage is slow',
} as const satisfies SettingSpec
const homeMode = {
  name: 'homeMode',
  kind: 'ENUM',
  required: false,
  default: AS_STORED,
  choices: [AS_STORED, ...HOME_MODES.map(String)],
  description:
    'How home is searched (OR): 0 to the zero count, 1 home switch and index, 2 home switch, 3 positive limit, 4 negative limit, 5 positive limit and index, ' +
    '6 negative limit and index; controller: as the controller has it stored for the stage',
} as const satisfies SettingSpec
const units = {
  name: 'units',
  kind: 'ENUM',
  required: false,
  default: AS_STORED,
  choices: [AS_STORED, ...UNIT_NAMES],
  description: 'What the axis counts in (SN), set when it is connected; controller: as it is',
} as const satisfies SettingSpec
const limit = (end: 'Minimum' | 'Maximum', command: string) =>
  ({
    name: `softLimit${end}`,
    kind: 'FLOAT',
    required: false,
    minimum: -LARGEST,
    maximum: LARGEST,
    description: `Pushed to the controller (${command}) when the axis is connected, in the unit that it counts in; absent: as the controller has it`,
  }) as const satisfies SettingSpec
const softLimitMinimum = limit('Minimum', 'SL')
const softLimitMaximum = limit('Maximum', 'SR')

export const SETTINGS: readonly SettingSpec[] = [
  addressSetting('serial:///dev/serial/by-id/usb-FTDI_USB__-__Serial-if00-port0'),
  axis,
  baudRate,
  flowControl,
  replyTimeoutSeconds,
  homeMode,
  units,
  softLimitMinimum,
  softLimitMaximum,
]

export type Settings = {
  readonly address: string
  readonly axis: Axis
  readonly baudRate: number
  readonly flowControl: 'hardware' | 'none'
  readonly replyTimeoutMs: number
  /** undefined: the controller's own. */
  readonly homeMode: HomeMode | undefined
  readonly unit: AxisUnit | undefined
  readonly softLimits: { readonly minimum: number | undefined; readonly maximum: number | undefined }
}

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): Settings {
  refuseUnknown(settings, SETTINGS)
  const number = wholeNumberOf(settings, axis, AXES)
  const mode = choiceOf(settings, homeMode)
  const minimum = optionalNumberOf(settings, softLimitMinimum)
  const maximum = optionalNumberOf(settings, softLimitMaximum)
  if (minimum !== undefined && maximum !== undefined && minimum >= maximum)
    throw new InvalidValue(`softLimitMinimum ${minimum} is not below softLimitMaximum ${maximum}`, ['softLimitMinimum'])
  return {
    address: addressOf(settings, 'serial'),
    axis: AXES.find((candidate) => candidate === number) ?? 1,
    baudRate: wholeNumberOf(settings, baudRate, BAUD_RATES),
    flowControl: choiceOf(settings, flowControl),
    replyTimeoutMs: 1000 * numberOf(settings, replyTimeoutSeconds),
    homeMode: HOME_MODES.find((candidate) => String(candidate) === mode),
    unit: unitNamed(choiceOf(settings, units)),
    softLimits: { minimum, maximum },
  }
}
