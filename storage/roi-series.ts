import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import { regionSeries } from '../native/files.ts'
import type { FrameFile } from './frame-file.ts'
import { checkedRegion, readRegion } from './frame-region.ts'

/** Numbers of a region in one frame after the other, however large the recording is. */

export type FrameReduction = 'MEAN' | 'SUM' | 'MIN' | 'MAX'
export type RoiNumbers = { readonly index: number; readonly minimum: number; readonly maximum: number; readonly sum: number; readonly mean: number }
/** Every `step`-th (1) of the frames `from` (0) up to, not including, `to` (all). */
export type FrameRange = { readonly from?: number | undefined; readonly to?: number | undefined; readonly step?: number | undefined }
export type CheckedFrames = { readonly from: number; readonly to: number; readonly step: number; readonly frames: number }

/** Of one native call: how long a cancelled reader may still go on, and what may be in the page cache at once on its behalf. */
const CHUNK_BYTES = 32 * 1024 * 1024
const CHUNK_FRAMES = 4_096
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
 * Minimum, maximum, sum and mean of a region in each frame of the range. The rows of the region are mapped and looked at by a native thread, and nothing else of
 * the file is touched; a compressed recording is read frame by frame. Pixels are not checked against checksums, which are of whole frames. Throws InvalidValue for
 * a region that is empty or leaves the frame.
 */
export async function* readRoiSeries(
  file: FrameFile,
  roi: Roi | undefined,
  range: FrameRange = {},
  signal?: AbortSignal,
): AsyncGenerator<readonly RoiNumbers[]> {
  const region = checkedRegion(roi, file.layout)
  const { from, to, step } = checkedFrames(range, await file.count())
  const pixels = region.width * region.height
  const spanBytes = region.height * file.layout.width * Uint16Array.BYTES_PER_ELEMENT
  const chunk = Math.min(CHUNK_FRAMES, Math.max(1, Math.floor(CHUNK_BYTES / spanBytes)))
  for (let index = from; index < to; ) {
    signal?.throwIfAborted()
    const run = await file.pixelRun(index)
    const frames = Math.min(chunk, Math.ceil((Math.min(to, index + (run?.frames ?? 1)) - index) / step))
    const numbers =
      run === undefined
        ? await readNumbers(file, region, index)
        : await regionSeries({ path: run.path, offset: run.offset, step: run.step * step, frames, frameWidth: file.layout.width, ...region, mapped: true })
    const first = index
    yield Array.from({ length: frames }, (_, at): RoiNumbers => {
      const [minimum = 0, maximum = 0, sum = 0] = numbers.subarray(at * NUMBERS, (at + 1) * NUMBERS)
      return { index: first + at * step, minimum, maximum, sum, mean: sum / pixels }
    })
    index += frames * step
  }
}

export function reductionOf({ minimum, maximum, sum, mean }: RoiNumbers, reduce: FrameReduction): number {
  return { MEAN: mean, SUM: sum, MIN: minimum, MAX: maximum }[reduce]
}

async function readNumbers(file: FrameFile, region: Roi, index: number): Promise<Float64Array> {
  let minimum = 0xffff
  let maximum = 0
  let sum = 0
  for (const pixel of (await readRegion(file, region, index, 1, 1)).pixels) {
    if (pixel < minimum) minimum = pixel
    if (pixel > maximum) maximum = pixel
    sum += pixel
  }
  return Float64Array.of(minimum, maximum, sum)
}
