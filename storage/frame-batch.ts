import type { FrameLayout } from '../core/frame.ts'
import type { WallNs } from '../core/time.ts'
import { decompressBody } from '../native/files.ts'
import { compressedPixelBytes, hasHardwareTime } from './frame-index.ts'

/** What stands in one batch of a recording of frames. */

export type FrameLabel = {
  readonly index: number
  /** The camera's own count; a gap is a frame that is missing here. */
  readonly sequence: number
  /** Host clock at the end of the exposure. */
  readonly time: WallNs
  /** The camera's clock then, from a start of its own; absent where it has none. */
  readonly hardwareTimeNs?: bigint
  readonly exposureNs: bigint
}
export type RecordedFrame = FrameLabel & { readonly pixels: Uint16Array }

const LENGTH_BYTES = 8
const AS_IT_IS = -1n // where compression would have made it longer

export function labelIn(layout: FrameLayout, index: number, batch: Uint8Array<ArrayBuffer>): FrameLabel {
  const view = new DataView(batch.buffer)
  const { sequenceOffset, timeOffset, hardwareTimeOffset, exposureOffset } = layout
  return {
    index,
    sequence: Number(view.getBigUint64(sequenceOffset, true)),
    time: view.getBigInt64(timeOffset, true),
    ...(hasHardwareTime(layout, batch) && { hardwareTimeNs: view.getBigInt64(hardwareTimeOffset, true) }),
    exposureNs: view.getBigInt64(exposureOffset, true),
  }
}

/** Of a batch that begins its buffer: a view of it, or of a compressed one `into`, or a new array. */
export async function pixelsIn(layout: FrameLayout, batch: Uint8Array<ArrayBuffer>, into?: Uint16Array<ArrayBuffer>): Promise<Uint16Array> {
  const { pixelOffset, width, height, compressed } = layout
  if (compressed === undefined) return new Uint16Array(batch.buffer, pixelOffset, width * height)
  const from = pixelOffset + LENGTH_BYTES
  if (new DataView(batch.buffer).getBigInt64(pixelOffset, true) === AS_IT_IS) return new Uint16Array(batch.buffer, from, width * height)
  const pixels = into ?? new Uint16Array(width * height)
  await decompressBody(compressed.codec, batch.subarray(from, pixelOffset + compressedPixelBytes(compressed, batch)), pixels)
  return pixels
}
