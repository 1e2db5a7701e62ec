import { beforeEach, describe, expect, test } from 'vitest'
import type { Line } from '../../web/src/model/line-profile.ts'
import type { Point, Rect } from '../../web/src/model/picture-geometry.ts'
import { Display } from '../../web/src/panels/camera/display.ts'
import { beginGesture, type Tool } from '../../web/src/panels/camera/gesture.ts'
import { pressKey } from '../../web/src/panels/camera/keys.ts'

/** A sensor of 512 x 512 in a box of 256 x 256: two sensor pixels per CSS pixel, and per pixel of the picture. */
const BOX = { width: 256, height: 256 }
let display: Display
let region: Rect | undefined
let line: Line | undefined
const change = {
  region: (next: Rect | undefined) => {
    region = next
  },
  line: (next: Line | undefined) => {
    line = next
  },
}

beforeEach(() => {
  display = new Display({ width: 512, height: 512 }, { automatic: true, manual: { low: 0, high: 1 }, gamma: 1, colormap: 'gray' })
  display.place.set({ ...display.place.get(), box: BOX, step: 2, viewport: { left: 0, top: 0, scale: 0.5 } })
  region = undefined
  line = undefined
})

function drag(tool: Tool, from: Point, to: Point, isStraight = false): void {
  beginGesture(tool, from, display, { region, line }, change)(to, isStraight)
}
const key = (tool: Tool, name: string, held: { shiftKey?: boolean; altKey?: boolean } = {}) =>
  pressKey({ key: name, shiftKey: false, altKey: false, ...held }, tool, display, { region, line }, change)

describe('dragging', () => {
  test('draws a region, moves it, and takes it by a corner', () => {
    drag('region', { x: 20, y: 30 }, { x: 70, y: 60 })
    expect(region).toEqual({ x: 40, y: 60, width: 100, height: 60 })
    drag('region', { x: 45, y: 45 }, { x: 55, y: 40 })
    expect(region).toEqual({ x: 60, y: 50, width: 100, height: 60 })
    drag('region', { x: 80, y: 55 }, { x: 100, y: 105 })
    expect(region).toEqual({ x: 60, y: 50, width: 140, height: 160 })
  })

  test('beside the region begins another one', () => {
    drag('region', { x: 20, y: 30 }, { x: 70, y: 60 })
    drag('region', { x: 150, y: 150 }, { x: 160, y: 170 })
    expect(region).toEqual({ x: 300, y: 300, width: 20, height: 40 })
  })

  test('draws a line between the middles of pixels, level with Shift, and takes it by either end', () => {
    drag('line', { x: 10, y: 20 }, { x: 60, y: 24 }, true)
    expect(line).toEqual({ from: { x: 20.5, y: 40.5 }, to: { x: 120.5, y: 40.5 } })
    drag('line', { x: 60, y: 20 }, { x: 80, y: 90 })
    expect(line).toEqual({ from: { x: 20.5, y: 40.5 }, to: { x: 160.5, y: 180.5 } })
    drag('line', { x: 11, y: 21 }, { x: 0, y: 0 })
    expect(line).toEqual({ from: { x: 0.5, y: 0.5 }, to: { x: 160.5, y: 180.5 } })
  })

  test('moves an enlarged picture with the pointer', () => {
    display.zoom(4)
    const before = display.place.get().viewport
    drag('move', { x: 100, y: 100 }, { x: 110, y: 80 })
    const { left, top, scale } = display.place.get().viewport
    expect(scale).toBe(2)
    expect([left - before.left, top - before.top]).toEqual([-5, 10])
  })
})

describe('the keyboard', () => {
  test('begins a region in the middle, moves and enlarges it by pixels of the picture, removes it', () => {
    expect(key('region', 'Enter')).toBe(true)
    expect(region).toEqual({ x: 128, y: 128, width: 256, height: 256 })
    key('region', 'ArrowRight')
    key('region', 'ArrowUp', { shiftKey: true })
    expect(region).toEqual({ x: 130, y: 108, width: 256, height: 256 })
    key('region', 'ArrowLeft', { altKey: true })
    expect(region).toEqual({ x: 130, y: 108, width: 254, height: 256 })
    key('region', 'Delete')
    expect(region).toBeUndefined()
  })

  test('begins a level line, moves it, and moves its end', () => {
    key('line', 'Enter')
    expect(line).toEqual({ from: { x: 128.5, y: 256.5 }, to: { x: 384.5, y: 256.5 } })
    key('line', 'ArrowDown')
    key('line', 'ArrowUp', { altKey: true })
    expect(line).toEqual({ from: { x: 128.5, y: 258.5 }, to: { x: 384.5, y: 256.5 } })
  })

  test('enlarges, moves and fits the picture, and leaves every other key to the page', () => {
    expect(key('move', '+')).toBe(true)
    expect(display.place.get()).toMatchObject({ isFitted: false, viewport: { scale: 0.625 } })
    const { left } = display.place.get().viewport
    key('move', 'ArrowRight')
    expect(display.place.get().viewport.left).toBeCloseTo(left + 64)
    key('move', 'Home')
    expect(display.place.get()).toMatchObject({ isFitted: true, viewport: { left: 0, top: 0, scale: 0.5 } })
    expect(['2', 'Escape', 'Enter', 'Delete', 't'].map((name) => key('move', name))).toEqual([false, false, false, false, false])
  })
})
