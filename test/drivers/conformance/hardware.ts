import type { DeviceSettings } from '../../../core/device.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import { resolveAddress } from '../../../drivers/address.ts'
import type { Driver } from '../../../drivers/driver.ts'
import { openBench } from '../bench.ts'
import type { Instrument } from './instrument.ts'

/** CONFORMANCE_NEWPORT_ESP300 for newport-esp300. */
export function variableOf(driverId: string): string {
  return `CONFORMANCE_${driverId.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

/**
 * Where a real instrument is: `serial:///dev/ttyUSB0?axis=1`, an address with settings; or JSON, the settings of one device or a list of several on one
 * port.
 */
export function settingsOf(text: string, driver: Pick<Driver, 'settings'>): readonly DeviceSettings[] {
  if (/^\s*[[{]/.test(text)) {
    const given = JSON.parse(text) as DeviceSettings | readonly DeviceSettings[]
    return Array.isArray(given) ? given : [given as DeviceSettings]
  }
  const [address = '', query = ''] = text.split('?')
  const settings: Record<string, ParameterValue> = { address }
  for (const [name, value] of new URLSearchParams(query)) {
    const kind = driver.settings.find((setting) => setting.name === name)?.kind
    settings[name] = kind === 'INTEGER' || kind === 'FLOAT' ? Number(value) : kind === 'BOOLEAN' ? value === 'true' : value
  }
  return [settings]
}

export async function openHardware(driver: Driver, settings: readonly DeviceSettings[]): Promise<Instrument> {
  const bench = await openBench()
  return {
    driver,
    settings,
    context: { ...bench.context, resolve: (address) => resolveAddress(address, undefined) }, // never a simulated one
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
}
