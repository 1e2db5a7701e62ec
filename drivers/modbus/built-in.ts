import type { Driver } from '../driver.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { modbusDriver } from './driver.ts'
import type { ProfileFile } from './read-profile.ts'
import { shippedProfile } from './shipped.ts'
import { simulationOf } from './simulation.ts'

/** The profiles that come with the program, without looking through their folder. */
const FILES = {
  'omron-e5cc': built('omron-e5cc'),
  'eastron-sdm230': built('eastron-sdm230'),
  'smart-saw-2000': built('smart-saw-2000'),
} as const
type BuiltInId = keyof typeof FILES

/** undefined when there is none of that id. */
export function builtInModbusDriver(id: string): Driver | undefined {
  return isBuiltIn(id) ? modbusDriver(FILES[id]()) : undefined
}

export const omronE5cc = simulated('omron-e5cc', 'Temperature controller on a Modbus RTU line, whose registers keep what is written to them')
export const eastronSdm230 = simulated('eastron-sdm230', 'Energy meter on a Modbus RTU line, whose registers stay as they are')
export const smartSaw2000 = simulated('smart-saw-2000', 'Registers of a band saw with older firmware over Modbus TCP, which stay as they are')

function built(id: string): () => ProfileFile {
  return shippedProfile([`./profiles/${id}.yaml`, `../../../drivers/modbus/profiles/${id}.yaml`].map((path) => new URL(path, import.meta.url)))
}

function simulated(driverId: BuiltInId, description: string): Simulation {
  return { driverId, description, start: (options) => simulationOf(FILES[driverId]().profile({})).start(options) }
}

function isBuiltIn(id: string): id is BuiltInId {
  return Object.hasOwn(FILES, id)
}
