import { domeRotator } from './dome-rotator/driver.ts'
import { domeShutter } from './dome-shutter/driver.ts'
import type { Driver } from './driver.ts'
import { newport1830c } from './newport-1830c/driver.ts'
import { newportEsp300 } from './newport-esp300/driver.ts'
import { niComedi } from './ni-comedi/driver.ts'
import { pvcamCamera } from './pvcam-camera/driver.ts'
import { smartSaw } from './smart-saw/driver.ts'
import { spectraPhysicsMaiTai } from './spectra-physics-maitai/driver.ts'
import { thorlabsEll14 } from './thorlabs-ell14/driver.ts'

/** Every driver there is, one for each folder. */
export const DRIVERS: readonly Driver[] = [
  newportEsp300,
  newport1830c,
  smartSaw,
  pvcamCamera,
  niComedi,
  thorlabsEll14,
  domeRotator,
  domeShutter,
  spectraPhysicsMaiTai,
]

export function driverById(id: string): Driver | undefined {
  return DRIVERS.find((driver) => driver.id === id)
}
