import { type Placement, pixelAt, type Rect } from './picture-geometry.ts'

export type RegionCounts = { readonly mean: number; readonly deviation: number; readonly minimum: number; readonly maximum: number; readonly pixels: number }

/** Of the picture's pixels in a region of the sensor; undefined where the picture does not show it. Of a binned picture these are means already. */
export function regionCounts(picture: Placement & { readonly pixels: Uint16Array }, region: Rect): RegionCounts | undefined {
  const { roi, width, height, pixels } = picture
  const right = Math.min(region.x + region.width, roi.x + roi.width)
  const bottom = Math.min(region.y + region.height, roi.y + roi.height)
  const first = pixelAt({ roi, width, height }, { x: Math.max(region.x, roi.x), y: Math.max(region.y, roi.y) })
  const last = pixelAt({ roi, width, height }, { x: right - 0.5, y: bottom - 0.5 })
  if (first === undefined || last === undefined || last.column < first.column || last.row < first.row) return undefined
  let sum = 0
  let squares = 0
  let minimum = Number.POSITIVE_INFINITY
  let maximum = 0
  for (let row = first.row; row <= last.row; row += 1) {
    for (let at = row * width + first.column, end = row * width + last.column; at <= end; at += 1) {
      const value = pixels[at] ?? 0
      sum += value
      squares += value * value // below 2^53 for any picture: 2^32 a pixel
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
    }
  }
  const count = (last.column - first.column + 1) * (last.row - first.row + 1)
  const mean = sum / count
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), minimum, maximum, pixels: count }
}
