import { CAPABILITIES } from '../../core/capability.ts'
import type { PortKind } from '../../core/device.ts'
import type { Driver, LostStationRule, Probed } from '../driver.ts'
import { checkQuantity } from './check-quantity.ts'
import { boolean, callable, fieldsOf, ifThere, listOf, oneOf, refuse, text } from './shape.ts'

const DRIVER_ID = /^[a-z0-9]+(-[a-z0-9]+)+$/
const PORT_KINDS: readonly PortKind[] = ['SERIAL', 'RS485', 'TCP', 'MODBUS_TCP', 'MODBUS_RTU', 'USB', 'SPI', 'NATIVE', 'SIMULATED']
const RULES: readonly LostStationRule[] = ['LEAVE', 'STOP', 'MAKE_SAFE']
const MOST_DRIVERS = 100 // of one plugin
const MOST_SETTINGS = 100
const MOST_FOUND = 256 // addresses of a bus

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
  ifThere(driver.portFamily, () => text(driver.portFamily, `${place}.portFamily`))
  ifThere(driver.probe, () => callable(driver.probe, `${place}.probe`))
}

function checkSetting(value: unknown, place: string): void {
  const setting = checkQuantity(value, place)
  text(setting.description, `${place}.description`)
  boolean(setting.required, `${place}.required`)
  ifThere(setting.default, () => {
    if (typeof setting.default !== 'string') refuse(`${place}.default`, setting.default, 'give it as a text')
  })
}

/** Which port a plugin's driver says that settings name. Throws InvalidValue that names the place. */
export function checkedLocation(value: unknown): ReturnType<Driver['locate']> {
  const { address, subAddress } = fieldsOf(value, 'what locate returned')
  text(address, 'the address that locate returned')
  ifThere(subAddress, () => text(subAddress, 'the subAddress that locate returned'))
  return { address: String(address), ...(subAddress !== undefined && { subAddress: String(subAddress) }) }
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
