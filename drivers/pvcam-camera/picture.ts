import { FRAME_BIN, type FrameMark, type FramePicture, type FrameView } from '../../core/frame.ts'
import { pictureRegionOrThrow } from '../../core/frame-region.ts'
import type { FrameTap, TapOptions } from '../../native/types.ts'
import type { Configuration } from './protocol.ts'

/** One start of the camera; `number` counts them. */
type Stream = { readonly configuration: Configuration; readonly number: number }

/** What the ring of this stream is to be asked for. Throws InvalidValue for a region of the sensor that it has nothing of. */
export function tapOptions({ configuration, number }: Stream, { quality, roi, compression, headerOnly }: FrameView, after: FrameMark | undefined): TapOptions {
  const bin = FRAME_BIN[quality]
  return {
    bin,
    ...(roi !== undefined && headerOnly !== true && { region: pictureRegionOrThrow(configuration, bin, roi).pixels }),
    compress: compression === 'LZ4',
    pixels: headerOnly !== true,
    ...(after?.stream === number && { after: BigInt(after.sequence) }),
  }
}

export function pictureOf(
  { data, width, height, encoding, timeNs, hardwareTimeNs, exposureNs, index, sequence, minimum, maximum, mean, saturated }: FrameTap,
  { configuration, number }: Stream,
  { quality, roi, headerOnly }: FrameView,
  bitDepth: number,
): FramePicture {
  const bin = FRAME_BIN[quality]
  const header = {
    sequence: Number(sequence),
    time: timeNs,
    ...(hardwareTimeNs !== undefined && { hardwareTime: hardwareTimeNs }),
    width,
    height,
    dtype: 'uint16',
    bitDepth,
    encoding,
    exposureSeconds: Number(exposureNs) / 1e9,
    roi: pictureRegionOrThrow(configuration, bin, headerOnly === true ? undefined : roi).shown,
    bin,
    minimum,
    maximum,
    mean,
    saturated,
    dropped: Number(sequence - index), // before this frame: what the camera has counted meanwhile belongs to later ones
  } as const
  return { header, pixels: data, mark: { stream: number, sequence: header.sequence } }
}
