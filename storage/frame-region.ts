import type { Roi } from '../core/device.ts'
import { InvalidValue, Problem } from '../core/errors.ts'
import { regionPixels } from '../native/files.ts'
import type { RecordedFrame } from './frame-batch.ts'
import type { FrameFile } from './frame-file.ts'

/** Rectangles of recorded frames. They count pixels of the frames as they were recorded, not of the sensor. */

export type FrameSize = { readonly width: number; readonly height: number }

/** The region, or the whole frame where there is none. Throws InvalidValue for one that is empty or leaves the frame. */
export function checkedRegion(region: Roi | undefined, frame: FrameSize): Roi {
  if (region === undefined) return { x: 0, y: 0, width: frame.width, height: frame.height }
  const { x, y, width, height } = region
  const whole = [x, y, width, height].every((side) => Number.isSafeInteger(side) && side >= 0)
  if (!whole || width === 0 || height === 0 || x + width > frame.width || y + height > frame.height)
    throw new InvalidValue(
      `roi: x ${x}, y ${y}, width ${width}, height ${height} must be whole numbers and lie inside a frame of ${frame.width} x ${frame.height}`,
      ['roi'],
    )
  return region
}

/** The frame, checked against its checksum where one has been kept. Throws HardwareFault for one that is not what was recorded. */
export async function soundFrame(file: FrameFile, index: number): Promise<RecordedFrame & { readonly checked: boolean }> {
  try {
    return { ...(await file.checkedFrame(index)), checked: true }
  } catch (error) {
    if (error instanceof Problem && error.code === 'NOT_FOUND') return { ...(await file.frame(index)), checked: false }
    throw error
  }
}

export function isWhole(region: Roi, frame: FrameSize): boolean {
  return region.width === frame.width && region.height === frame.height
}

export type RegionFrames = { readonly frames: number; readonly pixels: Uint16Array }

/**
 * A region of up to `most` frames, `step` apart, from `index` on: at least of one. Where the pixels stand in the file as they are, only the rows of the region are
 * read, unchecked, for a checksum is of a whole frame; of whole frames each is checked. Throws NotFound beyond the last frame.
 */
export async function readRegion(file: FrameFile, region: Roi, index: number, step: number, most: number): Promise<RegionFrames> {
  const { width } = file.layout
  const run = isWhole(region, file.layout) ? undefined : await file.pixelRun(index)
  if (run === undefined) return readWholeFrames(file, region, Math.min(most, Math.ceil(((await file.count()) - index) / step)), (at) => index + at * step)
  const frames = Math.min(most, Math.ceil(run.frames / step))
  return {
    frames,
    pixels: await regionPixels({ path: run.path, offset: run.offset, step: run.step * step, frames, frameWidth: width, ...region, mapped: true }),
  }
}

/** Read together, and uncompressed together where they are compressed. */
const FRAMES_AT_ONCE = 16
const BYTES_AT_ONCE = 32 * 1024 * 1024 // and no more of large ones

async function readWholeFrames(file: FrameFile, region: Roi, frames: number, indexOf: (at: number) => number): Promise<RegionFrames> {
  const { width, height } = file.layout
  const together = Math.floor(BYTES_AT_ONCE / (width * height * Uint16Array.BYTES_PER_ELEMENT))
  const count = Math.max(1, Math.min(frames, FRAMES_AT_ONCE, together))
  if (count === 1) return { frames: 1, pixels: cut((await soundFrame(file, indexOf(0))).pixels, region, width) }
  const size = region.width * region.height
  const pixels = new Uint16Array(count * size)
  const copy = async (at: number): Promise<void> => pixels.set(cut((await soundFrame(file, indexOf(at))).pixels, region, width), at * size)
  await Promise.all(Array.from({ length: count }, (_, at) => copy(at)))
  return { frames: count, pixels }
}

/** `step`: pixels from one row to the next. */
function cut(pixels: Uint16Array, { x, y, width, height }: Roi, step: number): Uint16Array {
  if (width === step && height * step === pixels.length) return pixels
  const region = new Uint16Array(width * height)
  for (let row = 0; row < height; row += 1) {
    const from = (y + row) * step + x
    region.set(pixels.subarray(from, from + width), row * width)
  }
  return region
}

/** The rounded mean of each square of `bin` x `bin` pixels; what is left over at the right and at the bottom is left out. */
export function binned(pixels: Uint16Array, { width, height }: FrameSize, bin: number): Uint16Array {
  if (bin === 1) return pixels
  const [columns, rows] = [Math.floor(width / bin), Math.floor(height / bin)]
  const means = new Uint16Array(columns * rows)
  const sums = new Float64Array(columns)
  for (let row = 0; row < rows; row += 1) {
    sums.fill(0)
    for (let y = row * bin; y < (row + 1) * bin; y += 1)
      for (let column = 0, at = y * width; column < columns; column += 1)
        for (const end = at + bin; at < end; at += 1) sums[column] = (sums[column] ?? 0) + (pixels[at] ?? 0)
    for (let column = 0; column < columns; column += 1) means[row * columns + column] = Math.round((sums[column] ?? 0) / (bin * bin))
  }
  return means
}
