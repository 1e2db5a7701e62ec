import { ok } from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createRing } from '../../native/files.ts'
import { damagedFrames } from '../../storage/frame-checks.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'

/**
 * Records on a disk that is too small, and prints what came of it. Arguments: the disk's folder, a folder for the ring, bytes of a segment (0: one file), whether
 * somebody else takes all the room that is left once the recording runs.
 */
const SIDE = 512
const SLOTS = 32
const FRAMES = 100 // 52 MB
const RATE_HZ = 100
const DISK_BYTES = 200e6 // at least
const [, , disk = '', elsewhere = '', segmentBytes = '0', others = 'no'] = process.argv
const target = path.join(disk, 'frames.arrow')
await using ring = createRing({ path: path.join(elsewhere, 'frames.ring'), width: SIDE, height: SIDE, slots: SLOTS })
const recording = ring.record({
  ...prepareFrameLayout({ roi: { x: 0, y: 0, width: SIDE, height: SIDE }, binning: 1, exposureSeconds: 0.01 }),
  path: target,
  keepFreeBytes: 0,
  ...(segmentBytes !== '0' && { segmentBytes: Number(segmentBytes) }),
})
const source = ring.startTestPattern({ frames: FRAMES, rateHz: RATE_HZ })
await until(() => recording.progress().written > 0 || recording.progress().state !== 'running')
if (others === 'yes') await writeFile(path.join(disk, 'others'), Buffer.alloc(DISK_BYTES)).catch((error: NodeJS.ErrnoException) => ok(error.code === 'ENOSPC'))
const { bytes: _, ...end } = await recording.ended
await source
const files = (await readdir(disk)).filter((name) => name !== 'others').toSorted()
const found = files.length > 0 ? await readBack() : {}
process.stdout.write(`${JSON.stringify({ ...end, files, ...found })}\n`)

async function readBack() {
  await using file = await openFrameFile(target)
  const frames = await file.count()
  const damaged: number[] = []
  for await (const frame of damagedFrames(target)) damaged.push(frame)
  return { frames, damaged }
}
