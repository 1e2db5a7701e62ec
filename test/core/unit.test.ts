import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IncompatibleUnit } from '../../core/errors.ts'
import { convert, isUnit } from '../../core/unit.ts'

describe('convert', () => {
  test.each([
    [1, 'mm', 'm', 0.001],
    [0.3, 'mm', 'um', 300],
    [25, 'Cel', 'K', 298.15],
    [298.15, 'K', 'Cel', 25],
    [1, 'mm/s2', 'm/s2', 0.001],
    [1, 'm.s-1', 'm/s', 1],
    [1, 'W/cm2', 'W/m2', 10_000],
    [180, 'deg', 'rad', Number(Math.PI.toPrecision(12))],
    [1, '[in_i]', 'mm', 25.4],
    [1e6, '10*-6.[in_i]', 'mm', 25.4],
    [1000, '[mil_i]', '[in_i]', 1],
    [50, '%', '1', 0.5],
    [1, '{count}/s', 'Hz', 1],
    [1, 'cm-1', 'm-1', 100],
    [1, 'eV', 'J', 1.602176634e-19],
    [1, 'mbar', 'Pa', 100],
    [1, 'min', 's', 60],
    [1, 'V/A', 'Ohm', 1],
    [1, 'V.A', 'W', 1],
    [1, 'C/V', 'F', 1],
    [1, 'mL', 'cm3', 1],
    [5, 'uW', 'nW', 5000],
    [1, 'kg.m/s2', 'N', 1],
    [1, 'T.m2', 'V.s', 1],
  ])('%d %s is %s: %d', (value, from, to, expected) => {
    expect(convert(value, from, to)).toBe(expected)
  })

  test('leaves a value alone when no unit is said or it is the same', () => {
    expect(convert(0.1 + 0.2, 'mm', 'mm')).toBe(0.1 + 0.2)
    expect(convert(7, undefined, 'mm')).toBe(7)
    expect(convert(7, 'parsecs of nothing', 'parsecs of nothing')).toBe(7)
  })

  test('does not let rounding push a value over a limit', () => {
    expect(convert(300.00000000000006, 'um', 'mm')).toBe(0.3)
  })

  test('there and back is the same, to twelve digits', () => {
    const lengths = ['nm', 'um', 'mm', 'cm', 'm', 'km', '[in_i]']
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(...lengths), fc.constantFrom(...lengths), (value, one, other) => {
        expect(Math.abs(convert(convert(value, one, other), other, one) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-11 + Number.MIN_VALUE * 1e9)
      }),
    )
  })

  test.each([
    ['mm', 's'],
    ['W', 'J'],
    ['Cel', 'm'],
    ['mm', undefined],
    ['furlong', 'm'],
    ['m', 'furlong'],
    ['rad', '1'],
  ])('%s to %s is refused', (from, to) => {
    expect(() => convert(1, from, to)).toThrow(IncompatibleUnit)
  })
})

test('knows units from other text', () => {
  for (const code of ['m', 'mm', 'Ohm', 'kOhm', 'dam', 'cd', 'min', '%', '{frames}', '1', 'kg.m/s2', "'", '[ppm]', '/s', '[mil_i]', '10*-6.[in_i]/s2'])
    expect(isUnit(code), code).toBe(true)
  for (const code of ['', 'xyz', 'mCel', 'mmin', 'Cel/s', 'm//s', 'm.', '2m', 'M', 'constructor', '__proto__', 'toString'])
    expect(isUnit(code), code).toBe(false)
})

test('any text is a unit or not, never a fault', () => {
  fc.assert(
    fc.property(fc.string(), (text) => typeof isUnit(text) === 'boolean'),
    { numRuns: 2000 },
  )
})
