import type { DeviceSettings } from '../../core/device.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, choiceOf, refuseUnknown, wholeNumberOf } from '../settings.ts'
import { AXES, type Axis } from './protocol.ts'

const BAUD_RATES = [300, 1200, 2400, 4800, 9600, 19_200] // what its front panel offers

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
  description: 'The manual asks for RTS/CTS; firmware 3.04 was also seen to work without. Pseudo-terminals have no modem lines: use none there',
} as const satisfies SettingSpec

export const SETTINGS: readonly SettingSpec[] = [addressSetting('serial:///dev/serial/by-id/usb-FTDI_USB__-__Serial-if00-port0'), axis, baudRate, flowControl]

export type Settings = { readonly address: string; readonly axis: Axis; readonly baudRate: number; readonly flowControl: 'hardware' | 'none' }

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): Settings {
  refuseUnknown(settings, SETTINGS)
  const number = wholeNumberOf(settings, axis, AXES)
  return {
    address: addressOf(settings, 'serial'),
    axis: AXES.find((candidate) => candidate === number) ?? 1,
    baudRate: wholeNumberOf(settings, baudRate, BAUD_RATES),
    flowControl: choiceOf(settings, flowControl),
  }
}
