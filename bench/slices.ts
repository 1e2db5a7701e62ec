import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { regionSeries } from '../native/files.ts'
import { openFrameFile } from '../storage/frame-file.ts'
import { prepareFrameLayout } from '../storage/frame-heads.ts'
import { npyBytes, readNpy, sliceOf } from '../storage/frame-slice.ts'
import { recoverStream } from '../storage/recover.ts'
import { readRoiSeries } from '../storage/roi-series.ts'
import { median, say } from './report.ts'

/**
 * Reading back from a large recording: the numbers of a region of 64 x 64 in every frame of 2048 x 2048, mapped and read, against reading the whole frames;
 * a slice as it is streamed; and what resident memory grows by meanwhile. The file is in the page cache for both, as far as it fits.
 * `node --import tsx bench/slices.ts [frames] [folder]`
 */
const SIDE = 2048
const ROI = { x: 1000, y: 900, width: 64, height: 64 }
const ROUNDS = 5
const FRAMES = Number(process.argv[2] ?? 500) // 4.2 GB

const folder = await mkdtemp(path.join(process.argv[3] ?? process.cwd(), '.bench-'))
const recording = path.join(folder, 'frames.arrow')

async function write(): Promise<void> {
  const layout = prepareFrameLayout({ roi: { x: 0, y: 0, width: SIDE, height: SIDE }, binning: 1, exposureSeconds: 0.02 })
  const file = await open(recording, 'wx')
  try {
    await file.write(layout.schemaMessage)
    const batch = new Uint8Array(layout.batchBytes)
    batch.set(layout.batchHead)
    batch.set(layout.constants, layout.constantsOffset)
    const view = new DataView(batch.buffer)
    const pixels = new Uint16Array(batch.buffer, layout.pixelOffset, SIDE * SIDE)
    for (let pixel = 0; pixel < pixels.length; pixel += 1) pixels[pixel] = (pixel * 31) & 0xfff
    for (let frame = 0; frame < FRAMES; frame += 1) {
      view.setBigUint64(layout.sequenceOffset, BigInt(frame), true)
      pixels.fill(frame & 0xfff, ROI.y * SIDE, (ROI.y + ROI.height) * SIDE)
      await file.write(batch)
    }
    await file.write(layout.endOfStream)
  } finally {
    await file.close()
  }
}

/** Frames per second, of the rounds' median, and the most that resident memory grew by. */
async function measured(what: string, frames: number, work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss() - before)
  }, 5)
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now()
    await work()
    rates.push(frames / ((performance.now() - start) / 1000))
  }
  clearInterval(watch)
  say(`${what.padEnd(34)} ${median(rates).toFixed(0).padStart(8)} frames/s   resident memory + ${(Math.max(0, most) / 1e6).toFixed(0)} MB`)
  return median(rates)
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}

try {
  await write()
  await recoverStream(recording) // which makes the index, with checksums
  await using file = await openFrameFile(recording)
  say(`${FRAMES} frames of ${SIDE} x ${SIDE} x 16 bit, ${((await stat(recording)).size / 1e9).toFixed(1)} GB; a region of ${ROI.width} x ${ROI.height}`)
  const run = await file.pixelRun(0)
  if (run === undefined) throw new Error('the recording cannot be read in place')
  const place = { path: run.path, offset: run.offset, step: run.step, frames: FRAMES, frameWidth: SIDE, ...ROI }
  const series = await measured('its numbers, as the api reads them', FRAMES, () => drain(readRoiSeries(file, ROI)))
  await measured('one native call, mapped', FRAMES, async () => void (await regionSeries({ ...place, mapped: true })))
  await measured('one native call, read', FRAMES, async () => void (await regionSeries({ ...place, mapped: false })))
  const slice = await sliceOf(file, { roi: ROI })
  await measured('a slice of the region', FRAMES, () => drain(readNpy(file, slice, 0, npyBytes(slice) - 1)))
  const block = await sliceOf(file, {})
  await measured('a slice of everything, checked', FRAMES, () => drain(readNpy(file, block, 0, npyBytes(block) - 1)))
  const whole = await measured('whole frames', FRAMES, () => drain(file.frames()))
  say(`numbers of the region: ${(series / whole).toFixed(0)} times as fast as reading the whole frames`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
