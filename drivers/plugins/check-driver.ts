import { CAPABILITIES } from '../../core/capability.ts'
import type { PortKind } from '../../core/device.ts'
import type { Access, ParameterKind } from '../../core/parameter.ts'
import { isUnit } from '../../core/unit.ts'
import type { DeviceHandle, Driver, LostStationRule, Probed } from '../driver.ts'
import { boolean, callable, fieldsOf, finite, ifThere, listOf, oneOf, refuse, text, texts } from './shape.ts'

const DRIVER_ID = /^[a-z0-9]+(-[a-z0-9]+)+$/
const PORT_KINDS: readonly PortKind[] = ['SERIAL', 'RS485', 'TCP', 'MODBUS_TCP', 'MODBUS_RTU', 'USB', 'SPI', 'NATIVE', 'SIMULATED']
const KINDS: readonly ParameterKind[] = ['FLOAT', 'INTEGER', 'BOOLEAN', 'TEXT', 'ENUM', 'LIST']
const ACCESSES: readonly Access[] = ['READ_ONLY', 'READ_WRITE', 'WRITE_ONLY']
const RULES: readonly LostStationRule[] = ['LEAVE', 'STOP', 'MAKE_SAFE']
const MOST_DRIVERS = 100 // of one plugin
const MOST_SETTINGS = 100
const MOST_CHOICES = 1000
const MOST_FOUND = 256 // addresses of a bus
const MOST_PARAMETERS = 10_000 // each costs memory in every process that shows it

/** What a plugin's function answered, as drivers. Throws InvalidValue that names the place. */
export function checkedOffer(offer: unknown): readonly Driver[] {
  const { drivers } = fieldsOf(offer, 'what the plugin returned')
  const checked = listOf(drivers, 'drivers', MOST_DRIVERS)
  for (const [at, driver] of checked.entries()) checkDriver(driver, `drivers[${at}]`)
  return checked as readonly Driver[]
}

function checkDriver(value: unknown, place: string): void {
  const driver = fieldsOf(value, place)
  text(driver.id, `${place}.id`, DRIVER_ID, 'give "<vendor>-<model>" in small letters and digits')
  for (const name of ['vendor', 'model', 'version']) text(driver[name], `${place}.${name}`)
  oneOf(driver.portKind, `${place}.portKind`, PORT_KINDS)
  for (const [at, setting] of listOf(driver.settings, `${place}.settings`, MOST_SETTINGS).entries()) checkSetting(setting, `${place}.settings[${at}]`)
  for (const [at, capability] of listOf(driver.capabilities, `${place}.capabilities`, CAPABILITIES.length).entries())
    oneOf(capability, `${place}.capabilities[${at}]`, CAPABILITIES)
  for (const name of ['locate', 'openPort', 'openDevice']) callable(driver[name], `${place}.${name}`)
  ifThere(driver.documentation, () => text(driver.documentation, `${place}.documentation`))
  ifThere(driver.afterLostStation, () => oneOf(driver.afterLostStation, `${place}.afterLostStation`, RULES))
  ifThere(driver.probe, () => callable(driver.probe, `${place}.probe`))
}

function checkSetting(value: unknown, place: string): void {
  const setting = fieldsOf(value, place)
  for (const name of ['name', 'description']) text(setting[name], `${place}.${name}`)
  oneOf(setting.kind, `${place}.kind`, KINDS)
  boolean(setting.required, `${place}.required`)
  ifThere(setting.default, () => {
    if (typeof setting.default !== 'string') refuse(`${place}.default`, setting.default, 'give it as a text')
  })
  checkRange(setting, place)
}

/** An open device, before anybody uses it. Throws InvalidValue that names the place. */
export function checkHandle(value: unknown): asserts value is DeviceHandle {
  const handle = fieldsOf(value, 'the device handle')
  text(handle.identity, 'identity')
  checkParameters(handle.parameters)
  callable(handle.read, 'read')
  ifThere(handle.write, () => callable(handle.write, 'write'))
  callable(Reflect.get(handle, Symbol.asyncDispose), '[Symbol.asyncDispose]')
}

/** Who a plugin's probe says answered. Throws InvalidValue that names the place. */
export function checkedFinds(value: unknown): readonly Probed[] {
  const finds = listOf(value, 'what probe found', MOST_FOUND)
  for (const [at, item] of finds.entries()) {
    const { identity, settings } = fieldsOf(item, `what probe found[${at}]`)
    text(identity, `what probe found[${at}].identity`)
    fieldsOf(settings, `what probe found[${at}].settings`)
  }
  return finds as readonly Probed[]
}

export function checkParameters(value: unknown): void {
  const seen = new Set<unknown>()
  for (const [at, item] of listOf(value, 'parameters', MOST_PARAMETERS).entries()) {
    const place = `parameters[${at}]`
    const parameter = fieldsOf(item, place)
    text(parameter.name, `${place}.name`)
    if (seen.has(parameter.name)) refuse(`${place}.name`, parameter.name, 'a name stands for one parameter only')
    seen.add(parameter.name)
    if (typeof parameter.description !== 'string') refuse(`${place}.description`, parameter.description, 'give a text')
    oneOf(parameter.kind, `${place}.kind`, KINDS)
    oneOf(parameter.access, `${place}.access`, ACCESSES)
    checkRange(parameter, place)
    for (const name of ['step', 'deadband', 'pollMs', 'busyPollMs']) ifThere(parameter[name], () => finite(parameter[name], `${place}.${name}`))
  }
}

function checkRange(item: Readonly<Record<string, unknown>>, place: string): void {
  for (const name of ['minimum', 'maximum']) ifThere(item[name], () => finite(item[name], `${place}.${name}`))
  ifThere(item.choices, () => texts(item.choices, `${place}.choices`, MOST_CHOICES))
  if (item.kind === 'ENUM') texts(item.choices, `${place}.choices`, MOST_CHOICES)
  const { unit } = item
  ifThere(unit, () => {
    if (typeof unit !== 'string' || !isUnit(unit)) refuse(`${place}.unit`, unit, 'give a UCUM code, such as "mm", "V" or "Cel"')
  })
}
