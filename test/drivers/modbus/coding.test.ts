import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blocksOf } from '../../../drivers/modbus/blocks.ts'
import { decode, encode, rangeOf } from '../../../drivers/modbus/coding.ts'
import { CODINGS, type Coding, ORDERS, type Register } from '../../../drivers/modbus/profile.ts'

const register = (change: Partial<Register>): Register => {
  const coding = change.coding ?? 'u16'
  return {
    name: 'x',
    description: 'X',
    table: 'holding',
    at: 0,
    words: CODINGS[coding].words,
    coding,
    order: 'ABCD',
    scale: 1,
    offset: 0,
    access: 'READ_WRITE',
    verify: true,
    ...change,
  }
}
const NAMES = new Map([
  [0, 'off'],
  [5, 'on'],
])

describe('words to values', () => {
  test.each<[string, Partial<Register>, readonly number[], unknown]>([
    ['u16', { coding: 'u16' }, [65_535], 65_535],
    ['i16', { coding: 'i16' }, [65_535], -1],
    ['scaled by a tenth', { coding: 'u16', scale: 0.1 }, [3], 0.3],
    ['scaled and offset', { coding: 'u16', scale: 0.1, offset: -40 }, [655], 25.5],
    ['scaled up', { coding: 'i16', scale: 5 }, [65_534], -10],
    ['u32, high word first', { coding: 'u32' }, [0x0001, 0x0002], 65_538],
    ['u32, low word first', { coding: 'u32', order: 'CDAB' }, [0x0002, 0x0001], 65_538],
    ['u32, bytes swapped', { coding: 'u32', order: 'BADC' }, [0x0100, 0x0200], 65_538],
    ['u32, little endian', { coding: 'u32', order: 'DCBA' }, [0x0200, 0x0100], 65_538],
    ['i32', { coding: 'i32' }, [0xffff, 0xfffe], -2],
    ['f32', { coding: 'f32' }, [0x4248, 0xf5c3], 50.24],
    ['f64', { coding: 'f64' }, [0x4009, 0x21fb, 0x5444, 0x2d18], Math.PI],
    ['bcd', { coding: 'bcd', words: 2 }, [0x0012, 0x3456], 123_456],
    ['a letter among the digits', { coding: 'bcd' }, [0x00a1], undefined],
    ['text', { coding: 'text', words: 3 }, [0x5341, 0x5720, 0x2020], 'SAW'],
    ['text that is none', { coding: 'text', words: 1 }, [0x0341], undefined],
    ['a magnitude', { coding: 'magnitude', scale: 0.01 }, [65_536 - 250], 2.5],
    ['a code', { coding: 'code' }, [7], '7'],
    ['an enum', { coding: 'enum', names: NAMES }, [5], 'on'],
    ['an enum that it does not know', { coding: 'enum', names: NAMES }, [1], undefined],
    ['bits', { coding: 'bits', names: NAMES }, [0b100011], 'off, bit 1, on'],
    ['a bit', { coding: 'bit', bit: 9 }, [0x0200], true],
    ['not a number', { coding: 'f32' }, [0x7fc0, 0], undefined],
    ['too few words', { coding: 'f32' }, [0x4248], undefined],
  ])('%s', (_, change, words, value) => {
    expect(decode(register(change), words)).toBe(value)
  })
})

const numeric = fc.constantFrom<Coding>('u16', 'i16', 'u32', 'i32', 'bcd', 'magnitude')
const order = fc.constantFrom(...ORDERS)

