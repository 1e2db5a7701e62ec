import { mkdtemp, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FrameCompression } from '../core/frame.ts'
import { loadPvcam, pvcamSimulatorPath } from '../native/devices.ts'
import { createRing, plainWrite } from '../native/files.ts'
import { prepareFrameLayout } from '../storage/frame-heads.ts'
import { median, say } from './report.ts'

/**
 * Frames to disk as a share of the plain sequential write rate of the same bytes to the same disk in the same run: O_DIRECT from one buffer in large pages, which
 * is the fastest way that we found (small pages, as dd has them, are up to a fifth slower), and a sync at the end; orders alternated, medians compared. Frames of a
 * large camera and small ones; past the page cache or through it; one frame a write or many. The ring is full before the clock starts, so that the writer is timed
 * and not the source, which from then on draws one row a frame beside it (one whole frame at first). Then what compression does to the picture of the simulated
 * camera. `node --import tsx bench/frames.ts [folder]`
 */
type Size = { readonly side: number; readonly frames: number; readonly slots: number }
type Way = { readonly name: string; readonly writeBytes?: number; readonly buffered?: boolean }

const ROUNDS = 5
const SIZES: readonly Size[] = [
  { side: 2048, frames: 250, slots: 32 }, // 2.1 GB: longer than any cache of the disk that we met
  { side: 256, frames: 8_000, slots: 512 }, // 1.1 GB
  { side: 64, frames: 50_000, slots: 1024 }, // 0.6 GB, a third of it heads
]
const ONE_FRAME = 1
const WAYS: readonly Way[] = [
  { name: 'direct, frames together up to 8 MiB' },
  { name: 'direct, frames together up to 1 MiB', writeBytes: 2 ** 20 },
  { name: 'direct, each frame by itself', writeBytes: ONE_FRAME },
  { name: 'buffered, frames together up to 8 MiB', buffered: true },
]
const PLAIN_WRITE_BYTES = 8 * 2 ** 20
const KEEP_FREE_BYTES = 1e9
const FILL_POLL_MS = 5
const FILL_WITHIN_MS = 30_000 // 270 MB of memory, on a busy machine
const SCENE_FRAMES = 100

const folder = await mkdtemp(path.join(process.argv[2] ?? process.cwd(), '.bench-frames-'))
const target = path.join(folder, 'frames.arrow')
const layoutOf = (side: number, compression: FrameCompression = 'NONE') =>
  prepareFrameLayout({ roi: { x: 0, y: 0, width: side, height: side }, binning: 1, exposureSeconds: 0.01, compression })

/** MB/s of as many bytes as the recording has, in writes that are large and in order. */
async function plain({ side, frames }: Size): Promise<number> {
  const count = Math.round((layoutOf(side).batchBytes * frames) / PLAIN_WRITE_BYTES)
  const file = path.join(folder, 'plain')
  const { seconds } = await plainWrite(file, PLAIN_WRITE_BYTES, count)
  await rm(file)
  return (PLAIN_WRITE_BYTES * count) / seconds / 1e6
}

async function recorded({ side, frames, slots }: Size, { writeBytes, buffered }: Way): Promise<number> {
  const layout = layoutOf(side)
  await using ring = createRing({ path: '/dev/shm/kymograph-bench.ring', width: side, height: side, slots })
  const pattern = ring.startTestPattern({ frames: frames + slots - 1 }) // it waits with one slot free until somebody records
  const giveUp = AbortSignal.timeout(FILL_WITHIN_MS)
  while (ring.published < slots - 1) await pause(FILL_POLL_MS, undefined, { signal: giveUp })
  const start = performance.now()
  const options = { ...layout, path: target, frames, keepFreeBytes: KEEP_FREE_BYTES }
  const recording = ring.record({ ...options, ...(writeBytes !== undefined && { writeBytes }), ...(buffered !== undefined && { buffered }) })
  const end = await recording.ended
  const seconds = (performance.now() - start) / 1000
  await pattern
  if (end.written !== frames || end.dropped !== 0) throw new Error(`${end.written} of ${frames} frames written, ${end.dropped} dropped: ${end.reason ?? ''}`)
  await forget()
  return (layout.batchBytes * frames) / seconds / 1e6
}

async function forget(): Promise<void> {
  for (const file of [target, `${target}.index`]) await rm(file)
}

async function compareWays(size: Size): Promise<void> {
  const rates = new Map<string, number[]>([['plain', []], ...WAYS.map(({ name }): [string, number[]] => [name, []])])
  const turns = [{ name: 'plain', run: () => plain(size) }, ...WAYS.map((way) => ({ name: way.name, run: () => recorded(size, way) }))]
  for (let round = 0; round < ROUNDS; round += 1) for (const { name, run } of round % 2 === 0 ? turns : turns.toReversed()) rates.get(name)?.push(await run())
  const yardstick = median(rates.get('plain') ?? [])
  say(`${size.frames} frames of ${size.side} x ${size.side} x 16 bit, ${ROUNDS} rounds`)
  for (const [name, measured] of rates) {
    const rate = median(measured)
    say(
      `  ${name.padEnd(40)}${rate.toFixed(0).padStart(6)} MB/s ${((100 * rate) / yardstick).toFixed(1).padStart(6)} %   (${measured.map((each) => each.toFixed(0)).join(' ')})`,
    )
  }
}

/** As fast as the ring's threads take frames that have the simulated camera's picture in them. */
async function compressScene(compression: Exclude<FrameCompression, 'NONE'>): Promise<void> {
  await using pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
  await using camera = await pvcam.open((await pvcam.cameras())[0] ?? '')
  const { sensorWidth: width, sensorHeight: height } = camera
  const roi = { x: 0, y: 0, width, height }
  await using _ring = await camera.start({ roi, binning: 1, exposureSeconds: 0.001, ringPath: '/dev/shm/kymograph-bench.ring', ringSlots: 64 })
  const layout = prepareFrameLayout({ roi, binning: 1, exposureSeconds: 0.001, compression })
  const before = process.cpuUsage()
  const start = performance.now()
  const end = await camera.record({ ...layout, path: target, frames: SCENE_FRAMES, keepFreeBytes: KEEP_FREE_BYTES }).ended
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  await camera.stop()
  const raw = SCENE_FRAMES * width * height * 2
  const { size } = await stat(target)
  await forget()
  say(
    `  ${compression.padEnd(5)} to ${((100 * size) / raw).toFixed(1)} % of its size; ${(raw / seconds / 1e6).toFixed(0)} MB/s came, ${end.dropped} dropped; ` +
      `${((user + system) / 1e6).toFixed(2)} s of the processor for ${(raw / 1e6).toFixed(0)} MB, the drawing of the picture included`,
  )
}

try {
  for (const size of SIZES) await compareWays(size)
  say(`${SCENE_FRAMES} frames of the simulated camera`)
  for (const compression of ['LZ4', 'ZSTD'] as const) await compressScene(compression)
} finally {
  await rm(folder, { recursive: true, force: true })
}
