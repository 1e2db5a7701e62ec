import { simulation as domeRotator } from './dome-rotator/simulator.ts'
import { simulation as domeShutter } from './dome-shutter/simulator.ts'
import { eastronSdm230, omronE5cc, smartSaw2000 } from './modbus/built-in.ts'
import { simulation as newport1830c } from './newport-1830c/simulator.ts'
import { simulation as newportEsp300 } from './newport-esp300/simulator.ts'
import { simulation as niComedi } from './ni-comedi/simulator.ts'
import { simulation as pvcamCamera } from './pvcam-camera/simulator.ts'
import { multimeter, powerSupply, temperatureController } from './scpi/simulated/simulations.ts'
import type { Simulation } from './simulation/simulation.ts'
import { simulation as smartSaw } from './smart-saw/simulator.ts'
import { simulation as spectraPhysicsMaiTai } from './spectra-physics-maitai/simulator.ts'
import { simulation as thorlabsEll14 } from './thorlabs-ell14/simulator.ts'

/** Every instrument that can be simulated on a real transport, one for each driver that has bytes, registers or a library of its own. */
export const SIMULATIONS: readonly Simulation[] = [
  newportEsp300,
  newport1830c,
  smartSaw,
  pvcamCamera,
  niComedi,
  thorlabsEll14,
  domeRotator,
  domeShutter,
  spectraPhysicsMaiTai,
  multimeter,
  powerSupply,
  temperatureController,
  omronE5cc,
  eastronSdm230,
  smartSaw2000,
]
