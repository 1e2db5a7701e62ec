import { open } from 'node:fs/promises'
import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import type { WallNs } from '../core/time.ts'
import { readExactly } from './arrow-message.ts'
import { openFrameFile } from './frame-file.ts'
import { batchStart } from './frame-index.ts'

export type RoiPoint = { readonly index: number; readonly sequence: number; readonly time: WallNs; readonly mean: number }

const PIXEL_BYTES = Uint16Array.BYTES_PER_ELEMENT

/**
 * The mean of a region in each of the frames `from` (0) up to, not including, `to` (all): two small reads a frame, of the rows that the region has, however large
 * the recording is. `region` counts pixels of the frames as they were recorded. Throws InvalidValue for one that is empty or leaves the frame.
 */
export async function* readRoiSeries(
  recording: string,
  region: Roi,
  range: { readonly from?: number; readonly to?: number } = {},
  signal?: AbortSignal,
): AsyncGenerator<RoiPoint> {
  await using frames = await openFrameFile(recording)
  const { layout } = frames
  checkRegion(region, layout)
  const to = Math.min(range.to ?? Number.POSITIVE_INFINITY, await frames.count())
  const file = await open(recording, 'r')
  try {
    for (let index = range.from ?? 0; index < to; index += 1) {
      signal?.throwIfAborted()
      const { sequence, time } = await frames.label(index)
      const first = (region.y * layout.width + region.x) * PIXEL_BYTES
      const bytes = ((region.height - 1) * layout.width + region.width) * PIXEL_BYTES // from its first pixel to its last
      const rows = await readExactly(file, batchStart(layout, index) + layout.pixelOffset + first, bytes)
      yield { index, sequence, time, mean: meanOf(new Uint16Array(rows.buffer), region, layout.width) }
    }
  } finally {
    await file.close()
  }
}

function meanOf(rows: Uint16Array, { width, height }: Roi, step: number): number {
  let sum = 0
  for (let row = 0; row < height; row += 1) for (let at = row * step; at < row * step + width; at += 1) sum += rows[at] ?? 0
  return sum / (width * height)
}

function checkRegion(region: Roi, frame: { readonly width: number; readonly height: number }): void {
  const { x, y, width, height } = region
  const whole = [x, y, width, height].every((side) => Number.isSafeInteger(side) && side >= 0)
  if (!whole || width === 0 || height === 0 || x + width > frame.width || y + height > frame.height)
    throw new InvalidValue(`the region ${JSON.stringify(region)} must lie inside a frame of ${frame.width} x ${frame.height}`, ['region'])
}
