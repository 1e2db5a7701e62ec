import type { Fingers, Point } from '../../model/picture-geometry.ts'
import type { Display } from './display.ts'
import { beginGesture, type Gesture, type MarkChange, type Marks, type Tool } from './gesture.ts'
import { pressKey } from './keys.ts'

const WHEEL_PER_DOUBLING = 300 // of a wheel's pixels: three notches
const PIXELS_PER_LINE = 33 // of browsers that tell the wheel in lines
const PINCH = 3 // a touchpad's pinch comes as a wheel of small steps

/** Listeners by hand: the wheel must be told not to scroll the page, and a second finger turns any gesture into a zoom. */
export function listenToHands(element: HTMLElement, display: Display, now: () => { tool: Tool; marks: Marks; change: MarkChange }): () => void {
  const fingers = new Map<number, Point>() // in the order in which they came down
  let gesture: Gesture | undefined
  let before: Marks | undefined // the first finger came down
  let pinch: ((to: Fingers) => void) | undefined
  const two = (): Fingers | undefined => {
    const [one, other] = fingers.values()
    return one === undefined || other === undefined ? undefined : [one, other]
  }
  /** What the fingers that are down now do from here on. */
  const begin = () => {
    const from = two()
    const { viewport } = display.place.get()
    pinch = from && ((to) => display.pinch(viewport, from, to))
    gesture = undefined
  }
  const placeOf = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = element.getBoundingClientRect()
    return { x: clientX - left, y: clientY - top }
  }
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    const at = placeOf(event)
    element.setPointerCapture(event.pointerId)
    fingers.set(event.pointerId, at)
    display.pointer.set(at)
    const { tool, marks, change } = now()
    // What the first of two fingers began to draw was none: it came to enlarge.
    if (gesture !== undefined && before !== undefined && tool !== 'move') {
      if (tool === 'region') change.region(before.region)
      else change.line(before.line)
    }
    begin()
    if (fingers.size > 1) return
    before = marks
    gesture = beginGesture(tool, at, display, marks, change)
  }
  const move = (event: PointerEvent) => {
    const at = placeOf(event)
    if (fingers.has(event.pointerId)) {
      fingers.set(event.pointerId, at)
      const to = two()
      if (to === undefined) gesture?.(at, event.shiftKey)
      else pinch?.(to)
    }
    display.pointer.set(at)
  }
  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId)) return
    begin()
    const [left] = fingers.values()
    const { marks, change } = now()
    if (fingers.size === 1 && left !== undefined) gesture = beginGesture('move', left, display, marks, change)
  }
  const touch = (event: TouchEvent) => {
    if (event.touches.length > 1) event.preventDefault() // else two fingers scroll the page where one may, and the picture gets neither
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
  // A finger that is lifted leaves, too: what it pointed at stays to be read.
  element.addEventListener('pointerleave', ({ pointerType }) => pointerType !== 'touch' && display.pointer.set(undefined), { signal })
  element.addEventListener('touchstart', touch, { passive: false, signal })
  element.addEventListener('wheel', wheel, { passive: false, signal })
  element.addEventListener('keydown', key, { signal })
  element.addEventListener('dblclick', () => display.fit(), { signal })
  return () => listening.abort()
}
