import { type Placement, type Point, pitch, pixelAt } from './picture-geometry.ts'

/** From one place of the sensor to another. */
export type Line = { readonly from: Point; readonly to: Point }
/** Over which quantity a profile is drawn: along a row or a column of the sensor its own coordinate, else the distance from the line's beginning. */
export type ProfileAxis = 'x' | 'y' | 'distance'
export type Profile = {
  readonly axis: ProfileAxis /** In sensor pixels. */
  readonly at: number[] /** Of the pixel there; null beside the picture. */
  readonly counts: (number | null)[]
}

export function profileAxis({ from, to }: Line): ProfileAxis {
  if (Math.floor(from.y) === Math.floor(to.y)) return 'x'
  return Math.floor(from.x) === Math.floor(to.x) ? 'y' : 'distance'
}

/**
 * One sample per pixel of the picture along the line's longer side, both ends in it: every pixel of a row or column once, a diagonal's as near as
 * pixels are. Rows and columns are told by the middle of their pixels.
 */
export function lineProfile(picture: Placement & { readonly pixels: Uint16Array }, line: Line): Profile {
  const { from, to } = forwards(line)
  const step = pitch(picture)
  const first = pixelIndex(picture, from, step)
  const last = pixelIndex(picture, to, step)
  const steps = Math.max(Math.abs(last.x - first.x), Math.abs(last.y - first.y))
  const axis = profileAxis(line)
  const length = Math.hypot(last.x - first.x, last.y - first.y) * step
  const at: number[] = []
  const counts: (number | null)[] = []
  for (let sample = 0; sample <= steps; sample += 1) {
    const share = steps === 0 ? 0 : sample / steps
    const place = {
      x: picture.roi.x + (first.x + Math.round((last.x - first.x) * share) + 0.5) * step,
      y: picture.roi.y + (first.y + Math.round((last.y - first.y) * share) + 0.5) * step,
    }
    const pixel = pixelAt(picture, place)
    at.push(axis === 'distance' ? length * share : axis === 'x' ? place.x - step / 2 : place.y - step / 2)
    counts.push(pixel === undefined ? null : (picture.pixels[pixel.row * picture.width + pixel.column] ?? null))
  }
  return { axis, at, counts }
}

/** A plot's axis grows to the right: rows and columns are read from their lower end. */
function forwards(line: Line): Line {
  const axis = profileAxis(line)
  const backwards = (axis === 'x' && line.to.x < line.from.x) || (axis === 'y' && line.to.y < line.from.y)
  return backwards ? { from: line.to, to: line.from } : line
}

function pixelIndex({ roi }: Placement, at: Point, step: number): Point {
  return { x: Math.floor((at.x - roi.x) / step), y: Math.floor((at.y - roi.y) / step) }
}
