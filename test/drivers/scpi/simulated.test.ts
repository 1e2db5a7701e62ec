import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headerPattern, matchHeader } from '../../../drivers/scpi/simulated/header.ts'
import { Multimeter } from '../../../drivers/scpi/simulated/multimeter.ts'
import { PowerSupply } from '../../../drivers/scpi/simulated/power-supply.ts'
import { ScpiInstrument } from '../../../drivers/scpi/simulated/scpi-instrument.ts'
import { TemperatureController } from '../../../drivers/scpi/simulated/temperature-controller.ts'

const host = { random: () => 0.5, accepted: () => undefined }
const meter = () => new ScpiInstrument(host, new Multimeter(host))
const supply = () => new ScpiInstrument(host, new PowerSupply(host))

function told(instrument: { receive(bytes: Uint8Array, seconds: number): Uint8Array }, message: string, seconds = 0): string {
  return Buffer.from(instrument.receive(Buffer.from(`${message}\n`, 'latin1'), seconds)).toString('latin1')
}

describe('a header', () => {
  test.each<readonly [string, string, readonly number[] | undefined]>([
    ['[SENSe:]VOLTage[:DC]:RANGe[:UPPer]', 'VOLT:RANG', []],
    ['[SENSe:]VOLTage[:DC]:RANGe[:UPPer]', 'sense:voltage:dc:range:upper', []],
    ['[SENSe:]VOLTage[:DC]:RANGe[:UPPer]', 'SENS:VOLT:DC:RANG:UPP', []],
    ['[SENSe:]VOLTage[:DC]:RANGe[:UPPer]', 'VOLTA:RANG', undefined],
    ['[SENSe:]VOLTage[:DC]:RANGe[:UPPer]', 'VOLT:AC:RANG', undefined],
    ['OUTPut#[:STATe]', 'OUTP2:STAT', [2]],
    ['OUTPut#[:STATe]', 'OUTP', [1]],
    ['OUTPut[:STATe]', 'OUTP2', undefined],
    ['*IDN', '*idn', []],
  ])('%s is %s: %o', (notation, words, expected) => {
    expect(matchHeader(headerPattern(notation), words.split(':'))).toEqual(expected)
  })
})

describe('a simulated SCPI instrument', () => {
  test('takes long and short forms in any case, paths, units, MIN and MAX', () => {
    const instrument = meter()
    expect(told(instrument, 'sens:volt:dc:rang 500mV;nplc MIN;:SENSe:VOLTage:RANGe?;NPLC?;:volt:dc:rang:auto?')).toBe('+1.00000000E+00;+2.00000000E-02;0\n')
    expect(told(instrument, 'VOLT:RANG? MAX;RANG? MIN')).toBe('+1.00000000E+03;+1.00000000E-01\n')
    expect(told(instrument, 'FUNC "VOLT:AC";FUNC?')).toBe('"VOLT:AC"\n')
  })

  test.each([
    ['NONSENSE', '-113,"Undefined header"'],
    ['VOLT:DC:RANG', '+0,"No error"'],
    ['VOLT:NPLC', '-109,"Missing parameter"'],
    ['VOLT:NPLC 1,2', '-108,"Parameter not allowed"'],
    ['VOLT:NPLC x', '-104,"Data type error"'],
    ['VOLT:NPLC 1000', '-222,"Data out of range"'],
    ['VOLT:NPLC 1V', '-138,"Suffix not allowed"'],
    ['VOLT:RANG 1A', '-131,"Invalid suffix"'],
    ['FUNC "X"', '-224,"Illegal parameter value"'],
    ['!!', '-102,"Syntax error"'],
    ['FETC?', '-230,"Data corrupt or stale"'],
  ])('%s leaves %s in the queue', (message, error) => {
    const instrument = meter()
    expect(told(instrument, message)).toBe('')
    expect(told(instrument, 'SYST:ERR?')).toBe(`${error}\n`)
    expect(told(instrument, 'SYSTem:ERRor:NEXT?')).toBe('+0,"No error"\n')
  })

  test('the queue overflows into -350, and status registers follow', () => {
    const instrument = meter()
    told(instrument, '*CLS;*ESE 60;*SRE 32')
    for (let count = 0; count < 30; count += 1) told(instrument, 'NONSENSE')
    expect(told(instrument, '*STB?')).toBe('100\n') // 64: requests service; 32: an event; 4: errors
    expect(told(instrument, '*ESR?')).toBe('32\n')
    const errors = Array.from({ length: 21 }, () => told(instrument, 'SYST:ERR?'))
    expect(errors[18]).toBe('-113,"Undefined header"\n')
    expect(errors[19]).toBe('-350,"Error queue overflow"\n')
    expect(errors[20]).toBe('+0,"No error"\n')
    expect(told(instrument, '*STB?;*OPC?;*TST?;SYST:VERS?')).toBe('0;1;+0;1999.0\n')
  })

  test('a channel list, and a value that one channel of it cannot take: none is set', () => {
    const instrument = supply()
    told(instrument, 'VOLT 5,(@1:3)')
    expect(told(instrument, 'VOLT? (@1,2,3)')).toBe('+5.00000000E+00,+5.00000000E+00,+5.00000000E+00\n')
    told(instrument, 'VOLT 20,(@3,1)')
    expect(told(instrument, 'SYST:ERR?')).toBe('-222,"Data out of range"\n')
    expect(told(instrument, 'VOLT? (@3)')).toBe('+5.00000000E+00\n')
    told(instrument, 'INST CH2;VOLT 7')
    expect(told(instrument, 'VOLT?;INST:NSEL?;:VOLT? MAX,(@1)')).toBe('+7.00000000E+00;2;+6.18000000E+00\n')
    told(instrument, 'OUTP ON,(@4)')
    expect(told(instrument, 'SYST:ERR?')).toBe('-222,"Data out of range"\n')
  })

  test('the controller answers nothing that it does not understand, and says so in *ESR?', () => {
    const controller = new TemperatureController(host)
    const ask = (message: string, seconds = 0) => told(controller, message, seconds)
    expect(ask('*ESR?')).toBe('128\r\n')
    expect(ask('NONSENSE?')).toBe('')
    expect(ask('KRDG? Z')).toBe('')
    expect(ask('*ESR?')).toBe('48\r\n')
    expect(ask('SETP 1,300;SETP? 1')).toBe('+300.000\r\n')
    expect(ask('RANGE 1,3')).toBe('')
    ask('*OPC?', 1)
    expect(Number(ask('KRDG? A', 31))).toBeGreaterThan(100)
    expect(ask('PID? 1')).toBe('+0050.0,+0020.0,+0000.0\r\n')
  })

  test('whatever it is told, it answers lines or nothing', () => {
    const word = fc.constantFrom(
      'VOLT',
      ':',
      '?',
      ' ',
      ';',
      ',',
      '"',
      '(@1)',
      '(@',
      ')',
      'MAX',
      '*CLS',
      '*IDN?',
      'FUNC',
      '1e999',
      '-',
      'OUTP',
      'KRDG? A',
      '\r',
      '\0',
    )
    fc.assert(
      fc.property(
        fc.constantFrom(meter, supply, () => new TemperatureController(host)),
        fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 12 }),
        (make, words) => {
          expect(told(make(), words.join(''))).toMatch(/^([^\n]*\n)*$/)
        },
      ),
    )
  })
})
