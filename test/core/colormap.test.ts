import { describe, expect, test } from 'vitest'
import { COLORMAPS, type Colormap, colorIndex, colormapTable } from '../../core/colormap.ts'

/** Of the published tables (https://bids.github.io/colormap/), between the stops that ours are made from. */
const PUBLISHED: Partial<Record<Colormap, Readonly<Record<number, readonly number[]>>>> = {
  viridis: {
    0: [68, 1, 84],
    25: [72, 36, 117],
    64: [59, 82, 139],
    100: [42, 118, 142],
    128: [33, 145, 140],
    192: [94, 201, 98],
    230: [189, 223, 38],
    255: [253, 231, 37],
  },
  inferno: {
    0: [0, 0, 4],
    25: [22, 11, 57],
    64: [87, 16, 110],
    100: [144, 37, 104],
    128: [188, 55, 84],
    192: [249, 142, 9],
    230: [246, 215, 70],
    255: [252, 255, 164],
  },
  magma: {
    0: [0, 0, 4],
    25: [20, 14, 54],
    64: [81, 18, 124],
    100: [137, 40, 129],
    128: [183, 55, 121],
    192: [252, 137, 97],
    230: [254, 207, 146],
    255: [252, 253, 191],
  },
}
const WORST = 3 // of 255 in a channel

const colorOf = (table: Uint8Array, at: number): number[] => [...table.subarray(at * 3, at * 3 + 3)]

describe('colour maps', () => {
  test.each(COLORMAPS)('%s has 256 colours of three bytes', (name) => expect(colormapTable(name)).toHaveLength(768))

  test.each(['viridis', 'inferno', 'magma'] as const)('%s is the published one', (name) => {
    const table = colormapTable(name)
    for (const [at, published] of Object.entries(PUBLISHED[name] ?? {})) {
      for (const [channel, value] of published.entries())
        expect(Math.abs((table[Number(at) * 3 + channel] ?? -1) - value), `${name} ${at}, channel ${channel}`).toBeLessThanOrEqual(WORST)
    }
  })

  test.each(['gray', 'viridis', 'inferno', 'magma'] as const)('%s grows brighter with every step', (name) => {
    const table = colormapTable(name)
    const luma = Array.from({ length: 256 }, (_, at) => {
      const [red = 0, green = 0, blue = 0] = colorOf(table, at)
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    })
    for (const [at, value] of luma.entries()) expect(value, `${name} ${at}`).toBeGreaterThanOrEqual((luma[at - 1] ?? 0) - 0.5)
  })

  test('gray is gray, and hilo is it but for its ends', () => {
    const gray = colormapTable('gray')
    const hilo = colormapTable('hilo')
    expect(colorOf(gray, 200)).toEqual([200, 200, 200])
    expect(colorOf(hilo, 0)).toEqual([0, 0, 255])
    expect(colorOf(hilo, 255)).toEqual([255, 0, 0])
    expect(hilo.subarray(3, -3)).toEqual(gray.subarray(3, -3))
  })
})

describe('the colour of a pixel', () => {
  const levels = { low: 100, high: 355, saturated: 4095 }
  test.each([
    [0, 0],
    [100, 0],
    [101, 1],
    [355, 255],
    [4095, 255],
  ])('%d counts: colour %d of gray', (value, index) => expect(colorIndex('gray', value, levels)).toBe(index))

  test.each([
    [0, 0],
    [1, 1],
    [355, 254],
    [4094, 254],
    [4095, 255],
    [65_535, 255],
  ])('%d counts: colour %d of hilo, whose ends are kept for 0 and saturated', (value, index) => expect(colorIndex('hilo', value, levels)).toBe(index))

  test('levels without a distance divide the picture in two', () => {
    const narrow = { low: 7, high: 7, saturated: 65_535 }
    expect([6, 7, 8].map((value) => colorIndex('gray', value, narrow))).toEqual([0, 255, 255])
  })
})
