import { describe, expect, test } from 'vitest'
import { shortestArc, wrap360 } from '../../core/dome-geometry.ts'
import { type FeedbackRules, goTo, isWithin, type Turning, wayTo } from '../../drivers/dome-rotator/feedback.ts'
import type { AzimuthReading } from '../../drivers/dome-rotator/wheel-count.ts'
import { problemOf } from './bench.ts'

const RULES: FeedbackRules = { tolerance: 0.5, corrections: 10, limitSeconds: 600 }

/** A dome that turns by `does` of what it is told, in no time. */
function domeAt(azimuth: number, does: (degrees: number, turn: number) => number, reading?: (turn: number) => AzimuthReading | undefined) {
  const turns: number[] = []
  let seconds = 0
  let is = azimuth
  const dome: Turning = {
    azimuth: () => reading?.(turns.length) ?? { azimuth: wrap360(is) },
    turn: async (degrees) => {
      turns.push(degrees)
      is += does(degrees, turns.length)
      seconds += 100
    },
    settle: async () => undefined,
    seconds: () => seconds,
  }
  return { dome, turns, where: () => wrap360(is) }
}

describe('a move with feedback', () => {
  test('that slips is corrected until it is near enough', async () => {
    const { dome, turns, where } = domeAt(350, (degrees) => degrees * 0.98)
    await goTo(30, dome, RULES, () => undefined)
    expect(turns[0]).toBeCloseTo(40)
    expect(turns).toHaveLength(2)
    expect(Math.abs(shortestArc(where(), 30))).toBeLessThan(0.5)
  })

  test('that is near enough at once is left alone', async () => {
    const { dome, turns } = domeAt(0, (degrees) => degrees - 0.4)
    await goTo(90, dome, RULES, () => undefined)
    expect(turns).toHaveLength(1)
  })

  test('that ends far off is no move of this dome', async () => {
    const { dome, turns } = domeAt(0, () => 5)
    expect(await problemOf(goTo(90, dome, RULES, () => undefined))).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'TOO_FAR_OFF' } })
    expect(turns).toHaveLength(1)
  })

  test('with a frozen encoder is given up after three turns', async () => {
    const { dome, turns } = domeAt(0, () => 0.01)
    expect(await problemOf(goTo(10, dome, RULES, () => undefined))).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'STAGNATION' } })
    expect(turns).toHaveLength(3)
  })

  test('that never comes near is given up after its corrections', async () => {
    const { dome, turns } = domeAt(0, (degrees) => degrees + (degrees > 0 ? 3 : -3))
    expect(await problemOf(goTo(10, dome, { ...RULES, corrections: 4 }, () => undefined))).toMatchObject({ facts: { instrumentCode: 'NOT_ARRIVED' } })
    expect(turns).toHaveLength(5)
  })

  test('without an encoder that is good is held before the motor turns, and after', async () => {
    const bad = { bad: 'the encoder is silent' }
    const before = domeAt(
      0,
      (degrees) => degrees,
      () => bad,
    )
    expect(await problemOf(goTo(10, before.dome, RULES, () => undefined))).toMatchObject({ effect: 'NONE', facts: { instrumentCode: 'ENCODER' } })
    expect(before.turns).toEqual([])
    const after = domeAt(
      0,
      (degrees) => degrees,
      (turn) => (turn === 0 ? undefined : bad),
    )
    expect(await problemOf(goTo(10, after.dome, RULES, () => undefined))).toMatchObject({ effect: 'DONE' })
  })

  test('that runs out of time has failed, unless it is within 2 deg', async () => {
    const far = domeAt(0, (degrees) => degrees - 5)
    expect(await problemOf(goTo(90, far.dome, { ...RULES, limitSeconds: 50 }, () => undefined))).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'DONE' })
    const said: string[] = []
    const near = domeAt(0, (degrees) => degrees - 1)
    await goTo(90, near.dome, { ...RULES, limitSeconds: 50 }, (message) => said.push(message))
    expect(said).toHaveLength(1)
  })
})

describe('the way', () => {
  test('is the short one', () => {
    expect(wayTo(350, 10, undefined)).toBe(20)
    expect(wayTo(10, 350, undefined)).toBe(-20)
    expect(wayTo(0, 180, undefined)).toBe(180)
  })

  test('stays in the sector, even if it is longer', () => {
    const sector = { minimum: 20, maximum: 340 }
    expect(wayTo(330, 30, sector)).toBe(-300)
    expect(wayTo(10, 30, sector)).toBe(20) // from outside: the short way in
    expect(wayTo(200, 340, sector)).toBe(140)
    expect([10, 20, 180, 340, 341].map((azimuth) => isWithin(azimuth, sector))).toEqual([false, true, true, true, false])
    expect(wayTo(350, 20, { minimum: 300, maximum: 60 })).toBe(30)
  })
})
