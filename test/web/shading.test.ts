import { describe, expect, test } from 'vitest'
import { colormapTable } from '../../web/src/model/colormap.ts'
import { type Look, packedColors, shade } from '../../web/src/model/shading.ts'

const GRAY = packedColors(colormapTable('gray'))
const HILO = packedColors(colormapTable('hilo'))
const RED = 0xff0000ff // little-endian RGBA
const BLUE = 0xffff0000
const tone = { levels: { low: 0, high: 255 }, gamma: 1, saturated: 4095 }

function shaded(pixels: number[], width: number, look: Partial<Look>, cells: number, colors = GRAY): number[] {
  const height = pixels.length / width
  const into = new Uint32Array(cells * cells)
  const whole = { viewport: { left: 0, top: 0, scale: 1 }, ratio: 1, tone, marks: false, ...look }
  shade({ width, height, roi: { x: 0, y: 0, width, height }, pixels: Uint16Array.from(pixels) }, whole, colors, cells, cells, into)
  return [...into]
}
const gray = (level: number) => (0xff000000 | (level << 16) | (level << 8) | level) >>> 0

describe('the processor as painter', () => {
  test('a pixel for a pixel, with the levels', () => expect(shaded([0, 51, 255, 999], 2, {}, 2)).toEqual([0, 51, 255, 255].map(gray)))

  test('larger: each pixel is a square', () =>
    expect(shaded([10, 20, 30, 40], 2, { viewport: { left: 0, top: 0, scale: 2 } }, 4).slice(0, 8)).toEqual([10, 10, 20, 20, 10, 10, 20, 20].map(gray)))

  test('smaller: the mean', () => expect(shaded([10, 20, 30, 40], 2, { viewport: { left: 0, top: 0, scale: 0.5 } }, 1)).toEqual([gray(25)]))

  test('a screen with two pixels per CSS pixel', () => expect(shaded([10, 20, 30, 40], 2, { ratio: 2 }, 4).slice(0, 4)).toEqual([10, 10, 20, 20].map(gray)))

  test('nothing beside the picture', () =>
    expect(shaded([10, 20, 30, 40], 2, { viewport: { left: -1, top: -1, scale: 1 } }, 3)).toEqual([0, 0, 0, 0, gray(10), gray(20), 0, gray(30), gray(40)]))

  test('one saturated pixel among many is seen, and a pixel of 0', () => {
    const small = { viewport: { left: 0, top: 0, scale: 0.5 }, marks: true }
    expect(shaded([10, 20, 4095, 0], 2, small, 1, HILO)).toEqual([RED])
    expect(shaded([10, 20, 30, 0], 2, small, 1, HILO)).toEqual([BLUE])
    expect(shaded([10, 20, 4095, 0], 2, { ...small, marks: false }, 1)).toEqual([gray(255)])
  })
})
