import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { FrameRecording } from '../../core/frame.ts'
import { loadPvcam, openComedi, pvcamSimulatorPath } from '../../native/devices.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'

/** Leaves while a camera records, and a board, which acquires, hangs in one of its calls: the camera must be stopped all the same, and the process end. */
const [, , folder = '', boardLibrary = ''] = process.argv
setTimeout(() => process.exit(1), 30_000) // a call to a board keeps no process alive: whoever waits has a deadline of his own
const roi = { x: 0, y: 0, width: 512, height: 512 }
const layout = prepareFrameLayout({ roi, binning: 1, exposureSeconds: 0.005 })
const pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
const recordings: FrameRecording[] = []
const board = await openComedi(boardLibrary, '/dev/comedi0')
for (const name of await pvcam.cameras()) {
  const camera = await pvcam.open(name)
  await camera.start({ roi, binning: 1, exposureSeconds: 0.005, ringPath: path.join(folder, `${name}.ring`), ringSlots: 8 })
  recordings.push(camera.record({ ...layout, path: path.join(folder, `${name}.arrow`), keepFreeBytes: 0 }))
  // Some stops are before the board's and some after it, whatever order they have.
  if (recordings.length === 1)
    await board.acquire({ subdevice: 0, channels: [{ channel: 0, range: 0, reference: 0 }], scanIntervalNs: 100_000, bufferScans: 1_000_000 })
}
await until(() => recordings.every((recording) => recording.progress().written > 5))

const fault = path.join(`${boardLibrary}.faults`, '1')
await mkdir(path.dirname(fault))
await writeFile(fault, 'late 60000')
void board.readLine({ subdevice: 2, line: 0 })
await until(() => !existsSync(fault), { what: 'the board to hang' })
process.stdout.write('hangs\n')
process.exit(0)
