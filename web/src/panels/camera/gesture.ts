import type { Line } from '../../model/line-profile.ts'
import { type Point, type Rect, toBox, toSensor, type Viewport } from '../../model/picture-geometry.ts'
import { handleAt, movedRect, rectBetween, resizedRect } from '../../model/region.ts'
import type { Display } from './display.ts'

export type Tool = 'move' | 'region' | 'line'
/** What is marked on the picture, in sensor pixels. */
export type Marks = { readonly region: Rect | undefined; readonly line: Line | undefined }
export type MarkChange = { readonly region: (region: Rect | undefined) => void; readonly line: (line: Line | undefined) => void }

/** What the pointer does from a press on: called with where it is, in CSS pixels of the box. */
export type Gesture = (at: Point, isStraight: boolean) => void

const REACH = 14 // CSS pixels around a line's end that take hold of it

export function beginGesture(tool: Tool, at: Point, display: Display, marks: Marks, change: MarkChange): Gesture {
  const { viewport, shown, step } = display.place.get()
  if (tool === 'region') return regionGesture(at, viewport, shown, step, marks.region, change.region)
  if (tool === 'line') return lineGesture(at, viewport, shown, marks.line, change.line)
  let last = at
  return (to) => {
    display.pan({ x: to.x - last.x, y: to.y - last.y })
    last = to
  }
}

function regionGesture(at: Point, viewport: Viewport, shown: Rect, step: number, region: Rect | undefined, change: MarkChange['region']): Gesture {
  const start = toSensor(viewport, at)
  const handle = region === undefined ? undefined : handleAt(region, viewport, at)
  if (region === undefined || handle === undefined) return (to) => change(rectBetween(start, toSensor(viewport, to), shown, step))
  if (handle === 'inside') {
    return (to) => {
      const here = toSensor(viewport, to)
      change(movedRect(region, { x: here.x - start.x, y: here.y - start.y }, shown, step))
    }
  }
  return (to) => change(resizedRect(region, handle, toSensor(viewport, to), shown, step))
}

function lineGesture(at: Point, viewport: Viewport, shown: Rect, line: Line | undefined, change: MarkChange['line']): Gesture {
  const end = line === undefined ? undefined : endAt(line, viewport, at)
  const fixed = line === undefined || end === undefined ? pixelMiddle(toSensor(viewport, at), shown) : end === 'to' ? line.from : line.to
  return (to, isStraight) => {
    const moved = straightened(fixed, pixelMiddle(toSensor(viewport, to), shown), isStraight)
    change(end === 'from' ? { from: moved, to: fixed } : { from: fixed, to: moved })
  }
}

export function endAt({ from, to }: Line, viewport: Viewport, at: Point): 'from' | 'to' | undefined {
  const near = (end: Point) => {
    const { x, y } = toBox(viewport, end)
    return Math.hypot(at.x - x, at.y - y) <= REACH
  }
  if (near(to)) return 'to'
  return near(from) ? 'from' : undefined
}

/** The middle of the sensor pixel there, within what is shown. */
export function pixelMiddle({ x, y }: Point, { x: left, y: top, width, height }: Rect): Point {
  const along = (value: number, from: number, length: number) => Math.min(from + length - 1, Math.max(from, Math.floor(value))) + 0.5
  return { x: along(x, left, width), y: along(y, top, height) }
}

function straightened(from: Point, to: Point, isStraight: boolean): Point {
  if (!isStraight) return to
  return Math.abs(to.x - from.x) >= Math.abs(to.y - from.y) ? { x: to.x, y: from.y } : { x: from.x, y: to.y }
}
