import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createRing, plainWrite } from '../native/files.ts'
import { prepareFrameLayout } from '../storage/frame-heads.ts'
import { median, say } from './report.ts'

/**
 * Frames to disk as a share of the plain sequential write rate of the same bytes to the same disk in the same run, both with O_DIRECT and a sync at the end;
 * orders alternated, medians compared. The ring is full before the clock starts, so that the writer is timed and not the source, which from then on draws one
 * row a frame beside it (one whole frame at first). `node --import tsx bench/frames.ts [folder]`
 */
const SIDE = 2048
const FRAMES = 250 // 2.1 GB: longer than any cache of the disk that we met
const ROUNDS = 5
const RING_SLOTS = 32
const KEEP_FREE_BYTES = 1e9
const FILL_POLL_MS = 5
const FILL_WITHIN_MS = 30_000 // 270 MB of memory, on a busy machine

const folder = await mkdtemp(path.join(process.argv[2] ?? process.cwd(), '.bench-frames-'))
const layout = prepareFrameLayout({ roi: { x: 0, y: 0, width: SIDE, height: SIDE }, binning: 1, exposureSeconds: 0.01 })

async function plain(): Promise<number> {
  const file = path.join(folder, 'plain')
  const { seconds } = await plainWrite(file, layout.batchBytes, FRAMES)
  await rm(file)
  return (layout.batchBytes * FRAMES) / seconds / 1e6
}

async function recorded(): Promise<number> {
  await using ring = createRing({ path: '/dev/shm/kymograph-bench.ring', width: SIDE, height: SIDE, slots: RING_SLOTS })
  const file = path.join(folder, 'frames.arrow')
  const pattern = ring.startTestPattern({ frames: FRAMES + RING_SLOTS - 1 }) // it waits with one slot free until somebody records
  const giveUp = AbortSignal.timeout(FILL_WITHIN_MS)
  while (ring.published < RING_SLOTS - 1) await pause(FILL_POLL_MS, undefined, { signal: giveUp })
  const start = performance.now()
  const recording = ring.record({ ...layout, path: file, frames: FRAMES, keepFreeBytes: KEEP_FREE_BYTES })
  const end = await recording.ended
  const seconds = (performance.now() - start) / 1000
  await pattern
  if (end.written !== FRAMES || end.dropped !== 0) throw new Error(`${end.written} of ${FRAMES} frames written, ${end.dropped} dropped: ${end.reason ?? ''}`)
  await rm(file)
  return (layout.batchBytes * FRAMES) / seconds / 1e6
}

try {
  const rates = { plain: [] as number[], recorded: [] as number[] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? (['plain', 'recorded'] as const) : (['recorded', 'plain'] as const)
    for (const which of order) rates[which].push(await (which === 'plain' ? plain() : recorded()))
  }
  say(`frames to disk, ${FRAMES} frames of ${SIDE} x ${SIDE} x 16 bit, ${ROUNDS} rounds`)
  say(`plain O_DIRECT write  ${median(rates.plain).toFixed(0)} MB/s  (${rates.plain.map((rate) => rate.toFixed(0)).join(' ')})`)
  say(`recording             ${median(rates.recorded).toFixed(0)} MB/s  (${rates.recorded.map((rate) => rate.toFixed(0)).join(' ')})`)
  say(`share                 ${((100 * median(rates.recorded)) / median(rates.plain)).toFixed(1)} %`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
