import { type Point, type Rect, toBox, type Viewport } from './picture-geometry.ts'

export type Handle = 'inside' | 'nw' | 'ne' | 'sw' | 'se'

const REACH = 12 // CSS pixels around a corner that take hold of it, for fingers too

/** The rectangle between two places of the sensor, in whole steps (pixels of the picture), at least one, within `within`. */
export function rectBetween(a: Point, b: Point, within: Rect, step: number): Rect {
  const along = (one: number, other: number, from: number, length: number): readonly [number, number] => {
    const low = Math.min(one, other)
    const high = Math.max(one, other)
    const most = Math.floor(length / step)
    const first = Math.min(most - 1, Math.max(0, Math.floor((low - from) / step)))
    const last = Math.min(most, Math.max(first + 1, Math.ceil((high - from) / step)))
    return [from + first * step, (last - first) * step]
  }
  const [x, width] = along(a.x, b.x, within.x, within.width)
  const [y, height] = along(a.y, b.y, within.y, within.height)
  return { x, y, width, height }
}

/** As large as it was, moved by whole steps as far as there is room. */
export function movedRect(rect: Rect, by: Point, within: Rect, step: number): Rect {
  const along = (start: number, length: number, distance: number, from: number, room: number) =>
    Math.min(from + room - length, Math.max(from, start + Math.round(distance / step) * step))
  return {
    ...rect,
    x: along(rect.x, rect.width, by.x, within.x, within.width),
    y: along(rect.y, rect.height, by.y, within.y, within.height),
  }
}

/** The corner goes to `to`, the one across stays; dragged beyond that one, the rectangle turns over. */
export function resizedRect(rect: Rect, corner: Exclude<Handle, 'inside'>, to: Point, within: Rect, step: number): Rect {
  const fixed = { x: corner === 'nw' || corner === 'sw' ? rect.x + rect.width : rect.x, y: corner === 'nw' || corner === 'ne' ? rect.y + rect.height : rect.y }
  return rectBetween(fixed, to, within, step)
}

/** What a press at this place of the box takes hold of. */
export function handleAt(rect: Rect, viewport: Viewport, at: Point): Handle | undefined {
  const low = toBox(viewport, rect)
  const high = toBox(viewport, { x: rect.x + rect.width, y: rect.y + rect.height })
  const near = (x: number, y: number) => Math.hypot(at.x - x, at.y - y) <= REACH
  if (near(high.x, high.y)) return 'se'
  if (near(low.x, low.y)) return 'nw'
  if (near(high.x, low.y)) return 'ne'
  if (near(low.x, high.y)) return 'sw'
  return at.x >= low.x && at.x <= high.x && at.y >= low.y && at.y <= high.y ? 'inside' : undefined
}

/** Whole sensor pixels within the sensor, from numbers that a person typed; what is missing or beyond is brought back. */
export function wholeRect({ x, y, width, height }: Rect, sensor: Rect): Rect {
  const along = (start: number, length: number, from: number, room: number): readonly [number, number] => {
    const first = Math.min(from + room - 1, Math.max(from, Math.round(start)))
    return [first, Math.min(from + room - first, Math.max(1, Math.round(length)))]
  }
  const [left, across] = along(x, width, sensor.x, sensor.width)
  const [top, down] = along(y, height, sensor.y, sensor.height)
  return { x: left, y: top, width: across, height: down }
}

export function sameRect(a: Rect | undefined, b: Rect | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height)
}
