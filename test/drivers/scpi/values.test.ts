import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BLOCK_ITEMS, type ValueFormat } from '../../../drivers/scpi/description.ts'
import { MessageCutter } from '../../../drivers/scpi/line-messages.ts'
import { formatValue, parseReply, replyShape } from '../../../drivers/scpi/values.ts'

const FLOAT: ValueFormat = {
  name: 'x',
  kind: 'FLOAT',
  scale: 1,
  format: { kind: 'shortest' },
  quoted: false,
  reply: { invalid: new Map() },
  words: { true: ['1', 'ON'], false: ['0', 'OFF'] },
}
const INTEGER: ValueFormat = { ...FLOAT, kind: 'INTEGER', format: { kind: 'decimals', digits: 0 } }
const BOOLEAN: ValueFormat = { ...FLOAT, kind: 'BOOLEAN' }
const TEXT: ValueFormat = { ...FLOAT, kind: 'TEXT', quoted: true }
const LIST: ValueFormat = { ...FLOAT, kind: 'LIST' }
const ENUM: ValueFormat = {
  ...FLOAT,
  kind: 'ENUM',
  choices: new Map([
    ['dc', ['VOLT', 'VOLTage']],
    ['high', ['1E+3']],
  ]),
}

describe('an answer', () => {
  test.each<readonly [ValueFormat, string, unknown]>([
    [FLOAT, '+1.04530000E+00', { value: 1.0453 }],
    [FLOAT, '-.5', { value: -0.5 }],
    [FLOAT, '5.', { value: 5 }],
    [{ ...FLOAT, scale: 0.001 }, '12.5', { value: 0.0125 }],
    [FLOAT, '+9.90000000E+37', { bad: expect.stringContaining('overload') }],
    [FLOAT, '-9.9E37', { bad: expect.stringContaining('overload') }],
    [{ ...FLOAT, scale: 0.001 }, '9.9E37', { bad: expect.stringContaining('overload') }],
    [FLOAT, '9.91E37', { bad: expect.stringContaining('not a number') }],
    [FLOAT, 'NAN', { bad: expect.stringContaining('NAN') }],
    [FLOAT, '1,2', { bad: '"1,2" is not a number' }],
    [FLOAT, '0x10', { bad: '"0x10" is not a number' }],
    [FLOAT, '1e999', { bad: '"1e999" is not a number' }],
    [FLOAT, '', { bad: '"" is not a number' }],
    [{ ...FLOAT, reply: { invalid: new Map([['-999', 'no sensor']]) } }, '-9.99E2', { bad: expect.stringContaining('no sensor') }],
    [{ ...FLOAT, reply: { pattern: /^([\d.]+)V$/, invalid: new Map() } }, '3.00V', { value: 3 }],
    [{ ...FLOAT, reply: { pattern: /^([\d.]+)V$/, invalid: new Map() } }, '3.00A', { bad: expect.stringContaining('3.00A') }],
    [{ ...FLOAT, reply: { element: 2, invalid: new Map() } }, '+0050.0,+0020.0,+0000.0', { value: 20 }],
    [{ ...FLOAT, reply: { element: 4, invalid: new Map() } }, '1,2,3', { bad: '"1,2,3" has no value 4' }],
    [INTEGER, '+12', { value: 12 }],
    [INTEGER, '1.5', { bad: '"1.5" is not a whole number' }],
    [BOOLEAN, 'on', { value: true }],
    [BOOLEAN, '+0', { value: false }],
    [BOOLEAN, '2', { bad: expect.stringContaining('neither 1 or ON') }],
    [TEXT, '"say ""hi"""', { value: 'say "hi"' }],
    [ENUM, '"VOLT"', { value: 'dc' }],
    [ENUM, 'volt', { value: 'dc' }],
    [ENUM, '+1.00000000E+03', { value: 'high' }],
    [ENUM, 'TEMP', { bad: expect.stringContaining('none of the choices') }],
    [LIST, '1,2.5,-3E0', { value: [1, 2.5, -3] }],
    [LIST, '1,9.9E37', { bad: expect.stringContaining('overload') }],
    [LIST, Array.from({ length: 1001 }, () => '1').join(','), { bad: expect.stringContaining('at most 1000') }],
    [{ ...LIST, reply: { block: { item: 'float32', little: false }, invalid: new Map() } }, `#18${'\x3f\x80\0\0\xbf\x80\0\0'}`, { value: [1, -1] }],
    [{ ...LIST, reply: { block: { item: 'int16', little: true }, invalid: new Map() } }, '#14\x01\0\xff\xff', { value: [1, -1] }],
    [{ ...LIST, reply: { block: { item: 'int16', little: true }, invalid: new Map() } }, '#15\x01\0\xff\xff', { bad: expect.stringContaining('not a block') }],
  ])('%o %s', (format, text, expected) => {
    expect(parseReply(format, text)).toEqual(expected)
  })

  test('of another shape is not taken for one', () => {
    expect(replyShape(FLOAT).test('ACME,TINY,1,1.0')).toBe(false)
    expect(replyShape(TEXT).test('+1.0')).toBe(false)
    expect(replyShape({ ...FLOAT, reply: { element: 3, invalid: new Map() } }).test('1,2')).toBe(false)
    expect(replyShape({ ...FLOAT, reply: { invalid: new Map([['----', 'no sensor']]) } }).test('----')).toBe(true)
  })

  test('whatever it is: a value of the kind, or bad with a reason', () => {
    const formats = [
      FLOAT,
      INTEGER,
      BOOLEAN,
      TEXT,
      ENUM,
      LIST,
      ...BLOCK_ITEMS.map((item) => ({ ...LIST, reply: { block: { item, little: true }, invalid: new Map() } })),
    ]
    const text = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.string({ unit: fc.constantFrom('+', '-', '.', 'E', '0', '1', '9', ',', '"', '#', ' ') }),
      fc.tuple(fc.nat(9), fc.nat(20), fc.string()).map(([digits, count, rest]) => `#${digits}${count}${rest}`),
    )
    fc.assert(
      fc.property(fc.constantFrom(...formats), text, (format, answer) => {
        replyShape(format).test(answer)
        const measured = parseReply(format, answer)
        if ('bad' in measured) return measured.bad !== ''
        const { value } = measured
        switch (format.kind) {
          case 'FLOAT':
          case 'INTEGER':
            return typeof value === 'number' && Math.abs(value) < 9.9e37
          case 'BOOLEAN':
            return typeof value === 'boolean'
          case 'ENUM':
            return format.choices?.has(String(value)) === true
          case 'LIST':
            return Array.isArray(value) && value.every((item) => Number.isFinite(item))
          default:
            return typeof value === 'string'
        }
      }),
    )
  })
})

