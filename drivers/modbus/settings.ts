import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, choiceOf, refuseUnknown, wholeNumberOf } from '../settings.ts'
import type { SerialSettings } from './port.ts'
import { BAUD_RATES, BIT_WRITES, type Connection, PARITIES, type Profile } from './profile.ts'
import type { ProfileFile } from './read-profile.ts'

/** The settings of a profile's device: where it is, how its line is set, and what its profile leaves to choose. */

export type ModbusSettings = {
  readonly specs: readonly SettingSpec[]
  /** Throws InvalidValue. */
  readonly read: (given: DeviceSettings) => {
    readonly address: string
    readonly unit: number
    readonly serial: SerialSettings
    readonly profile: Profile
  }
}

const UNITS = Array.from({ length: 256 }, (_, unit) => unit)
const STOP_BITS = [1, 2]

export function settingsOf(file: ProfileFile): ModbusSettings {
  const preset = file.profile({})
  const { connection, variants } = preset
  const serial = connection.over.includes('serial')
  const unit = unitSetting(connection)
  const line = lineSettings(connection)
  const bitWrites = hasBits(preset) ? bitWritesSetting(preset) : undefined
  const choices = variants.map((variant) => ({ ...variant, kind: 'ENUM' as const, required: false }))
  const specs: readonly SettingSpec[] = [
    addressSetting(serial ? 'serial:///dev/serial/by-id/usb-FTDI_USB-RS485-if00' : 'tcp://192.168.1.10:502'),
    unit,
    ...(serial ? [line.baudRate, line.parity, line.stopBits] : []),
    ...(bitWrites === undefined ? [] : [bitWrites]),
    ...choices,
  ]
  return {
    specs,
    read: (given) => {
      refuseUnknown(given, specs)
      const address = addressOf(given, ...connection.over)
      const chosen = file.profile(Object.fromEntries(choices.map((choice) => [choice.name, choiceOf(given, choice)])))
      const number = wholeNumberOf(given, unit, UNITS)
      if (address.startsWith('serial:') && (number < 1 || number > 247))
        throw new InvalidValue(`unit: ${number} is not allowed on a serial line; give a whole number from 1 to 247`, ['unit'])
      return {
        address,
        unit: number,
        serial: serial ? serialOf(given, line) : connection,
        profile: bitWrites === undefined ? chosen : { ...chosen, writes: { ...chosen.writes, bits: choiceOf(given, bitWrites) } },
      }
    },
  }
}

function unitSetting({ unit, over }: Connection): SettingSpec {
  const serial = over.includes('serial') ? '; on a serial line 1 to 247' : ''
  return { name: 'unit', kind: 'INTEGER', required: false, default: String(unit), description: `Modbus unit identifier, 0 to 255${serial}` }
}

function lineSettings({ baudRate, parity, stopBits }: Connection) {
  return {
    baudRate: {
      name: 'baudRate',
      kind: 'INTEGER' as const,
      required: false,
      default: String(baudRate),
      description: `Of a serial line, as the device is set: ${BAUD_RATES.join(', ')}`,
    },
    parity: { name: 'parity', kind: 'ENUM' as const, required: false, default: parity, choices: PARITIES, description: 'Of a serial line' },
    stopBits: { name: 'stopBits', kind: 'INTEGER' as const, required: false, default: String(stopBits), description: 'Of a serial line: 1 or 2' },
  }
}

function serialOf(given: DeviceSettings, line: ReturnType<typeof lineSettings>): SerialSettings {
  return {
    baudRate: wholeNumberOf(given, line.baudRate, BAUD_RATES),
    parity: choiceOf(given, line.parity),
    stopBits: wholeNumberOf(given, line.stopBits, STOP_BITS) === 2 ? 2 : 1,
  }
}

function hasBits({ registers, commands }: Profile): boolean {
  return registers.some(({ bit, access }) => bit !== undefined && access !== 'READ_ONLY') || commands.some(({ target }) => 'bit' in target)
}

function bitWritesSetting({ writes }: Profile) {
  return {
    name: 'bitWrites',
    kind: 'ENUM' as const,
    required: false,
    default: writes.bits,
    choices: BIT_WRITES,
    description: 'How a bit is changed beside its neighbours: by function 22 in the device, by reading and writing the word, or by function 22 if it takes it',
  }
}
