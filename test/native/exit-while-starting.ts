import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { loadPvcam, pvcamSimulatorPath } from '../../native/devices.ts'

/** Leaves while the thread pool prepares an acquisition: it must neither run into what is torn down nor stream on behind it. */
const roi = { x: 0, y: 0, width: 512, height: 512 }
const pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
const [first = '', second = ''] = await pvcam.cameras()
const camera = await pvcam.open(first)
const starting = camera.start({ roi, binning: 1, exposureSeconds: 0, ringPath: path.join(process.argv[2] ?? '', 'frames.ring'), ringSlots: 1024 })
starting.catch(() => undefined) // it may be refused
pvcam.open(second).catch(() => undefined)
await turn()
process.exit(0)
