import type { Point } from '../../model/picture-geometry.ts'
import type { Display } from './display.ts'
import { beginGesture, type Gesture, type MarkChange, type Marks, type Tool } from './gesture.ts'
import { pressKey } from './keys.ts'

const WHEEL_PER_DOUBLING = 300 // of a wheel's pixels: three notches
const PIXELS_PER_LINE = 33 // of browsers that tell the wheel in lines
const PINCH = 3 // a touchpad's pinch comes as a wheel of small steps

/** Listeners by hand: the wheel must be told not to scroll the page, and a second finger turns any gesture into a zoom. */
export function listenToHands(element: HTMLElement, display: Display, now: () => { tool: Tool; marks: Marks; change: MarkChange }): () => void {
  const fingers = new Map<number, Point>()
  let gesture: Gesture | undefined
  const placeOf = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = element.getBoundingClientRect()
    return { x: clientX - left, y: clientY - top }
  }
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    const at = placeOf(event)
    element.setPointerCapture(event.pointerId)
    fingers.set(event.pointerId, at)
    const { tool, marks, change } = now()
    gesture = fingers.size === 1 ? beginGesture(tool, at, display, marks, change) : undefined
  }
  const move = (event: PointerEvent) => {
    const at = placeOf(event)
    display.pointer.set(at)
    const last = fingers.get(event.pointerId)
    if (last === undefined) return
    if (fingers.size === 1) gesture?.(at, event.shiftKey)
    else pinch([...fingers].find(([id]) => id !== event.pointerId)?.[1], last, at, display)
    fingers.set(event.pointerId, at)
  }
  const up = (event: PointerEvent) => {
    fingers.delete(event.pointerId)
    gesture = undefined
  }
  const wheel = (event: WheelEvent) => {
    if (!event.ctrlKey && document.activeElement !== element) return // the page scrolls until the picture was chosen; a pinch on a touchpad comes with ctrlKey
    event.preventDefault()
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PIXELS_PER_LINE : 1) * (event.ctrlKey ? PINCH : 1)
    display.zoom(2 ** (-pixels / WHEEL_PER_DOUBLING), placeOf(event))
  }
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.target !== element) return
    const { tool, marks, change } = now()
    if (!pressKey(event, tool, display, marks, change)) return
    event.preventDefault()
    event.stopPropagation()
  }
  const listening = new AbortController()
  const { signal } = listening
  element.addEventListener('pointerdown', down, { signal })
  element.addEventListener('pointermove', move, { signal })
  element.addEventListener('pointerup', up, { signal })
  element.addEventListener('pointercancel', up, { signal })
  element.addEventListener('pointerleave', () => display.pointer.set(undefined), { signal })
  element.addEventListener('wheel', wheel, { passive: false, signal })
  element.addEventListener('keydown', key, { signal })
  element.addEventListener('dblclick', () => display.fit(), { signal })
  return () => listening.abort()
}

/** The finger that moved, from where it was; the other one stays. */
function pinch(other: Point | undefined, from: Point, to: Point, display: Display): void {
  if (other === undefined) return
  const before = Math.hypot(from.x - other.x, from.y - other.y)
  const after = Math.hypot(to.x - other.x, to.y - other.y)
  if (before > 1 && after > 1) display.zoom(after / before, { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 })
  display.pan({ x: (to.x - from.x) / 2, y: (to.y - from.y) / 2 })
}
