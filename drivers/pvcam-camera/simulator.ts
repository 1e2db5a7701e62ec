import { pvcamSimulatorPath } from '../../native/devices.ts'

/** The simulated camera is a library that exports the same C functions and is loaded in the same way: native/pvcam-sim. */
export function simulatorLibrary(): string {
  return pvcamSimulatorPath()
}
