import path from 'node:path'
import { createRing } from '../../native/files.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'

/** Records the test pattern into the folder given, and prints how many frames it reports as written, until somebody kills it. */
const folder = process.argv[2] ?? ''
const side = 512
const ring = createRing({ path: path.join(folder, 'frames.ring'), width: side, height: side, slots: 16 })
const layout = prepareFrameLayout({ roi: { x: 0, y: 0, width: side, height: side }, binning: 1, exposureSeconds: 0.01 })
const recording = ring.record({ ...layout, path: path.join(folder, 'frames.arrow'), keepFreeBytes: 0 })
const source = ring.startTestPattern({ frames: 100_000 }) // as fast as they are written: none is lost, however busy the disk
const report = setInterval(() => process.stdout.write(`${recording.progress().written}\n`), 5)
await source
clearInterval(report)
