import { type FileHandle, open } from 'node:fs/promises'
import type { Roi } from '../core/device.ts'
import { InvalidValue, NotFound, Problem } from '../core/errors.ts'
import { readExactly } from './arrow-message.ts'
import type { FrameFile, PixelRun, RecordedFrame } from './frame-file.ts'

/** Rectangles of recorded frames. They count pixels of the frames as they were recorded, not of the sensor. */

export type FrameSize = { readonly width: number; readonly height: number }
const PIXEL_BYTES = Uint16Array.BYTES_PER_ELEMENT

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

type OpenRun = PixelRun & { readonly first: number; readonly handle: FileHandle }

/**
 * Reads a region of one frame after the other. Where the pixels stand in the file as they are, only the rows of the region are read, unchecked, for a checksum
 * is of a whole frame; of whole frames each is checked.
 */
export class RegionReader implements AsyncDisposable {
  readonly region: Roi
  readonly #file: FrameFile
  #run: OpenRun | undefined

  constructor(file: FrameFile, region: Roi | undefined) {
    this.region = checkedRegion(region, file.layout)
    this.#file = file
  }

  /** Its pixels, row by row. Throws NotFound beyond the last frame. */
  async read(index: number): Promise<Uint16Array> {
    const { width, height } = this.#file.layout
    if (this.region.width === width && this.region.height === height) return (await soundFrame(this.#file, index)).pixels
    const run = await this.#runOf(index)
    if (run === undefined) return cut((await soundFrame(this.#file, index)).pixels, this.region, width)
    const { x, y } = this.region
    const bytes = ((this.region.height - 1) * width + this.region.width) * PIXEL_BYTES // from its first pixel to its last
    const rows = await readExactly(run.handle, run.offset + (index - run.first) * run.step + (y * width + x) * PIXEL_BYTES, bytes)
    if (rows.byteLength < bytes) throw new NotFound(`frame ${index} in ${run.path}`)
    return cut(new Uint16Array(rows.buffer, rows.byteOffset, bytes / PIXEL_BYTES), { ...this.region, x: 0, y: 0 }, width)
  }

  async #runOf(index: number): Promise<OpenRun | undefined> {
    const known = this.#run
    if (known !== undefined && index >= known.first && index < known.first + known.frames) return known
    await this[Symbol.asyncDispose]()
    const run = await this.#file.pixelRun(index)
    this.#run = run && { ...run, first: index, handle: await open(run.path, 'r') }
    return this.#run
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const run = this.#run
    this.#run = undefined
    await run?.handle.close()
  }
}

/** `step`: pixels from one row to the next. */
function cut(pixels: Uint16Array, { x, y, width, height }: Roi, step: number): Uint16Array {
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
