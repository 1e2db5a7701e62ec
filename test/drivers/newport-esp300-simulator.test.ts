import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { convert, isUnit } from '../../core/unit.ts'
import * as protocol from '../../drivers/newport-esp300/protocol.ts'
import { Esp300Simulator } from '../../drivers/newport-esp300/simulator.ts'
import { AXIS_UNITS } from '../../drivers/newport-esp300/units.ts'

const LENGTHS: ReadonlySet<string> = new Set(['mm', 'um', 'inch', 'milli-inch', 'micro-inch'])
const quiet = { random: () => 0, accepted: () => undefined }

describe('the protocol', () => {
  test('the error message of TB?, however it is spaced', () => {
    for (const reply of ['108, 451339, MOTOR OR STAGE NOT CONNECTED', '108,451339,MOTOR OR STAGE NOT CONNECTED'])
      expect(protocol.parseErrorText(reply)).toMatchObject({ code: 108, axis: 1, text: 'MOTOR OR STAGE NOT CONNECTED' })
    expect(protocol.parseErrorText('0, 451322, NO ERROR DETECTED')).toBe('none')
    expect(protocol.parseErrorText('213')).toBeUndefined()
  })

  test('the status character of TS', () => {
    expect(protocol.parseStatus('P')).toEqual({ moving: [], motorOn: true })
    expect(protocol.parseStatus('E')).toEqual({ moving: [1, 3], motorOn: false })
    expect(protocol.parseStatus('\x12')).toEqual({ moving: [2], motorOn: true })
    expect(protocol.parseStatus('PP')).toBeUndefined()
  })

  test('every unit is one that can be converted', () => {
    expect(AXIS_UNITS.filter(({ ucum }) => !isUnit(ucum))).toEqual([])
    expect(AXIS_UNITS.map(({ code, name }) => `${code} ${name}`)).toEqual([
      '0 encoder-count',
      '1 motor-step',
      '2 mm',
      '3 um',
      '4 inch',
      '5 milli-inch',
      '6 micro-inch',
      '7 deg',
      '8 gradian',
      '9 rad',
      '10 mrad',
      '11 urad',
    ])
    const inSi = Object.fromEntries(AXIS_UNITS.slice(2).map(({ name, ucum }) => [name, convert(1, ucum, LENGTHS.has(name) ? 'm' : 'rad')]))
    for (const [name, value] of Object.entries({
      mm: 1e-3,
      um: 1e-6,
      inch: 0.0254,
      'milli-inch': 25.4e-6,
      'micro-inch': 25.4e-9,
      deg: Math.PI / 180,
      gradian: Math.PI / 200,
      rad: 1,
      mrad: 1e-3,
      urad: 1e-6,
    }))
      expect((inSi[name] ?? Number.NaN) / value).toBeCloseTo(1, 9)
  })

  test('every error code that the manual lists has its words', () => {
    const general = [1, 2, 4, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 38, 39, 40, 41]
    const ofAnAxis = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 30, 31, 32]
    expect(protocol.ERROR_CODES.map(Number)).toEqual([...general, ...[100, 200, 300].flatMap((axis) => ofAnAxis.map((code) => axis + code))])
    for (const [code, words] of [
      ['6', 'command does not exist'],
      ['9', 'axis number out of range'],
      ['38', 'command parameter missing'],
      ['103', 'following error above its limit'],
      ['206', 'positive software limit'],
      ['307', 'negative software limit'],
      ['104', 'positive hardware limit'],
      ['105', 'negative hardware limit'],
      ['213', 'motor not enabled'],
      ['120', 'homing aborted'],
    ] as const)
      expect(protocol.parseError(code)).toMatchObject({ code: Number(code), message: words })
  })

  test('no text crashes a parser, and none becomes an error that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{0,4}[, ]{0,2}\d{0,4}[, ]{0,2}[A-Z]{0,4}$/)), (text) => {
        const error = protocol.parseErrorText(text)
        expect(error === undefined || text.startsWith(String(error === 'none' ? 0 : error.code).slice(0, 1)) || /^0*\d/.test(text)).toBe(true)
        expect(protocol.parseStatus(text) === undefined || text.length === 1).toBe(true)
      }),
    )
  })
})

