import { describe, expect, test } from 'vitest'
import { easedLevels, settledLevels, toneIndex } from '../../web/src/model/levels.ts'

describe('automatic levels', () => {
  test('the first are the aim, the next ones go there in time and arrive', () => {
    const first = easedLevels(undefined, { low: 100, high: 1100 }, 16)
    expect(first).toEqual({ low: 100, high: 1100 })
    const aim = { low: 200, high: 2100 }
    const second = easedLevels(first, aim, 250)
    expect(second.high).toBeCloseTo(1100 + 1000 * (1 - Math.exp(-1)))
    expect(easedLevels(first, aim, 0)).toEqual(first)
    let levels = second
    for (let frame = 0; frame < 100; frame += 1) levels = easedLevels(levels, aim, 33)
    expect(levels).toBe(aim)
  })

  test('how fast the eye is led does not depend on the rate of the frames', () => {
    const start = { low: 0, high: 1000 }
    const aim = { low: 500, high: 3000 }
    const once = easedLevels(start, aim, 200)
    let often = start
    for (let frame = 0; frame < 10; frame += 1) often = easedLevels(often, aim, 20)
    expect(often.high).toBeCloseTo(once.high)
  })
})

describe('levels by hand', () => {
  test.each([
    [{ low: 300.4, high: 900 }, 'low', { low: 300, high: 900 }],
    [{ low: 950, high: 900 }, 'low', { low: 950, high: 951 }],
    [{ low: 300, high: 200 }, 'high', { low: 199, high: 200 }],
    [{ low: -5, high: 9000 }, 'low', { low: 0, high: 4095 }],
    [{ low: 9000, high: 9000 }, 'low', { low: 4094, high: 4095 }],
    [{ low: 0, high: -3 }, 'high', { low: 0, high: 1 }],
  ] as const)('%o, %s moved, become %o', (levels, moved, settled) => expect(settledLevels(levels, 4095, moved)).toEqual(settled))
})

describe('gamma', () => {
  const tone = { levels: { low: 0, high: 1000 }, saturated: 4095 }
  test('above 1 lifts the dark parts and leaves black and white', () => {
    const index = (value: number, gamma: number) => toneIndex(value, { ...tone, gamma }, false)
    expect([0, 250, 1000].map((value) => index(value, 2))).toEqual([0, 128, 255])
    expect(index(250, 1)).toBe(64)
    expect(index(250, 0.5)).toBe(16)
  })
})
