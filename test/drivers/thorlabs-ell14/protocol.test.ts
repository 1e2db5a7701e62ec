import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as protocol from '../../../drivers/thorlabs-ell14/protocol.ts'

describe('the protocol', () => {
  test('identities as they were recorded, in the layout of the vendor', () => {
    const identity = (line: string) => protocol.parseIdentity(line)
    expect(identity('2IN0E1140051720231701016800023000')).toEqual({
      type: 14,
      serial: '11400517',
      year: 2023,
      firmware: '17',
      hardware: 1,
      thread: 'metric',
      travelDegrees: 360,
      pulsesPerTurn: 143_360,
    })
    expect(identity('3IN0E1140028420211501016800023000')).toMatchObject({ serial: '11400284', year: 2021, firmware: '15' })
    expect(identity('8IN0E1140060920231701016800023000')).toMatchObject({ serial: '11400609', year: 2023, firmware: '17' })
    expect(identity('2IN0E1140051720231781016800023000')).toMatchObject({ thread: 'imperial', hardware: 1 })
    expect(identity('2IN0E114005172023170101680002')).toBeUndefined()
  })

  test.each([
    [45, 17_920, '00004600'],
    [90, 35_840, '00008C00'],
    [180, 71_680, '00011800'],
    [360, 143_360, '00023000'],
    [0.05, 20, '00000014'],
    [-24.04, -9572, 'FFFFDA9C'],
    [-30.86, -12_288, 'FFFFD000'],
  ])('%d° are %d pulses, %s on the wire', (degrees, pulses, digits) => {
    expect(Math.abs(protocol.pulsesOf(degrees, 143_360) - pulses)).toBeLessThanOrEqual(1) // the recorded angles are rounded to 0.01°
    expect(protocol.long(pulses)).toBe(digits)
    expect(protocol.parsePulses(`2PO${digits}`, 'PO')).toBe(pulses)
    expect(protocol.degreesOf(pulses, 143_360)).toBeCloseTo(degrees, 1)
  })

  const { ask, command } = protocol
  test.each([
    [ask.identity('2'), '2in'],
    [ask.status('F'), 'Fgs'],
    [ask.position('2'), '2gp'],
    [ask.velocity('2'), '2gv'],
    [ask.jogStep('2'), '2gj'],
    [ask.homeOffset('2'), '2go'],
    [ask.motor('2', 1), '2i1'],
    [ask.motor('2', 2), '2i2'],
    [command.moveTo('2', 17_920), '2ma00004600'],
    [command.moveBy('A', -9572), 'AmrFFFFDA9C'],
    [command.home('3', 'clockwise'), '3ho0'],
    [command.home('3', 'counter-clockwise'), '3ho1'],
    [command.jog('2', 'forward'), '2fw'],
    [command.jog('2', 'backward'), '2bw'],
    [command.stop('2'), '2st'],
    [command.velocity('3', 100), '3sv64'],
    [command.jogStep('2', 398), '2sj0000018E'],
    [command.homeOffset('2', -1), '2soFFFFFFFF'],
    [command.period('2', 1, 'forward', 0xb7), '2f180B7'],
    [command.period('2', 2, 'backward', 0x8d), '2b2808D'],
    [command.factoryPeriod('2', 2, 'backward'), '2b28FFF'],
    [command.searchResonance('2', 2), '2s2'],
    [command.currentCurve('2', 1), '2c1'],
    [command.skipFrequencySearch('2'), '2sk'],
    [command.enableFrequencySearch('2'), '2se'],
    [command.isolate('2', 10), '2is0A'],
    [command.clean('2'), '2cm'],
    [command.optimise('2'), '2om'],
    [command.save('2'), '2us'],
    [command.changeAddress('2', 'B'), '2caB'],
    [command.listenTo('3', '2'), '3ga2'],
  ])('%s is written %s, without a terminator', (written, manual) => expect(written).toBe(manual))

  test('a motor as it was recorded', () => {
    const info = protocol.parseMotor('2I1100B85FFFFFFFF00B7008D', 1)
    expect(info).toMatchObject({ loop: true, on: false, rampUp: undefined, rampDown: undefined })
    expect(info?.currentAmperes).toBeCloseTo(0x0b85 / 1866, 9)
    expect(info?.forwardHz).toBeCloseTo(14_740_000 / 0xb7, 6)
    expect(info?.backwardHz).toBeCloseTo(14_740_000 / 0x8d, 6)
  })

  test('status codes are numbers, not bits', () => {
    const texts = ['00', ...protocol.ERROR_CODES].map((code) => `${code} ${protocol.parseStatus(`2GS${code}`)?.text}`)
    expect(texts).toEqual([
      '00 ok',
      '01 communication time-out',
      '02 mechanical time-out',
      '03 command error or not supported',
      '04 value out of range',
      '05 module isolated',
      '06 module out of isolation',
      '07 initialisation error',
      '08 thermal error',
      '09 busy',
      '0A sensor error',
      '0B motor error',
      '0C out of range',
      '0D over-current',
    ])
    expect(protocol.parseStatus('2GS0E')).toMatchObject({ ok: false, text: 'unknown' })
    expect(protocol.parseStatus('2GS09')).toMatchObject({ busy: true, ok: false })
    expect(protocol.parseStatus('2GS01')).toMatchObject({ busy: false, ok: false })
    expect(protocol.parseStatus('x2GS00')).toBeUndefined()
  })

  test('a curve: 87 points of frequency and current', () => {
    const bytes = Buffer.alloc(protocol.CURVE_BYTES)
    bytes.writeUInt16BE(183, 0)
    bytes.writeUInt32BE(1866, 2)
    const curve = protocol.parseCurve(bytes)
    expect(curve).toHaveLength(174)
    expect(curve[0]).toBeCloseTo(80_546.4, 1)
    expect(curve[1]).toBe(1)
    expect(curve[2]).toBe(0)
  })

  test('no text becomes a value that it is not', () => {
    const almost = fc.stringMatching(/^[0-9A-F]?(PO|GS|GV|IN|I1|C1)[0-9A-Fa-f]{0,34}$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost), (line) => {
        const pulses = protocol.parsePulses(line, 'PO')
        if (pulses !== undefined) expect(line.slice(1)).toBe(`PO${protocol.long(pulses)}`)
        const status = protocol.parseStatus(line)
        if (status !== undefined) expect(line.slice(1)).toBe(`GS${status.code}`)
        const identity = protocol.parseIdentity(line)
        if (identity !== undefined) expect(line).toMatch(/^[0-9A-F]IN[0-9A-F]{30}$/)
        protocol.parseMotor(line, 1)
        protocol.parseVelocity(line)
      }),
    )
  })

  test('every position survives the wire', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (pulses) => {
        expect(protocol.parsePulses(`7PO${protocol.long(pulses)}`, 'PO')).toBe(pulses)
      }),
    )
  })
})
