import type { CameraState } from '../../core/device.ts'
import { LimitViolation } from '../../core/errors.ts'
import { type FrameView, MAX_FRAME_RATE_HZ, MIN_FRAME_RATE_HZ } from '../../core/frame.ts'
import { checkRegion } from '../../core/frame-region.ts'
import { MAX_THUMBNAIL_SIDE } from './thumbnail.ts'
import type { FrameRequest } from './ticket.ts'

/** Throws LimitViolation for a rate, or a region of the sensor, that there is not. Whether the camera reads the region out can change, and is told while it is watched. */
export function frameRequest(deviceId: string, camera: CameraState, view: FrameView, maxRateHz: number): FrameRequest {
  if (view.roi !== undefined) checkRegion(view.roi, camera)
  return { deviceId, maxRateHz: checkedRate(maxRateHz), view }
}

export function checkedRate(maxRateHz: number): number {
  if (!(maxRateHz >= MIN_FRAME_RATE_HZ && maxRateHz <= MAX_FRAME_RATE_HZ))
    throw new LimitViolation('maxRateHz', maxRateHz, MIN_FRAME_RATE_HZ, MAX_FRAME_RATE_HZ, 'Hz')
  return maxRateHz
}

export function checkedSide(maxSide: number): number {
  if (!(maxSide >= 1 && maxSide <= MAX_THUMBNAIL_SIDE)) throw new LimitViolation('maxSide', maxSide, 1, MAX_THUMBNAIL_SIDE, undefined)
  return maxSide
}
