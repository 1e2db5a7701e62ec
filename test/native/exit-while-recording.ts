import path from 'node:path'
import { loadPvcam, pvcamSimulatorPath } from '../../native/devices.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'

/** Leaves in the middle of everything: native threads must let it. */
const folder = process.argv[2] ?? ''
const roi = { x: 0, y: 0, width: 512, height: 512 }
const pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
const camera = await pvcam.open((await pvcam.cameras())[0] ?? '')
await camera.start({ roi, binning: 1, exposureSeconds: 0.005, ringPath: path.join(folder, 'frames.ring'), ringSlots: 8 })
const recording = camera.record({
  ...prepareFrameLayout({ roi, binning: 1, exposureSeconds: 0.005 }),
  path: path.join(folder, 'frames.arrow'),
  keepFreeBytes: 0,
})
await until(() => recording.progress().written > 5)
process.exit(0)
