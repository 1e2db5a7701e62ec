import { expect, test } from 'vitest'
import { toNumber, toValueInput } from '../../web/src/model/value-input.ts'

test('each kind becomes the one field that the API takes for it', () => {
  expect(toValueInput('FLOAT', '1.5')).toEqual({ number: 1.5 })
  expect(toValueInput('FLOAT', -2)).toEqual({ number: -2 })
  expect(toValueInput('INTEGER', '7')).toEqual({ integer: 7 })
  expect(toValueInput('BOOLEAN', false)).toEqual({ boolean: false })
  expect(toValueInput('ENUM', 'FAST')).toEqual({ text: 'FAST' })
  expect(toValueInput('TEXT', '')).toEqual({ text: '' })
  expect(toValueInput('LIST', '1, 2.5 3')).toEqual({ list: [1, 2.5, 3] })
})

test('what is no value says so in words', () => {
  for (const [kind, given] of [
    ['FLOAT', 'x'],
    ['FLOAT', ''],
    ['INTEGER', '1.5'],
    ['LIST', '1, b'],
  ] as const)
    expect(toValueInput(kind, given)).toHaveProperty('reason')
})

test('a printed minus is a minus', () => {
  expect(toNumber('−3.5')).toBe(-3.5)
  expect(toNumber(' ')).toBeUndefined()
  expect(toNumber(Number.POSITIVE_INFINITY)).toBeUndefined()
})
