import type { DeviceSettings } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import type { SettingSpec } from '../core/parameter.ts'
import { ADDRESS_FORMS, type Address, parseAddress } from './address.ts'

/** The setting that every driver has. */
export function addressSetting(example: string): SettingSpec {
  return { name: 'address', kind: 'TEXT', required: true, description: `Where the instrument is: ${ADDRESS_FORMS}. Here e.g. ${example}` }
}

/** The address setting, checked to be of one of the kinds that the driver can use (`sim` always is). */
export function addressOf(settings: DeviceSettings, ...kinds: readonly Exclude<Address['kind'], 'sim'>[]): string {
  const { address } = settings
  const parsed = parseAddress(address)
  if (parsed.kind !== 'sim' && !kinds.includes(parsed.kind))
    throw new InvalidValue(`${String(address)} is a ${parsed.kind} address; this driver needs a ${kinds.join(' or ')} address`, ['address'])
  return String(address)
}

function given(settings: DeviceSettings, spec: SettingSpec): unknown {
  const value = settings[spec.name] ?? spec.default
  if (value === undefined) throw new InvalidValue(`${spec.name} is missing: ${spec.description ?? 'this driver needs it'}`, [spec.name])
  return value
}

export function wholeNumberOf(settings: DeviceSettings, spec: SettingSpec, allowed: readonly number[]): number {
  const value = given(settings, spec)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !allowed.includes(number))
    throw new InvalidValue(`${spec.name}: ${JSON.stringify(value)} is not allowed; choose one of ${allowed.join(', ')}`, [spec.name])
  return number
}

/** Within the setting's own limits; a text of digits counts. */
export function numberOf(settings: DeviceSettings, spec: SettingSpec): number {
  const value = given(settings, spec)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = spec
  if (typeof number !== 'number' || !Number.isFinite(number) || (spec.kind === 'INTEGER' && !Number.isSafeInteger(number)))
    throw new InvalidValue(`${spec.name}: ${JSON.stringify(value)} is not a ${spec.kind === 'INTEGER' ? 'whole ' : ''}number`, [spec.name])
  if (number < minimum || number > maximum)
    throw new InvalidValue(`${spec.name}: ${number} is not allowed; give ${minimum} to ${maximum}${spec.unit === undefined ? '' : ` ${spec.unit}`}`, [
      spec.name,
    ])
  return number
}

/** As numberOf; undefined when it is neither given nor has a default. */
export function optionalNumberOf(settings: DeviceSettings, spec: SettingSpec): number | undefined {
  return (settings[spec.name] ?? spec.default) === undefined ? undefined : numberOf(settings, spec)
}

/** true or false, or the words. */
export function flagOf(settings: DeviceSettings, spec: SettingSpec): boolean {
  const value = given(settings, spec)
  if (value !== true && value !== false && value !== 'true' && value !== 'false')
    throw new InvalidValue(`${spec.name}: ${JSON.stringify(value)} is not allowed; give true or false`, [spec.name])
  return value === true || value === 'true'
}

export function choiceOf<Choice extends string>(
  settings: DeviceSettings,
  spec: Omit<SettingSpec, 'choices'> & { readonly choices: readonly Choice[] },
): Choice {
  const value = given(settings, spec)
  const choice = spec.choices.find((candidate) => candidate === value)
  if (choice === undefined)
    throw new InvalidValue(`${spec.name}: ${JSON.stringify(value)} is not allowed; choose one of ${spec.choices.join(', ')}`, [spec.name])
  return choice
}

/** Empty when it is neither given nor has a default. */
export function textOf(settings: DeviceSettings, spec: SettingSpec): string {
  const value = settings[spec.name] ?? spec.default ?? ''
  if (typeof value !== 'string') throw new InvalidValue(`${spec.name}: ${String(value)} is not allowed; give a text`, [spec.name])
  return value
}

/** A misspelt setting is refused: silently ignored, it would leave the default in force. */
export function refuseUnknown(settings: DeviceSettings, specs: readonly SettingSpec[]): void {
  const unknown = Object.keys(settings).find((name) => !specs.some((spec) => spec.name === name))
  if (unknown !== undefined)
    throw new InvalidValue(`${unknown} is not a setting of this driver; it knows ${specs.map((spec) => spec.name).join(', ')}`, [unknown])
}
