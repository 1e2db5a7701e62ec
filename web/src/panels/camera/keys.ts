import { type Rect, toSensor } from '../../model/picture-geometry.ts'
import { movedRect, wholeRect } from '../../model/region.ts'
import type { Display } from './display.ts'
import { type MarkChange, type Marks, pixelMiddle, type Tool } from './gesture.ts'

const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const FAR = 10 // pixels with Shift
const PAN_PX = 40
const ZOOM = 1.25

export const KEY_HELP =
  'Plus and minus zoom, Home shows all. Arrows move the picture, the region or the line, ten times as far with Shift; with Alt they change the size of the region or the end of the line. Enter begins a region or a line in the middle, Delete removes it.'

/** True when the key meant something here. */
export function pressKey(event: { key: string; shiftKey: boolean; altKey: boolean }, tool: Tool, display: Display, marks: Marks, change: MarkChange): boolean {
  const { key } = event
  if (key === '+' || key === '=') display.zoom(ZOOM)
  else if (key === '-') display.zoom(1 / ZOOM)
  else if (key === 'Home') display.fit()
  else if (key === 'Enter' && tool !== 'move') begin(tool, display, change)
  else if ((key === 'Delete' || key === 'Backspace') && tool !== 'move') change[tool](undefined)
  else return moveBy(event, tool, display, marks, change)
  return true
}

function begin(tool: 'region' | 'line', display: Display, change: MarkChange): void {
  const { viewport, box, shown, step } = display.place.get()
  const middle = toSensor(viewport, { x: box.width / 2, y: box.height / 2 })
  const width = Math.max(step, Math.round(Math.min(shown.width, box.width / viewport.scale) / 2 / step) * step)
  const height = Math.max(step, Math.round(Math.min(shown.height, box.height / viewport.scale) / 2 / step) * step)
  if (tool === 'region')
    change.region(movedRect({ x: shown.x, y: shown.y, width, height }, { x: middle.x - width / 2 - shown.x, y: middle.y - height / 2 - shown.y }, shown, step))
  else change.line({ from: pixelMiddle({ x: middle.x - width / 2, y: middle.y }, shown), to: pixelMiddle({ x: middle.x + width / 2, y: middle.y }, shown) })
}

function moveBy(
  { key, shiftKey, altKey }: { key: string; shiftKey: boolean; altKey: boolean },
  tool: Tool,
  display: Display,
  marks: Marks,
  change: MarkChange,
): boolean {
  const [across, down] = ARROWS[key] ?? [0, 0]
  if (across === 0 && down === 0) return false
  const { shown, step } = display.place.get()
  const by = { x: across * step * (shiftKey ? FAR : 1), y: down * step * (shiftKey ? FAR : 1) }
  if (tool === 'region' && marks.region !== undefined) change.region(altKey ? grown(marks.region, by, shown) : movedRect(marks.region, by, shown, step))
  else if (tool === 'line' && marks.line !== undefined) {
    const { from, to } = marks.line
    const shifted = (end: typeof to) => pixelMiddle({ x: end.x + by.x, y: end.y + by.y }, shown)
    change.line({ from: altKey ? from : shifted(from), to: shifted(to) })
  } else display.pan({ x: -across * PAN_PX * (shiftKey ? FAR : 1), y: -down * PAN_PX * (shiftKey ? FAR : 1) })
  return true
}

function grown(region: Rect, by: { x: number; y: number }, shown: Rect): Rect {
  return wholeRect({ ...region, width: region.width + by.x, height: region.height + by.y }, shown)
}
