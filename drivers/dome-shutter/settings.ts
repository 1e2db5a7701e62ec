import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { parseAddress } from '../address.ts'
import { addressOf, addressSetting, flagOf, numberOf, refuseUnknown, textOf } from '../settings.ts'
import type { CycleTimes } from './cycle.ts'
import type { Interlock } from './interlock.ts'

const text = (name: string, description: string, byDefault?: string): SettingSpec => ({
  name,
  kind: 'TEXT',
  required: false,
  description,
  ...(byDefault !== undefined && { default: byDefault }),
})
const terminal = (name: string, byDefault: number, description: string): SettingSpec => ({
  name,
  kind: 'INTEGER',
  required: false,
  default: String(byDefault),
  minimum: 0,
  maximum: 99,
  description,
})
const time = (name: string, byDefault: number, description: string): SettingSpec => ({
  name,
  kind: 'FLOAT',
  required: false,
  default: String(byDefault),
  unit: 's',
  minimum: 0.001,
  maximum: 600,
  description,
})
const flag = (name: string, byDefault: boolean, description: string): SettingSpec => ({
  name,
  kind: 'BOOLEAN',
  required: false,
  default: String(byDefault),
  description,
})

const motorModule = text('motorModule', 'Module of the motor relay, tcp://host:port; absent: the one of the supply')
const directionModule = text('directionModule', 'Module of the direction relays; absent: the one of the supply')
const inputModule = text('inputModule', 'Module of the end switches; absent: the one of the supply')
const supplySwitch = terminal('supplySwitch', 0, 'Number of the switch of the 24 V supply')
const motorSwitch = terminal('motorSwitch', 1, 'Number of the switch of the motor')
const directionSwitch = terminal('directionSwitch', 2, 'Number of the first direction relay: on to open, off to close')
const secondDirectionSwitch = terminal(
  'secondDirectionSwitch',
  3,
  'Number of the second direction relay, which goes with the first; the same number: there is none',
)
const openInput = terminal('openInput', 0, 'Number of the input of the end switch at open')
const closedInput = terminal('closedInput', 1, 'Number of the input of the end switch at closed')
const pressedIs = flag('pressedIs', true, 'What an input says while its end switch is pressed')
const enabled = flag('enabled', true, 'false: every command is refused')
const powerUp = time('powerUp', 2, 'From supply on to the next step')
const directionSettles = time('directionSettles', 0.3, 'From the direction relays to motor on')
const poll = time('poll', 0.5, 'Between two looks at the end switches')
const travelLimit = time('travelLimit', 90, 'Longest way; also the timer of the motor in its module')
const cooldown = time('cooldown', 10, 'After a cycle, in which commands are refused')
const weatherUrl = text('weatherUrl', 'Asked by HTTP before the shutter opens; absent: nothing is asked')
const weatherPath = text('weatherPath', 'Member of the JSON answer, with dots between names', 'safe')
const weatherMustBe = text('weatherMustBe', 'What it must be for the shutter to open', 'true')
const rotatorUrl = text('rotatorUrl', 'Asked by HTTP before the shutter opens or closes, whether the dome stands; absent: nothing is asked')
const rotatorPath = text('rotatorPath', 'Member of the JSON answer, with dots between names', 'moving')
const rotatorMustBe = text('rotatorMustBe', 'What it must be for the shutter to move', 'false')

export const SETTINGS: readonly SettingSpec[] = [
  addressSetting('tcp://192.168.1.50:80, the Shelly module of the supply'),
  ...[motorModule, directionModule, inputModule, supplySwitch, motorSwitch, directionSwitch, secondDirectionSwitch, openInput, closedInput, pressedIs],
  ...[enabled, powerUp, directionSettles, poll, travelLimit, cooldown],
  ...[weatherUrl, weatherPath, weatherMustBe, rotatorUrl, rotatorPath, rotatorMustBe],
]

export type ShutterSettings = {
  readonly address: string
  readonly modules: { readonly motor: string; readonly direction: string; readonly inputs: string }
  readonly numbers: {
    readonly supply: number
    readonly motor: number
    readonly direction: readonly number[]
    readonly open: number
    readonly closed: number
    readonly pressed: boolean
  }
  readonly enabled: boolean
  readonly times: CycleTimes
  readonly cooldownSeconds: number
  /** Asked before the shutter opens, and before it moves at all. */
  readonly toOpen: readonly Interlock[]
  readonly toMove: readonly Interlock[]
}

/** Checks every setting; throws InvalidValue. */
export function locate(settings: DeviceSettings): ShutterSettings {
  refuseUnknown(settings, SETTINGS)
  const address = addressOf(settings, 'tcp')
  const [first, second] = [numberOf(settings, directionSwitch), numberOf(settings, secondDirectionSwitch)]
  const weather = interlockOf(settings, 'the weather', weatherUrl, weatherPath, weatherMustBe)
  const rotator = interlockOf(settings, 'the rotation of the dome', rotatorUrl, rotatorPath, rotatorMustBe)
  return {
    address,
    modules: {
      motor: moduleOf(settings, motorModule) ?? address,
      direction: moduleOf(settings, directionModule) ?? address,
      inputs: moduleOf(settings, inputModule) ?? address,
    },
    numbers: {
      supply: numberOf(settings, supplySwitch),
      motor: numberOf(settings, motorSwitch),
      direction: first === second ? [first] : [first, second],
      open: numberOf(settings, openInput),
      closed: numberOf(settings, closedInput),
      pressed: flagOf(settings, pressedIs),
    },
    enabled: flagOf(settings, enabled),
    times: {
      powerUp: numberOf(settings, powerUp),
      directionSettles: numberOf(settings, directionSettles),
      poll: numberOf(settings, poll),
      limit: numberOf(settings, travelLimit),
    },
    cooldownSeconds: numberOf(settings, cooldown),
    toOpen: weather === undefined ? [] : [weather],
    toMove: rotator === undefined ? [] : [rotator],
  }
}

function moduleOf(settings: DeviceSettings, spec: SettingSpec): string | undefined {
  const given = textOf(settings, spec)
  if (given === '') return undefined
  const parsed = parseAddress(given, [spec.name])
  if (parsed.kind !== 'tcp' && parsed.kind !== 'sim')
    throw new InvalidValue(`${spec.name}: ${given} is a ${parsed.kind} address; give tcp://host:port`, [spec.name])
  return given
}

function interlockOf(settings: DeviceSettings, what: string, url: SettingSpec, path: SettingSpec, mustBe: SettingSpec): Interlock | undefined {
  const given = textOf(settings, url)
  if (given === '') return undefined
  if (!URL.canParse(given) || new URL(given).protocol !== 'http:')
    throw new InvalidValue(`${url.name}: ${given} is not allowed; give an http:// address`, [url.name])
  return { what, url: given, path: textOf(settings, path), mustBe: textOf(settings, mustBe) }
}
