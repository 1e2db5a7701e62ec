import type { Roi } from './device.ts'
import { InvalidValue, LimitViolation } from './errors.ts'

/** How a camera is set: what of its sensor it reads out, in sensor pixels, and how many of these, across and down, are one pixel of its frames. */
export type Readout = { readonly roi: Roi; readonly binning: number }

/** Of a picture: `pixels` of the camera's frames that it is made of, and `shown`, what of the sensor that is. */
export type PictureRegion = { readonly pixels: Roi; readonly shown: Roi }

/**
 * The picture in which each pixel is the mean of bin x bin pixels of the camera's frame and which shows `wanted` of the sensor: the squares that have a part in
 * it, on the same grid as those of the whole frame, so that a cut-out is the same picture, cut out. What does not fill a square at the right and at the bottom of
 * the frame is in none. undefined when nothing is left.
 */
export function pictureRegion({ roi, binning }: Readout, bin: number, wanted: Roi = roi): PictureRegion | undefined {
  const square = binning * bin
  const across = span(roi.x, roi.width, wanted.x, wanted.width, square)
  const down = span(roi.y, roi.height, wanted.y, wanted.height, square)
  if (across.count < 1 || down.count < 1) return undefined
  return {
    pixels: { x: across.first * bin, y: down.first * bin, width: across.count * bin, height: down.count * bin },
    shown: { x: roi.x + across.first * square, y: roi.y + down.first * square, width: across.count * square, height: down.count * square },
  }
}

function span(start: number, size: number, wantedStart: number, wantedSize: number, square: number): { readonly first: number; readonly count: number } {
  const first = Math.max(0, Math.floor((wantedStart - start) / square))
  const end = Math.min(Math.floor(size / square), Math.ceil((wantedStart + wantedSize - start) / square))
  return { first, count: end - first }
}

/** Throws LimitViolation unless the region is whole pixels of the sensor, at least one. */
export function checkRegion(roi: Roi, sensor: { readonly width: number; readonly height: number }): void {
  for (const [start, size, available] of [
    ['x', 'width', sensor.width],
    ['y', 'height', sensor.height],
  ] as const) {
    if (!Number.isInteger(roi[start]) || roi[start] < 0 || roi[start] >= available)
      throw new LimitViolation(`roi.${start}`, roi[start], 0, available - 1, undefined)
    if (!Number.isInteger(roi[size]) || roi[size] < 1 || roi[start] + roi[size] > available)
      throw new LimitViolation(`roi.${size}`, roi[size], 1, available - roi[start], undefined)
  }
}

/** Throws InvalidValue when nothing of `wanted` can be shown now. */
export function pictureRegionOrThrow(readout: Readout, bin: number, wanted: Roi | undefined): PictureRegion {
  const region = pictureRegion(readout, bin, wanted)
  if (region !== undefined) return region
  const { x, y, width, height } = readout.roi
  throw new InvalidValue(
    `roi: the camera reads out ${width} x ${height} pixels from ${x}, ${y} on with binning ${readout.binning}; nothing of them can be shown, ` +
      `of ${wanted === undefined ? 'all' : `${wanted.width} x ${wanted.height} from ${wanted.x}, ${wanted.y} on`}, as the mean of ${bin} x ${bin}`,
    ['roi'],
  )
}