describe('a value', () => {
  test.each<readonly [ValueFormat, number | string | boolean, string]>([
    [FLOAT, 0.1, '0.1'],
    [FLOAT, 1e-7, '1E-7'],
    [{ ...FLOAT, scale: 0.001 }, 0.0125, '12.5'],
    [{ ...FLOAT, format: { kind: 'decimals', digits: 3 } }, 1.0005, '1.000'],
    [{ ...FLOAT, format: { kind: 'decimals', digits: 2 } }, -0.001, '0.00'],
    [{ ...FLOAT, format: { kind: 'significant', digits: 3 } }, 123_456, '123000'],
    [INTEGER, 7, '7'],
    [BOOLEAN, true, '1'],
    [ENUM, 'dc', 'VOLT'],
    [TEXT, 'say "hi"', '"say ""hi"""'],
    [{ ...TEXT, quoted: false }, 'plain 1', 'plain 1'],
  ])('%o %s stands on the wire as %s', (format, value, text) => {
    expect(formatValue(format, value)).toBe(text)
  })

  test('that would leave its range by being rounded is refused', () => {
    const format = { ...FLOAT, format: { kind: 'decimals', digits: 1 }, maximum: 0.26 } as const
    expect(formatValue(format, 0.24)).toBe('0.2')
    expect(() => formatValue(format, 0.26)).toThrow('out of range')
  })

  test('of a list, each number is in range', () => {
    expect(formatValue({ ...LIST, minimum: 0, maximum: 5 }, [0, 2.5, 5])).toBe('0,2.5,5')
    expect(() => formatValue({ ...LIST, maximum: 5 }, [1, 6])).toThrow('out of range')
  })

  test('no text becomes a second command', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '"', "'", ';', '\n', '\r', '\0', '?', '*') })), (quoted, text) => {
        let sent: string
        try {
          sent = formatValue({ ...TEXT, quoted }, text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_VALUE' })
          return
        }
        expect(sent).not.toMatch(/[\n\r\0]/)
        if (!quoted) expect(sent).not.toMatch(/[;"'?*:]/)
        else expect(parseReply(TEXT, sent)).toEqual({ value: text })
      }),
    )
  })

  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.constantFrom(1, 0.001, 1000), (value, scale) => {
        const measured = parseReply({ ...FLOAT, scale }, formatValue({ ...FLOAT, scale }, value))
        expect('value' in measured && typeof measured.value === 'number' ? measured.value : Number.NaN).toBeCloseTo(
          value,
          -Math.floor(Math.log10(Math.abs(value) + 1e-9)) + 9,
        )
      }),
    )
  })
})

describe('messages in a stream of bytes', () => {
  test('a block may hold the terminator', () => {
    const cutter = new MessageCutter('\n')
    expect(cutter.take(Buffer.from('#14\n\n'))).toEqual([])
    expect(cutter.take(Buffer.from('ab\n1\n'))).toEqual(['#14\n\nab', '1'])
  })

  test('come out whole however they are cut', () => {
    const message = fc.oneof(
      fc.string({ unit: fc.constantFrom('1', '.', 'E', ',', 'a'), minLength: 1 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => `#2${String(bytes.length).padStart(2, '0')}${Buffer.from(bytes).toString('latin1')}`),
    )
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.integer({ min: 1, max: 7 }), (messages, step) => {
        const bytes = Buffer.from(messages.map((each) => `${each}\n`).join(''), 'latin1')
        const cutter = new MessageCutter('\n')
        const got: string[] = []
        for (let at = 0; at < bytes.length; at += step) got.push(...cutter.take(bytes.subarray(at, at + step)))
        expect(got).toEqual(messages)
      }),
    )
  })
})
