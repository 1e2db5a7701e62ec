import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IncompatibleUnit, InvalidValue, LimitViolation, ReadOnlyParameter } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { checkValue, exceedsDeadband, MAX_LIST_LENGTH, MAX_TEXT_LENGTH } from '../../core/parameter.ts'

function spec(part: Partial<ParameterSpec>): ParameterSpec {
  return { name: 'x', description: '', kind: 'FLOAT', access: 'READ_WRITE', ...part }
}
const position = spec({ name: 'position', unit: 'mm', minimum: -12.5, maximum: 12.5 })

describe('checkValue', () => {
  test('gives the value in the unit of the parameter', () => {
    expect(checkValue(position, 5)).toBe(5)
    expect(checkValue(position, 5000, 'um')).toBe(5)
    expect(checkValue(position, 12_500, 'um')).toBe(12.5)
    expect(() => checkValue(position, 1, 's')).toThrow(IncompatibleUnit)
  })

  test('refuses what is outside, in the words and the unit of the parameter', () => {
    expect(() => checkValue(position, 13)).toThrow(new LimitViolation('position', 13, -12.5, 12.5, 'mm'))
    expect(() => checkValue(position, 1, 'm')).toThrow('position: 1000 mm is outside -12.5 … 12.5 mm')
    expect(() => checkValue(spec({ minimum: 0 }), -1)).toThrow('x: -1 is outside 0 … ∞')
  })

  test('of a list, each number has the unit and the range', () => {
    const list: ParameterSpec = { ...position, kind: 'LIST' }
    expect(checkValue(list, [1, -12.5])).toEqual([1, -12.5])
    expect(checkValue(list, [1000, 2000], 'um')).toEqual([1, 2])
    expect(() => checkValue(list, [1, 13])).toThrow(new LimitViolation('position', 13, -12.5, 12.5, 'mm'))
    expect(() => checkValue(list, [1], 's')).toThrow(IncompatibleUnit)
  })

  test('never lets a number through that is not finite or not inside', () => {
    fc.assert(
      fc.property(fc.double(), (given) => {
        let taken: unknown
        try {
          taken = checkValue(position, given)
        } catch (error) {
          expect(error instanceof LimitViolation || error instanceof InvalidValue).toBe(true)
          return
        }
        expect(taken).toBe(given)
        expect(Math.abs(given)).toBeLessThanOrEqual(12.5)
      }),
    )
  })

  test.each([
    [spec({ kind: 'INTEGER' }), 1.5],
    [spec({ kind: 'INTEGER' }), 2 ** 60],
    [spec({ kind: 'BOOLEAN' }), 'true'],
    [spec({ kind: 'BOOLEAN' }), 1],
    [spec({ kind: 'TEXT' }), 5],
    [spec({ kind: 'TEXT' }), 'a'.repeat(MAX_TEXT_LENGTH + 1)],
    [spec({ kind: 'ENUM', choices: ['FAST', 'SLOW'] }), 'fast'],
    [spec({ kind: 'ENUM' }), 'FAST'],
    [spec({}), '5'],
    [spec({}), true],
    [spec({ kind: 'LIST' }), [1, Number.NaN]],
    [spec({ kind: 'LIST' }), new Array<number>(MAX_LIST_LENGTH + 1).fill(0)],
    [spec({ kind: 'LIST' }), 3],
  ])('refuses %o for %o', (parameter, given) => {
    expect(() => checkValue(parameter, given)).toThrow(InvalidValue)
  })

  test('takes what fits', () => {
    expect(checkValue(spec({ kind: 'INTEGER', minimum: 0 }), 0)).toBe(0)
    expect(checkValue(spec({ kind: 'BOOLEAN' }), false)).toBe(false)
    expect(checkValue(spec({ kind: 'ENUM', choices: ['FAST', 'SLOW'] }), 'SLOW')).toBe('SLOW')
    expect(checkValue(spec({ kind: 'TEXT' }), '')).toBe('')
    expect(checkValue(spec({ kind: 'LIST' }), [1, 2])).toEqual([1, 2])
  })

  test('says no to a parameter that can only be read, before anything else', () => {
    expect(() => checkValue(spec({ access: 'READ_ONLY' }), 'nonsense')).toThrow(ReadOnlyParameter)
  })
})

test('a reading is worth keeping beyond the deadband', () => {
  const within = spec({ deadband: 0.1 })
  expect(exceedsDeadband(within, 1, 1.05)).toBe(false)
  expect(exceedsDeadband(within, 1, 1.2)).toBe(true)
  expect(exceedsDeadband(spec({}), 1, 1)).toBe(false)
  expect(exceedsDeadband(spec({}), 1, 1 + Number.EPSILON)).toBe(true)
  expect(exceedsDeadband(within, undefined, 1)).toBe(true)
  expect(exceedsDeadband(within, 1, undefined)).toBe(true)
  expect(exceedsDeadband(within, undefined, undefined)).toBe(false)
  expect(exceedsDeadband(within, 'a', 'b')).toBe(true)
  expect(exceedsDeadband(within, [1, 2], [1.05, 2])).toBe(false)
  expect(exceedsDeadband(within, [1, 2], [1, 2.2])).toBe(true)
  expect(exceedsDeadband(within, [1, 2], [1])).toBe(true)
})
