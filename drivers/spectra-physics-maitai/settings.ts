import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { addressOf, addressSetting, choiceOf, numberOf, optionalNumberOf, refuseUnknown } from '../settings.ts'
import type { FlowControl } from '../transport/byte-transport.ts'

/** How a laser is spoken to on one of its links. */
export type Link = {
  readonly name: 'rs232' | 'usb'
  readonly baudRate: number
  readonly flowControl: FlowControl
  readonly terminator: string
  readonly timeoutMs: number
  /** After a set, before it is read back. */
  readonly afterSetMs: number
  /** How often a quantity is read, and what hardly changes. */
  readonly pollMs: number
  readonly slowPollMs: number
}

export const LINKS: Readonly<Record<Link['name'], Link>> = {
  // The older firmware answers in 2 to 3 s: a dozen questions take half a minute.
  rs232: { name: 'rs232', baudRate: 9600, flowControl: 'software', terminator: '\r', timeoutMs: 5000, afterSetMs: 500, pollMs: 5000, slowPollMs: 60_000 },
  usb: { name: 'usb', baudRate: 115_200, flowControl: 'none', terminator: '\n', timeoutMs: 2000, afterSetMs: 50, pollMs: 500, slowPollMs: 5000 },
}

const link = {
  name: 'link',
  kind: 'ENUM',
  required: false,
  default: 'rs232',
  choices: ['rs232', 'usb'],
  description:
    'rs232: 9600 baud, XON/XOFF, commands end in CR, answers in 2 to 3 s, as recorded with real lasers; usb: the adapter in newer ones, 115200 baud, no flow ' +
    'control, commands end in LF',
} as const satisfies SettingSpec
const watchdogSeconds = {
  name: 'watchdogSeconds',
  kind: 'INTEGER',
  required: false,
  unit: 's',
  default: '60',
  minimum: 0,
  maximum: 3600,
  description:
    'The laser switches its emission off by itself when it hears nothing for so long: when this station dies, or the line is cut. Polling keeps it alive. ' +
    '0: it never does',
} as const satisfies SettingSpec
const replyTimeoutSeconds = {
  name: 'replyTimeoutSeconds',
  kind: 'FLOAT',
  required: false,
  unit: 's',
  minimum: 0.1,
  maximum: 60,
  description: 'How long an answer may take; absent: 5 s on rs232, 2 s on usb',
} as const satisfies SettingSpec

/** Fewer, and a station that is busy for a moment, or one lost answer, would end an experiment. */
export const SHORTEST_WATCHDOG_SECONDS = 10

export const SETTINGS: readonly SettingSpec[] = [
  addressSetting('serial:///dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_…'),
  link,
  watchdogSeconds,
  replyTimeoutSeconds,
]

export type Settings = { readonly address: string; readonly link: Link; readonly watchdogSeconds: number }

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): Settings {
  refuseUnknown(settings, SETTINGS)
  const seconds = numberOf(settings, watchdogSeconds)
  if (seconds > 0 && seconds < SHORTEST_WATCHDOG_SECONDS)
    throw new InvalidValue(`watchdogSeconds: ${seconds} is not allowed; give 0, or ${SHORTEST_WATCHDOG_SECONDS} and more`, ['watchdogSeconds'])
  const usual = LINKS[choiceOf(settings, link)]
  const timeoutSeconds = optionalNumberOf(settings, replyTimeoutSeconds)
  return {
    address: addressOf(settings, 'serial'),
    link: timeoutSeconds === undefined ? usual : { ...usual, timeoutMs: timeoutSeconds * 1000 },
    watchdogSeconds: seconds,
  }
}