describe('values to words', () => {
  test('what was set reads back as what was set, in every coding and order', () => {
    fc.assert(
      fc.property(numeric, order, fc.constantFrom(1, 0.1, 0.01, 0.5, 10), fc.double({ min: 0, max: 1, noNaN: true }), (coding, bytes, scale, part) => {
        const each = register({ coding, order: bytes, scale })
        const range = rangeOf(each) ?? expect.fail('no range')
        const counts = Math.round((range.minimum + part * (range.maximum - range.minimum)) / scale)
        const value = decode(each, encode(each, Math.max(range.minimum, Math.min(range.maximum, Number((counts * scale).toPrecision(15))))))
        expect(decode(each, encode(each, value ?? Number.NaN))).toBe(value)
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom('f32', 'f64'), order, fc.float({ noNaN: true, noDefaultInfinity: true }), (coding, bytes, number) => {
        const each = register({ coding, order: bytes })
        const value = decode(each, encode(each, number))
        expect(decode(each, encode(each, value ?? Number.NaN))).toBe(value)
      }),
    )
  })

  test('nothing is cut off: what the register cannot hold is refused', () => {
    fc.assert(
      fc.property(numeric, order, fc.double({ noNaN: true }), (coding, bytes, value) => {
        const each = register({ coding, order: bytes, minimum: -50_000, maximum: 1e9 })
        try {
          const words = encode(each, value)
          expect(words.every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffff)).toBe(true)
          expect(Math.abs(Number(decode(each, words)) - value)).toBeLessThanOrEqual(0.5)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/LIMIT_VIOLATION|INVALID_VALUE/), effect: 'NONE' })
        }
      }),
    )
    expect(() => encode(register({ coding: 'text', words: 1 }), 'SAW')).toThrow('at most 2 ASCII characters')
    expect(() => encode(register({ coding: 'enum', names: NAMES }), 'auto')).toThrow('choose one of off, on')
    expect(() => encode(register({ coding: 'bit', bit: 1 }), 1)).toThrow('true or false')
  })

  test('whatever the words are, a value is finite or there is none', () => {
    const words = fc.array(fc.oneof(fc.nat(0xffff), fc.double(), fc.integer()), { maxLength: 5 })
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(CODINGS) as Coding[])), order, words, (coding, bytes, given) => {
        const value = decode(register({ coding, order: bytes, bit: 3, names: NAMES }), given)
        expect(value === undefined || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)).toBe(true)
      }),
    )
  })
})

describe('requests', () => {
  const at = (...addresses: readonly number[]): readonly Register[] => addresses.map((address) => register({ at: address, name: `r${address}` }))

  test('are as few as the limits allow, and hold every register whole', () => {
    expect(blocksOf(at(0, 5, 124, 125), { longest: 125, readThrough: 125 }).map(({ at: first, count, holes }) => [first, count, holes])).toEqual([
      [0, 125, true],
      [125, 1, false],
    ])
    expect(blocksOf(at(0, 1, 2, 5), { longest: 125, readThrough: 0 }).map(({ at: first, count }) => [first, count])).toEqual([
      [0, 3],
      [5, 1],
    ])
    const some = fc.uniqueArray(fc.record({ table: fc.constantFrom('holding', 'input', 'coil'), at: fc.nat(3000), long: fc.boolean() }), {
      maxLength: 60,
      selector: ({ table, at: first }) => `${table} ${first}`,
    })
    fc.assert(
      fc.property(some, fc.integer({ min: 2, max: 125 }), fc.nat(125), (wanted, longest, readThrough) => {
        const registers = wanted.map(({ table, at: first, long }) =>
          register({ table, at: first, coding: long && table !== 'coil' ? 'u32' : 'u16', name: `${table} ${first}` }),
        )
        const blocks = blocksOf(registers, { longest, readThrough })
        expect(blocks.flatMap((block) => block.registers.map(({ name }) => name)).sort()).toEqual(registers.map(({ name }) => name).sort())
        for (const block of blocks) {
          expect(block.count).toBeLessThanOrEqual(block.table === 'coil' ? 2000 : longest)
          for (const each of block.registers)
            expect(each.table === block.table && each.at >= block.at && each.at + each.words <= block.at + block.count).toBe(true)
        }
      }),
    )
  })
})