describe('the simulated controller', () => {
  const at = (simulator: Esp300Simulator, text: string, seconds = 0): string =>
    Buffer.from(simulator.receive(Buffer.from(`${text}\r`, 'latin1'), seconds))
      .toString('latin1')
      .trimEnd()

  test('answers as recorded, in either case, however a command ends', () => {
    const simulator = new Esp300Simulator(quiet)
    for (const question of ['VE?', 'VE', '*IDN?', 've?', 'VE?\r\n', 'V E ?']) expect(at(simulator, question)).toBe('ESP300 Version 3.04 07/27/01')
    expect(at(simulator, '1ID?')).toBe('TS50DC.5, SN1263')
    expect(at(simulator, '1pa12.3456;1md?')).toBe('0')
    expect(at(simulator, '1TP;1TP?;1DP?;1MD?', 10)).toBe('12.3456\r\n12.3456\r\n12.3456\r\n1')
    expect(at(simulator, 'TS', 10)).toBe('P')
  })

  test.each(protocol.ERROR_CODES)('error %s can be provoked, and is told once by TE? and by TB?', (code) => {
    const simulator = new Esp300Simulator(quiet)
    simulator.provoke(code, 1)
    simulator.provoke(code, 1)
    expect(at(simulator, 'TE?', 2)).toBe(code)
    expect(at(simulator, 'TB?', 2)).toBe(`${code}, 2500, ${protocol.errorMessage(Number(code))}`)
    expect(at(simulator, 'TE?', 2)).toBe('0')
    expect(at(simulator, 'TB?', 2)).toBe('0, 5000, NO ERROR DETECTED')
  })

  test('keeps ten errors', () => {
    const simulator = new Esp300Simulator(quiet)
    for (let count = 0; count < 15; count += 1) at(simulator, '4PA1')
    const told = Array.from({ length: 11 }, () => at(simulator, 'TE?'))
    expect(told).toEqual([...Array.from({ length: 10 }, () => '9'), '0'])
  })

  test('refuses with the documented codes', () => {
    const refused = (text: string): string => {
      const simulator = new Esp300Simulator(quiet)
      at(simulator, '1PA20;3MF')
      at(simulator, text)
      return at(simulator, 'TE?')
    }
    expect(
      Object.fromEntries(
        ['9PA1', 'PA1', '1PA', '1QQ1', '3PA1', '2PA25.1', '2PA-0.1', '1VA0', '1VA500', '1AC5000', '1SN7', '1SN12', '1PA1.2.3', '1OR7'].map((text) => [
          text,
          refused(text),
        ]),
      ),
    ).toEqual({
      '9PA1': '9', // axis out of range
      PA1: '37', // axis missing
      '1PA': '38', // parameter missing
      '1QQ1': '6', // no such command
      '3PA1': '313', // motor off
      '2PA25.1': '206', // positive software limit
      '2PA-0.1': '207',
      '1VA0': '101',
      '1VA500': '110',
      '1AC5000': '111',
      '1SN7': '101', // a linear stage has no degrees
      '1SN12': '7',
      '1PA1.2.3': '7',
      '1OR7': '7',
    })
  })

  test('stops at a hardware limit that the software limits let it reach, and says so when it gets there', () => {
    const simulator = new Esp300Simulator(quiet)
    at(simulator, '1SR40;1VA100;1AC1000;1AG1000;1PA35')
    expect(at(simulator, 'TE?', 0.1)).toBe('0')
    expect(at(simulator, 'TE?', 2)).toBe('104')
    expect(at(simulator, '1TP', 2)).toBe('26.0000')
  })

  test.each([
    ['0', 5], // the zero count is where it was
    ['1', 0.05],
    ['2', 0],
    ['3', 25.7],
    ['4', -0.7],
    ['5', 25.05],
    ['6', 0.05],
  ] as const)('searches home in mode %s, taking its time', (mode, physical) => {
    const simulator = new Esp300Simulator(quiet)
    at(simulator, '1PA5;1DH')
    at(simulator, '1PA5', 0)
    expect(at(simulator, '1MD?', 10)).toBe('1')
    at(simulator, '1DH0', 10)
    at(simulator, '1PA3', 10)
    at(simulator, '', 20)
    at(simulator, `1OR${mode}`, 20)
    expect(at(simulator, '1MD?', 20.1)).toBe('0')
    at(simulator, '1PA1;1OR;1DH', 20.1)
    expect([at(simulator, 'TE?', 20.1), at(simulator, 'TE?', 20.1), at(simulator, 'TE?', 20.1)]).toEqual(['130', '130', '130'])
    expect(at(simulator, '1MD?', 60)).toBe('1')
    expect(at(simulator, '1TP;1DP?', 60)).toBe('0.0000\r\n0.0000')
    expect(simulator.position(1, 60)).toBeCloseTo(physical, 6)
    expect(at(simulator, 'TE?', 60)).toBe('0')
  })

  test('a search for home that is stopped was aborted', () => {
    for (const stop of ['1ST', 'ST', 'AB', '1MF']) {
      const simulator = new Esp300Simulator(quiet)
      at(simulator, '1PA10')
      at(simulator, '1OR', 10)
      at(simulator, stop, 10.1)
      expect(at(simulator, 'TE?', 10.2)).toBe('120')
      expect(at(simulator, '1MD?', 12)).toBe('1')
    }
  })

  test('WS holds every command but an abort until the axis stands, and so long after', () => {
    const simulator = new Esp300Simulator(quiet)
    at(simulator, '1VA10;1AC1000;1AG1000;1PA10')
    expect(at(simulator, '1WS500;1TP;1MD?', 0.1)).toBe('')
    expect(at(simulator, '2ID?', 0.5)).toBe('')
    const due = simulator.dueAt() ?? 0
    expect(due).toBeCloseTo(1.01 + 0.5, 3)
    expect(simulator.receive(new Uint8Array(), due - 0.01)).toHaveLength(0)
    expect(Buffer.from(simulator.receive(new Uint8Array(), due)).toString()).toBe('10.0000\r\n1\r\nTS50DC.5, SN1264\r\n')
    expect(simulator.dueAt()).toBeUndefined()
    at(simulator, '1PA0;1WS', 10)
    expect(at(simulator, '1ST', 10.2)).toBe('')
    expect(simulator.moving(1, 10.4)).toBe(true)
    at(simulator, 'AB', 10.4)
    expect(simulator.moving(1, 10.45)).toBe(false)
  })

  test('the same place in every unit that fits', () => {
    const linear = new Esp300Simulator(quiet)
    at(linear, '1PA12.7')
    const counted = (unit: number): string => at(linear, `1SN${unit};1TP;1VA?;1SN?`, 10).replaceAll('\r\n', ' ')
    expect([2, 3, 4, 5, 6, 0, 1].map(counted)).toEqual([
      '12.7000 10 2',
      '12700.0 10000 3',
      '0.500000 0.39370079 4',
      '500.000 393.70079 5',
      '500000 393700.79 6',
      '127000 100000 0',
      '25400 20000 1',
    ])
    expect(at(linear, '1SN4;1PA0.25;1DP?;1SN2;1DP?', 20)).toBe('0.250000\r\n6.3500')
    const rotary = new Esp300Simulator(quiet, { rotary: [3] })
    at(rotary, '3PA18')
    expect([7, 8, 9, 10, 11].map((unit) => at(rotary, `3SN${unit};3TP`, 10))).toEqual(['18.0000', '20.0000', '0.314159', '314.159', '314159'])
    expect(at(rotary, '3SN2;TE?', 10)).toBe('301')
  })
})
