import { open } from 'node:fs/promises'
import type { FrameLayout } from '../../core/frame.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'

export type PixelOf = (frame: number, pixel: number) => number

/** Writes a recording of frames as the native writer does, one batch a frame. */
export async function writeFrames(
  path: string,
  width: number,
  height: number,
  count: number,
  pixelOf: PixelOf = (frame, pixel) => (frame * 7 + pixel) & 0xffff,
): Promise<void> {
  const layout = prepareFrameLayout({ roi: { x: 0, y: 0, width, height }, binning: 1, exposureSeconds: 0.01 }, { deviceId: 'camera-1' })
  const file = await open(path, 'wx')
  try {
    await file.write(layout.schemaMessage)
    const batch = new Uint8Array(layout.batchBytes)
    batch.set(layout.batchHead)
    batch.set(layout.constants, layout.constantsOffset)
    const view = new DataView(batch.buffer)
    const pixels = new Uint16Array(batch.buffer, layout.pixelOffset, width * height)
    for (let frame = 0; frame < count; frame += 1) {
      view.setBigUint64(layout.sequenceOffset, BigInt(frame), true)
      view.setBigInt64(layout.timeOffset, 1_700_000_000_000_000_000n + BigInt(frame), true)
      if (frame < 4 || width * height < 100_000) {
        for (let pixel = 0; pixel < pixels.length; pixel += 1) pixels[pixel] = pixelOf(frame, pixel)
        writeStatistics(view, layout, pixels)
      }
      await file.write(batch)
    }
    await file.write(layout.endOfStream)
  } finally {
    await file.close()
  }
}

function writeStatistics(view: DataView, { statistics }: FrameLayout, pixels: Uint16Array): void {
  if (statistics === undefined) return
  let [minimum, maximum, sum] = [0xffff, 0, 0]
  for (const pixel of pixels) {
    minimum = Math.min(minimum, pixel)
    maximum = Math.max(maximum, pixel)
    sum += pixel
  }
  view.setUint16(statistics.minimumOffset, minimum, true)
  view.setUint16(statistics.maximumOffset, maximum, true)
  view.setFloat64(statistics.meanOffset, sum / pixels.length, true)
}
