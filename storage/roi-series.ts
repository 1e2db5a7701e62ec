import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import { regionSeries } from '../native/files.ts'
import type { FrameFile } from './frame-file.ts'
import { checkedRegion, isWhole, type RegionFrames, readRegion } from './frame-region.ts'
import { cellsOf } from './frame-table.ts'

/** Numbers of a region in one frame after the other, however large the recording is. */

export type FrameReduction = 'MEAN' | 'SUM' | 'MIN' | 'MAX'
export type RoiNumbers = { readonly index: number; readonly minimum: number; readonly maximum: number; readonly sum: number; readonly mean: number }
/** Every `step`-th (1) of the frames `from` (0) up to, not including, `to` (all). */
export type FrameRange = { readonly from?: number | undefined; readonly to?: number | undefined; readonly step?: number | undefined }
export type CheckedFrames = { readonly from: number; readonly to: number; readonly step: number; readonly frames: number }

/** Of one native call: how long a cancelled reader may still go on, and what may be in the page cache at once on its behalf. */
const CHUNK_BYTES = 32 * 1024 * 1024
const CHUNK_FRAMES = 4_096
const CHUNK_CELLS = 1_024 // frames whose columns are read, which are many small reads
const NUMBERS = 3 // a frame of a native answer: minimum, maximum, sum

/** A range as a recording of `count` frames has it; what is beyond its end is left out. Throws InvalidValue for one that is none. */
export function checkedFrames({ from = 0, to, step = 1 }: FrameRange, count: number): CheckedFrames {
  const end = Math.min(to ?? count, count)
  for (const [name, value, least] of [
    ['from', from, 0],
    ['to', to ?? count, from],
    ['step', step, 1],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidValue(`${name}: ${value} is not a whole number from ${least}; there are ${count} frames`, [name])
  return { from, to: Math.max(from, end), step, frames: Math.max(0, Math.ceil((end - from) / step)) }
}

/**
 * Minimum, maximum, sum and mean of a region in each frame of the range. Of whole frames they were taken while they were recorded and stand beside the pixels. Of a
 * region its rows are mapped and looked at by a native thread, and nothing else of the file is touched; a compressed recording is read frame by frame. Pixels of
 * a region are not checked against checksums, which are of whole frames. Throws InvalidValue for a region that is empty or leaves the frame.
 */
export async function* readRoiSeries(
  file: FrameFile,
  roi: Roi | undefined,
  range: FrameRange = {},
  signal?: AbortSignal,
): AsyncGenerator<readonly RoiNumbers[]> {
  const region = checkedRegion(roi, file.layout)
  const { from, to, step } = checkedFrames(range, await file.count())
  const read = statisticsReader(file, region) ?? regionReader(file, region)
  for (let index = from; index < to; ) {
    signal?.throwIfAborted()
    const numbers = await read(index, step, Math.ceil((to - index) / step))
    yield numbers
    index += numbers.length * step
  }
}

/** The numbers of some of `frames` frames, `step` apart, from `first` on: at least of one. */
type Reader = (first: number, step: number, frames: number) => Promise<readonly RoiNumbers[]>

/** From the columns of the recording; undefined where they are not of this region, or there are none. */
function statisticsReader(file: FrameFile, region: Roi): Reader | undefined {
  const places = ['minimum', 'maximum', 'mean'].map((name) => file.columns.findIndex((column) => column.name === name))
  if (!isWhole(region, file.layout) || places.includes(-1)) return undefined
  const pixels = region.width * region.height
  return async (first, step, frames) => {
    const indices = Array.from({ length: Math.min(CHUNK_CELLS, frames) }, (_, at) => first + at * step)
    return (await cellsOf(file, indices)).map((cells, at): RoiNumbers => {
      const [minimum = 0, maximum = 0, mean = 0] = places.map((place) => Number(cells[place]))
      return { index: first + at * step, minimum, maximum, mean, sum: Math.round(mean * pixels) }
    })
  }
}

function regionReader(file: FrameFile, region: Roi): Reader {
  const { width: frameWidth } = file.layout
  const pixels = region.width * region.height
  const most = Math.min(CHUNK_FRAMES, Math.max(1, Math.floor(CHUNK_BYTES / (region.height * frameWidth * Uint16Array.BYTES_PER_ELEMENT))))
  return async (first, step, frames) => {
    const run = await file.pixelRun(first)
    const count = Math.min(most, frames, Math.ceil((run?.frames ?? frames) / step))
    const numbers =
      run === undefined
        ? numbersIn(await readRegion(file, region, first, step, count))
        : await regionSeries({ path: run.path, offset: run.offset, step: run.step * step, frames: count, frameWidth, ...region, mapped: true })
    return Array.from({ length: numbers.length / NUMBERS }, (_, at): RoiNumbers => {
      const [minimum = 0, maximum = 0, sum = 0] = numbers.subarray(at * NUMBERS, (at + 1) * NUMBERS)
      return { index: first + at * step, minimum, maximum, sum, mean: sum / pixels }
    })
  }
}

export function reductionOf({ minimum, maximum, sum, mean }: RoiNumbers, reduce: FrameReduction): number {
  return { MEAN: mean, SUM: sum, MIN: minimum, MAX: maximum }[reduce]
}

function numbersIn({ frames, pixels }: RegionFrames): Float64Array {
  const numbers = new Float64Array(frames * NUMBERS)
  const size = pixels.length / frames
  for (let frame = 0; frame < frames; frame += 1) {
    let [minimum, maximum, sum] = [0xffff, 0, 0]
    for (const pixel of pixels.subarray(frame * size, (frame + 1) * size)) {
      if (pixel < minimum) minimum = pixel
      if (pixel > maximum) maximum = pixel
      sum += pixel
    }
    numbers.set([minimum, maximum, sum], frame * NUMBERS)
  }
  return numbers
}
