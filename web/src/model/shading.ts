import { type Tone, toneIndex } from './levels.ts'
import { type Placement, pitch, type Viewport } from './picture-geometry.ts'

/** What a painter is told: the picture's place in the box, its tone, the colours. `ratio`: pixels of the canvas per CSS pixel. */
export type Look = {
  readonly viewport: Viewport
  readonly ratio: number
  readonly tone: Tone /** The map marks saturated pixels and zeros. */
  readonly marks: boolean
}

/** At most so many pixels of a picture, across and down, are averaged into one of the canvas: a full sensor on a small panel stays in time. */
export const MOST_AVERAGED = 8
const COUNTS = 65_536
const OPAQUE = 0xff000000

/** 256 colours as canvas pixels (little-endian RGBA). */
export function packedColors(table: Uint8Array): Uint32Array {
  return Uint32Array.from(
    { length: table.length / 3 },
    (_, at) => (OPAQUE | ((table[at * 3 + 2] ?? 0) << 16) | ((table[at * 3 + 1] ?? 0) << 8) | (table[at * 3] ?? 0)) >>> 0,
  )
}

/**
 * Every pixel of a canvas of `width` x `height`. A picture that is shown smaller than it is, is averaged; marks win over the mean, so that a single saturated
 * pixel is seen. Beside the picture nothing is drawn (0, transparent). The shader of webgl-painter.ts does the same on the graphics card.
 */
export function shade(
  picture: Placement & { readonly pixels: Uint16Array },
  look: Look,
  colors: Uint32Array,
  width: number,
  height: number,
  into: Uint32Array,
): void {
  const { viewport, ratio, tone, marks } = look
  const step = pitch(picture)
  const perCell = 1 / (viewport.scale * ratio * step) // pixels of the picture per pixel of the canvas
  const taps = Math.min(MOST_AVERAGED, Math.max(1, Math.ceil(perCell - 1e-6)))
  const table = Uint32Array.from({ length: COUNTS }, (_, value) => colors[toneIndex(value, tone, marks)] ?? OPAQUE)
  const startX = (viewport.left - picture.roi.x) / step
  const startY = (viewport.top - picture.roi.y) / step
  into.fill(0)
  for (let row = 0, cell = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, cell += 1) {
      let sum = 0
      let seen = 0
      let sawZero = false
      let sawSaturated = false
      for (let down = 0; down < taps; down += 1) {
        const y = Math.floor(startY + (row + (down + 0.5) / taps) * perCell)
        if (y < 0 || y >= picture.height) continue
        for (let across = 0; across < taps; across += 1) {
          const x = Math.floor(startX + (column + (across + 0.5) / taps) * perCell)
          if (x < 0 || x >= picture.width) continue
          const value = picture.pixels[y * picture.width + x] ?? 0
          sum += value
          seen += 1
          if (value === 0) sawZero = true
          if (value >= tone.saturated) sawSaturated = true
        }
      }
      if (seen === 0) continue
      const marked = !marks ? undefined : sawSaturated ? COUNTS - 1 : sawZero ? 0 : undefined
      into[cell] = table[marked ?? Math.round(sum / seen)] ?? OPAQUE
    }
  }
}
