import path from 'node:path'
import type { FrameCompression } from '../../core/frame.ts'
import { createRing } from '../../native/files.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'

/** Records the test pattern into the folder given (then: compression, bytes of a segment, period of the pattern), and prints how many frames it reports as written, until somebody kills it. */
const [, , folder = '', compression = 'NONE', segmentBytes, period = '65536'] = process.argv
const side = 512
const ring = createRing({ path: path.join(folder, 'frames.ring'), width: side, height: side, slots: 16 })
const layout = prepareFrameLayout({
  roi: { x: 0, y: 0, width: side, height: side },
  binning: 1,
  exposureSeconds: 0.01,
  compression: compression as FrameCompression,
})
const recording = ring.record({
  ...layout,
  path: path.join(folder, 'frames.arrow'),
  keepFreeBytes: 0,
  ...(segmentBytes !== undefined && { segmentBytes: Number(segmentBytes) }),
})
const source = ring.startTestPattern({ frames: 100_000, period: Number(period) }) // as fast as they are written: none is lost, however busy the disk
const report = setInterval(() => process.stdout.write(`${recording.progress().written}\n`), 5)
await source
clearInterval(report)
