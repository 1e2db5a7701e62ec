import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, choiceOf, refuseUnknown, textOf, wholeNumberOf } from '../settings.ts'
import { ADDRESSES, type HomeDirection } from './protocol.ts'

const BAUD_RATES = [9600, 115_200]
const TURN = 360

const busAddress = {
  name: 'busAddress',
  kind: 'ENUM',
  required: true,
  choices: ADDRESSES,
  description: 'Address of the module on its bus: one hex digit, 0 to F',
} as const satisfies SettingSpec
const baudRate = {
  name: 'baudRate',
  kind: 'INTEGER',
  required: false,
  default: '9600',
  description: 'What the modules of the bus are set to: 9600, or 115200 where the supplier has changed it',
} as const satisfies SettingSpec
const flowControl = {
  name: 'flowControl',
  kind: 'ENUM',
  required: false,
  default: 'none',
  choices: ['none'],
  description: 'The bus has no flow control; with RTS/CTS its port hangs',
} as const satisfies SettingSpec
const homeDirection = {
  name: 'homeDirection',
  kind: 'ENUM',
  required: false,
  default: 'clockwise',
  choices: ['clockwise', 'counter-clockwise'],
  description: 'Which way it turns when it looks for home',
} as const satisfies SettingSpec
const minimumDegrees = {
  name: 'minimumDegrees',
  kind: 'FLOAT',
  required: false,
  default: '0',
  unit: 'deg',
  description: 'Absolute moves below it are refused. A module that was homed may stand slightly below zero',
} as const satisfies SettingSpec
const maximumDegrees = {
  name: 'maximumDegrees',
  kind: 'FLOAT',
  required: false,
  default: '360',
  unit: 'deg',
  description: 'Absolute moves above it are refused',
} as const satisfies SettingSpec
const minimumVelocity = {
  name: 'minimumVelocity',
  kind: 'INTEGER',
  required: false,
  default: '60',
  unit: '%',
  description: 'Velocities below it are refused: low ones stall the motor. Sources differ (the vendor takes 0 to 100, an independent library 60 to 100)',
} as const satisfies SettingSpec
const movingTogether = {
  name: 'movingTogether',
  kind: 'INTEGER',
  required: false,
  default: '2',
  description: 'So many modules of the bus may move at once, 1 to 16; the next waits. More than two can brown out a bus that is powered from USB',
} as const satisfies SettingSpec
const serialNumber = {
  name: 'serialNumber',
  kind: 'TEXT',
  required: false,
  description: 'Of the module that must be at this address; another one is refused. Empty: any',
} as const satisfies SettingSpec

export const SETTINGS: readonly SettingSpec[] = [
  addressSetting('serial:///dev/serial/by-id/usb-FTDI_FT230X_Basic_UART_DK0AHAJZ-if00-port0'),
  busAddress,
  baudRate,
  flowControl,
  homeDirection,
  minimumDegrees,
  maximumDegrees,
  minimumVelocity,
  movingTogether,
  serialNumber,
]

export type Settings = {
  readonly address: string
  readonly busAddress: string
  readonly baudRate: number
  readonly homeDirection: HomeDirection
  readonly minimumDegrees: number
  readonly maximumDegrees: number
  readonly minimumVelocity: number
  readonly movingTogether: number
  readonly serialNumber: string
}

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): Settings {
  refuseUnknown(settings, SETTINGS)
  if (settings.flowControl === 'hardware')
    throw new InvalidValue('flowControl: "hardware" is not allowed; with RTS/CTS the ELL14 bus hangs, so there is only "none"', ['flowControl'])
  choiceOf(settings, flowControl)
  const limits = { minimumDegrees: degreesOf(settings, minimumDegrees), maximumDegrees: degreesOf(settings, maximumDegrees) }
  if (limits.minimumDegrees >= limits.maximumDegrees)
    throw new InvalidValue(`minimumDegrees ${limits.minimumDegrees} must be below maximumDegrees ${limits.maximumDegrees}`, ['minimumDegrees'])
  return {
    ...limits,
    address: addressOf(settings, 'serial'),
    busAddress: choiceOf(withText(settings), busAddress),
    baudRate: wholeNumberOf(settings, baudRate, BAUD_RATES),
    homeDirection: choiceOf(settings, homeDirection),
    minimumVelocity: wholeNumberOf(settings, minimumVelocity, upTo(100)),
    movingTogether: wholeNumberOf(settings, movingTogether, upTo(ADDRESSES.length).slice(1)),
    serialNumber: textOf(settings, serialNumber),
  }
}

/** Address 2 may be written as a number. */
function withText(settings: DeviceSettings): DeviceSettings {
  return typeof settings.busAddress === 'number' ? { ...settings, busAddress: String(settings.busAddress) } : settings
}

function degreesOf(settings: DeviceSettings, spec: SettingSpec): number {
  const value = Number(settings[spec.name] ?? spec.default)
  if (!Number.isFinite(value) || Math.abs(value) > TURN)
    throw new InvalidValue(`${spec.name}: ${String(settings[spec.name])} is not allowed; give degrees from ${-TURN} to ${TURN}`, [spec.name])
  return value
}

function upTo(maximum: number): readonly number[] {
  return Array.from({ length: maximum + 1 }, (_, value) => value)
}
