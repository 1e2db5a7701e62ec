import { pvcamSimulatorPath } from '../../native/devices.ts'
import { SimulatedLibrary } from '../simulation/simulated-library.ts'
import type { Simulation } from '../simulation/simulation.ts'

/** Codes of PVCAM that the simulated library gives by itself, and the driver knows how to tell. */
const ERRORS = ['185', '195']

/** The simulated camera is a library that exports the same C functions and is loaded in the same way: native/pvcam-sim. */
export function simulatorLibrary(): string {
  return pvcamSimulatorPath()
}

export const simulation: Simulation = {
  driverId: 'pvcam-camera',
  description: 'A PVCAM library with two cameras of 512 x 512 pixels; any program loads it in place of the vendor’s',
  start: async (options) => new SimulatedLibrary({ path: simulatorLibrary(), devices: [{}], errors: ERRORS }, options),
}
