import { messageOf } from '../../core/errors.ts'
import { parseAddress } from '../../drivers/address.ts'
import type { Driver } from '../../drivers/driver.ts'
import type { ProposedDevice } from '../../storage/importers/importer.ts'

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/ // as registerDevice takes it

/** One that the driver itself finds right, ready to be written; or why not, in words. */
export type CheckedDevice =
  | { readonly proposed: ProposedDevice; readonly address: string; readonly subAddress?: string; readonly portKind: string; readonly simulated: boolean }
  | { readonly proposed: ProposedDevice; readonly problem: string }

/** By the driver's own rules, without any hardware. */
export function checkDevice(proposed: ProposedDevice, drivers: readonly Driver[]): CheckedDevice {
  if (!NAME.test(proposed.name))
    return { proposed, problem: `${JSON.stringify(proposed.name)} is not allowed as a name; a letter, then letters, digits, "_", "-" and "."` }
  const driver = drivers.find(({ id }) => id === proposed.driverId)
  if (driver === undefined) return { proposed, problem: `there is no driver ${proposed.driverId} here` }
  try {
    const { address, subAddress } = driver.locate(proposed.settings)
    return { proposed, address, portKind: driver.portKind, simulated: parseAddress(address).kind === 'sim', ...(subAddress !== undefined && { subAddress }) }
  } catch (error) {
    return { proposed, problem: messageOf(error) }
  }
}

/** For the job's log: one line for each, and one for what to look at. */
export function describeDevice(checked: CheckedDevice): readonly string[] {
  const { where, name, driverId, settings, warnings } = checked.proposed
  const head = `${where}: ${name} as ${driverId} ${JSON.stringify(settings)}`
  return ['problem' in checked ? `${head} cannot be registered: ${checked.problem}` : head, ...warnings.map((warning) => `${where}: ${name}: ${warning}`)]
}
