import { constants } from 'node:os'
import { comediSimulatorPath } from '../../native/devices.ts'
import { SimulatedLibrary } from '../simulation/simulated-library.ts'
import type { Simulation } from '../simulation/simulation.ts'

/** Of a board that does not do what it should, is taken by another program, or does not answer in time. */
const ERRORS = [constants.errno.EIO, constants.errno.EBUSY, constants.errno.ETIMEDOUT].map(String)

/** The simulated board is a library that exports the same C functions and is loaded in the same way: native/comedi-sim. */
export const simulation: Simulation = {
  driverId: 'ni-comedi',
  description:
    'A Comedi library with one NI PCI-MIO-16XE-10, DAC0 wired to ACH0, DAC1 to a modulator before the photodiode at ACH2, DIO0 to PFI0; any program loads it in place of libcomedi',
  start: async ({ timeFactor = 1, ...options }) =>
    new SimulatedLibrary(
      { path: comediSimulatorPath(), devices: [{ outputLines: '0, 1' }], errors: ERRORS, files: { '.bench': `pace ${timeFactor}\n` } },
      options,
    ),
}
