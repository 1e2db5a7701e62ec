import { builtInDriver } from '../drivers/catalog/built-in.ts'
import { migrate } from '../prisma/migrate.ts'
import type { LocalConfig } from './config.ts'
import { SIMULATED_DEVICES } from './lab/devices.ts'
import { registerSimulatedDevices } from './registration.ts'

/** Brings the database up to date; a new one that goes with the simulated lab gets its devices. */
export async function prepareDatabase(
  databaseUrl: string,
  { simulatedLab, stationName }: Pick<LocalConfig, 'simulatedLab' | 'stationName'>,
  say: (line: string) => void,
): Promise<void> {
  for (const name of await migrate(databaseUrl)) say(`migration ${name} applied`)
  if (!simulatedLab) return
  const registered = await registerSimulatedDevices(databaseUrl, stationName, SIMULATED_DEVICES, builtInDriver)
  if (registered > 0) say(`${registered} simulated devices registered`)
}
