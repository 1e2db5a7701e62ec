import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, refuseUnknown } from '../settings.ts'
import type { FlowControl } from '../transport/byte-transport.ts'
import { CONNECTIONS, type ConnectionKind, type Description, type SerialDefaults } from './description.ts'

const EXAMPLES: Readonly<Record<ConnectionKind, (description: Description) => string>> = {
  tcp: ({ connections }) => `tcp://192.168.1.20:${connections.tcp?.port}`,
  serial: () => 'serial:///dev/serial/by-id/usb-…',
  usbtmc: () => 'usbtmc:///dev/usbtmc0',
  hislip: () => 'hislip://192.168.1.20',
}

const FLOWS = ['none', 'hardware', 'software'] as const satisfies readonly FlowControl[]

export type Located = {
  readonly address: string
  readonly channel?: string
  readonly serial?: SerialDefaults
}

/** The ways in which the instrument can be connected, in the order of the list of kinds. */
export function kindsOf({ connections }: Description): readonly ConnectionKind[] {
  return CONNECTIONS.filter((kind) => connections[kind] !== undefined)
}

export function settingSpecs(description: Description): readonly SettingSpec[] {
  const { channels, connections } = description
  const specs: SettingSpec[] = [
    addressSetting(
      kindsOf(description)
        .map((kind) => EXAMPLES[kind](description))
        .join(' or '),
    ),
  ]
  if (channels !== undefined) specs.push({ name: channels.setting, kind: 'ENUM', required: true, description: channels.description, choices: channels.values })
  if (connections.serial !== undefined) {
    const { baudRate, flowControl } = connections.serial
    specs.push(
      {
        name: 'baudRate',
        kind: 'INTEGER',
        required: false,
        default: String(baudRate),
        description: 'On a serial line: bits per second, as the instrument is set',
      },
      { name: 'flowControl', kind: 'ENUM', required: false, default: flowControl, choices: FLOWS, description: 'On a serial line: RTS/CTS, XON/XOFF or none' },
    )
  }
  return specs
}

/** Checks the settings (InvalidValue). */
export function locateIn(description: Description, specs: readonly SettingSpec[], settings: DeviceSettings): Located {
  refuseUnknown(settings, specs)
  const { channels, connections } = description
  const channel = channels === undefined ? undefined : channelOf(channels, settings)
  return {
    address: addressOf(settings, ...kindsOf(description)),
    ...(channel !== undefined && { channel }),
    ...(connections.serial !== undefined && { serial: { ...connections.serial, ...serialOf(connections.serial, settings) } }),
  }
}

function channelOf({ setting, values }: NonNullable<Description['channels']>, settings: DeviceSettings): string {
  const given = settings[setting]
  const channel = values.find((value) => value === String(given))
  if (channel === undefined)
    throw new InvalidValue(
      `${setting}: ${given === undefined ? 'is missing' : `${JSON.stringify(given)} is not allowed`}; choose one of ${values.join(', ')}`,
      [setting],
    )
  return channel
}

function serialOf(defaults: SerialDefaults, settings: DeviceSettings): Pick<SerialDefaults, 'baudRate' | 'flowControl'> {
  const baudRate = Number(settings.baudRate ?? defaults.baudRate)
  if (!Number.isInteger(baudRate) || baudRate < 50 || baudRate > 4_000_000)
    throw new InvalidValue(`baudRate: ${String(settings.baudRate)} is not allowed; give a whole number of bits per second, e.g. ${defaults.baudRate}`, [
      'baudRate',
    ])
  const flowControl = FLOWS.find((flow) => flow === (settings.flowControl ?? defaults.flowControl))
  if (flowControl === undefined)
    throw new InvalidValue(`flowControl: ${String(settings.flowControl)} is not allowed; choose one of ${FLOWS.join(', ')}`, ['flowControl'])
  return { baudRate, flowControl }
}
