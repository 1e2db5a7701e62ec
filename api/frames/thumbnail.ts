import type { CameraState } from '../../core/device.ts'
import { DeadlineExceeded } from '../../core/errors.ts'
import { FRAME_BIN, type FrameHeader, type FrameQuality } from '../../core/frame.ts'
import { pictureRegion } from '../../core/frame-region.ts'
import { renderPng } from '../../storage/png.ts'
import type { TappedFrame } from './follow.ts'
import type { FrameTaps } from './taps.ts'

/** A camera that has a frame has shown it by then; one that has none yet may take its whole exposure. */
const FRAME_WITHIN_MS = 3_000
const TAP_RATE_HZ = 1 // many who ask at once, as a page does, get the same frame
export const MAX_THUMBNAIL_SIDE = 1024 // what is larger is a picture: over the WebSocket

/** The newest frame as a PNG, from its darkest to its brightest, neither side longer than `maxSide`. Throws DeadlineExceeded when the camera gives none. */
export async function thumbnail(
  { deviceId, maxSide }: { readonly deviceId: string; readonly maxSide: number },
  camera: CameraState,
  taps: FrameTaps,
): Promise<{ readonly header: FrameHeader; readonly png: Uint8Array }> {
  const { header, pixels } = await newest(deviceId, qualityFor(camera, maxSide), taps)
  const aligned = Uint8Array.from(pixels) // as it came over the link it may begin anywhere
  const { width, height, minimum, maximum } = header
  return { header, png: await renderPng(new Uint16Array(aligned.buffer), { width, height }, { minimum, maximum, maxSide }) }
}

/** The smallest that has as many pixels as are to be shown. */
export function qualityFor({ roi, binning }: Pick<CameraState, 'roi' | 'binning'>, maxSide: number): FrameQuality {
  const enough = (quality: FrameQuality): boolean => {
    const shown = pictureRegion({ roi, binning: binning.x }, FRAME_BIN[quality])?.pixels
    return shown !== undefined && Math.max(shown.width, shown.height) / FRAME_BIN[quality] >= maxSide
  }
  return (['FAST', 'PREVIEW'] as const).find(enough) ?? 'FULL'
}

async function newest(deviceId: string, quality: FrameQuality, taps: FrameTaps): Promise<TappedFrame> {
  let leave = (): void => undefined
  let late: NodeJS.Timeout | undefined
  try {
    return await new Promise<TappedFrame>((resolve, reject) => {
      let reason = 'it does not stream'
      late = setTimeout(() => reject(new DeadlineExceeded(`the camera has shown no frame: ${reason}`, FRAME_WITHIN_MS, 'NONE')), FRAME_WITHIN_MS)
      leave = taps.watch(
        { deviceId, maxRateHz: TAP_RATE_HZ, view: { quality, compression: 'NONE' } },
        {
          frame: resolve,
          waiting(why) {
            reason = why
          },
        },
      )
    })
  } finally {
    clearTimeout(late)
    leave()
  }
}
