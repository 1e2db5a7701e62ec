import { expect, test } from 'vitest'
import * as core from '../../core/colormap.ts'
import { COLORMAPS, colormapTable, isColormap } from '../../web/src/model/colormap.ts'
import { toneIndex } from '../../web/src/model/levels.ts'

test('the page has the colour maps of the server, byte for byte', () => {
  expect(COLORMAPS).toEqual(core.COLORMAPS)
  for (const name of COLORMAPS) expect(colormapTable(name), name).toEqual(core.colormapTable(name))
})

test('a pixel of the page gets the colour that the server gives it', () => {
  const [low, high, saturated] = [100, 3000, 4095]
  for (const name of COLORMAPS)
    for (const value of [0, 1, 99, 100, 101, 777, 1550, 2999, 3000, 3001, 4094, 4095, 65_535])
      expect(toneIndex(value, { levels: { low, high }, gamma: 1, saturated }, name === 'hilo'), `${name} ${value}`).toBe(
        core.colorIndex(name, value, { low, high, saturated }),
      )
})

test('only a name that there is counts as one', () => expect(['hilo', 'heat', 1, undefined].map(isColormap)).toEqual([true, false, false, false]))
