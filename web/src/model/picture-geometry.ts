/**
 * Where things are. Three places: the sensor (pixels, 0,0 the corner of the first one, 0.5,0.5 its middle), the picture that came (its pixels are one or more sensor
 * pixels across and show a part of the sensor), and the box on the page (CSS pixels).
 */
export type Point = { readonly x: number; readonly y: number }
export type Size = { readonly width: number; readonly height: number }
export type Rect = Point & Size

/** Sensor coordinates of the box's top left corner, and CSS pixels per sensor pixel. */
export type Viewport = { readonly left: number; readonly top: number; readonly scale: number }

/** A picture's place on the sensor. */
export type Placement = Size & { readonly roi: Rect }

const MOST_ZOOM = 64 // CSS pixels per sensor pixel: a pixel is then as large as a finger
const MARGIN = 0.5 // of the box that must stay covered when a picture is moved out of it

/** All of the shown part in the middle of the box, as large as fits. */
export function fitted(shown: Rect, box: Size): Viewport {
  const scale = Math.min(box.width / shown.width, box.height / shown.height)
  return { scale, left: shown.x - (box.width / scale - shown.width) / 2, top: shown.y - (box.height / scale - shown.height) / 2 }
}

export function toSensor({ left, top, scale }: Viewport, at: Point): Point {
  return { x: left + at.x / scale, y: top + at.y / scale }
}

export function toBox({ left, top, scale }: Viewport, at: Point): Point {
  return { x: (at.x - left) * scale, y: (at.y - top) * scale }
}

/** Where two of them are, in CSS pixels of the box. */
export type Fingers = readonly [Point, Point]

/** What is under `at` stays there. No smaller than fitted (or 1:1), no larger than 64 CSS pixels per sensor pixel. */
export function zoomed(viewport: Viewport, factor: number, at: Point, shown: Rect, box: Size): Viewport {
  return carried(viewport, factor, at, at, shown, box)
}

/** Two fingers went `from` these places `to` those: what was between them is there still, larger by what they parted. */
export function pinched(viewport: Viewport, from: Fingers, to: Fingers, shown: Rect, box: Size): Viewport {
  const apart = ([one, other]: Fingers) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y))
  const between = ([one, other]: Fingers) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 })
  return carried(viewport, apart(to) / apart(from), between(from), between(to), shown, box)
}

function carried(viewport: Viewport, factor: number, from: Point, to: Point, shown: Rect, box: Size): Viewport {
  const least = Math.min(1, fitted(shown, box).scale)
  const scale = Math.min(Math.max(MOST_ZOOM, least), Math.max(least, viewport.scale * factor))
  const fixed = toSensor(viewport, from)
  return kept({ scale, left: fixed.x - to.x / scale, top: fixed.y - to.y / scale }, shown, box)
}

/** By so many CSS pixels. */
export function panned(viewport: Viewport, by: Point, shown: Rect, box: Size): Viewport {
  return kept({ ...viewport, left: viewport.left - by.x / viewport.scale, top: viewport.top - by.y / viewport.scale }, shown, box)
}

/** In the middle where the picture is smaller than the box; else moved by at most half of the box beyond its edges. */
export function kept({ left, top, scale }: Viewport, shown: Rect, box: Size): Viewport {
  const along = (start: number, from: number, length: number, boxLength: number) => {
    const visible = boxLength / scale
    if (length <= visible * (1 + 1e-9)) return from - (visible - length) / 2
    return Math.min(from + length - visible * (1 - MARGIN), Math.max(from - visible * MARGIN, start))
  }
  return { scale, left: along(left, shown.x, shown.width, box.width), top: along(top, shown.y, shown.height, box.height) }
}

/** Which pixel of the picture shows this place of the sensor; undefined beside it. */
export function pixelAt({ roi, width, height }: Placement, at: Point): { readonly column: number; readonly row: number } | undefined {
  const column = Math.floor(((at.x - roi.x) / roi.width) * width)
  const row = Math.floor(((at.y - roi.y) / roi.height) * height)
  return column >= 0 && row >= 0 && column < width && row < height ? { column, row } : undefined
}

/** Sensor pixels per pixel of the picture, across. */
export function pitch({ roi, width }: Placement): number {
  return roi.width / width
}
