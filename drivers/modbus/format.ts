import type { DescriptionFormat } from '../catalog/description.ts'
import { modbusDriver } from './driver.ts'
import { readProfile } from './read-profile.ts'
import { profileSimulation } from './simulation.ts'

/** Register profiles: `protocol: modbus`. What may stand in one is in docs/recipes/add-a-modbus-device.md. */
export const modbusFormat: DescriptionFormat = {
  protocol: 'modbus',
  driverOf: (text, file) => modbusDriver(readProfile(text, file)),
  simulationOf: profileSimulation,
}
