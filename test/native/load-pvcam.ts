import { asProblem } from '../../core/errors.ts'
import { loadPvcam, pvcamSimulatorPath } from '../../native/devices.ts'

/** Prints the problem that loading the simulated library meets in this environment. */
try {
  await loadPvcam(pvcamSimulatorPath())
} catch (error) {
  process.stdout.write(JSON.stringify(asProblem(error).toRecord()))
}
