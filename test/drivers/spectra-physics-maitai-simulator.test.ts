import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as protocol from '../../drivers/spectra-physics-maitai/protocol.ts'
import { type MaiTaiOptions, MaiTaiSimulator } from '../../drivers/spectra-physics-maitai/simulator.ts'
import { Tuning } from '../../drivers/spectra-physics-maitai/tuning.ts'

const RECORDED_IDENTITY = 'Spectra Physics,MaiTai,3227/51054/40856,0245-2.00.34 / CD00000019 / 214-00.004.057'

describe('the protocol', () => {
  test('replies as they were recorded', () => {
    expect(protocol.IDENTITY.test(RECORDED_IDENTITY)).toBe(true)
    expect(protocol.parseNanometres('820nm')).toBe(820)
    expect(protocol.parseWatts('3.000W')).toBe(3)
    expect(protocol.parseWatts('3.00W')).toBe(3)
    expect(protocol.parseWatts('13.43W')).toBe(13.43)
    expect(protocol.parsePercent('100.00%')).toBe(100)
    expect(protocol.parsePercent('7.26%')).toBe(7.26)
    expect(protocol.parseSwitch('0')).toBe(false)
    expect(protocol.parseSwitch('1')).toBe(true)
    expect(protocol.parseStatus('8')).toEqual({ byte: 8, emission: false })
    expect(protocol.parseStatus('9')).toEqual({ byte: 9, emission: true })
    expect(protocol.parseMode('POW')).toBe('POW')
  })

  test('milliwatts are scaled, not renamed', () => {
    expect(protocol.parseWatts('850mW')).toBe(0.85)
    expect(protocol.parseWatts('12.5 mW')).toBe(0.0125)
  })

  test('a reply that has lost its front is no value, nor is one without its unit', () => {
    for (const cut of ['W', '.00W', '.000W', '000W', '3.00', 'mW', '', '3.00MW', '-3.00W']) expect(protocol.parseWatts(cut)).toBeUndefined()
    for (const cut of ['nm', '20nm', '0nm', '820']) expect(protocol.parseNanometres(cut)).toBeUndefined()
    for (const cut of ['%', '.00%', '100.01%', '7.26']) expect(protocol.parsePercent(cut)).toBeUndefined()
    for (const cut of ['256', '', '1x']) expect(protocol.parseStatus(cut)).toBeUndefined()
  })

  test('no text becomes a value that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{0,6} ?(nm|W|mW|%)?$/)), (text) => {
        for (const parse of [protocol.parseNanometres, protocol.parseWatts, protocol.parsePercent]) {
          const value = parse(text)
          expect(
            value === undefined ||
              (Number.isFinite(value) && value >= 0 && Number.parseFloat(text) === (text.endsWith('mW') ? value * 1000 : value)) ||
              Math.abs(Number.parseFloat(text) - value * 1000) < 1e-6,
          ).toBe(true)
        }
        expect(protocol.parseNanometres(text) === undefined || protocol.NANOMETRES.test(text)).toBe(true)
        expect(protocol.parseWatts(text) === undefined || protocol.WATTS.test(text)).toBe(true)
        expect(protocol.parsePercent(text) === undefined || protocol.PERCENT.test(text)).toBe(true)
        for (const parse of [protocol.parseStatus, protocol.parseSwitch, protocol.parseCode, protocol.parseMode]) expect(() => parse(text)).not.toThrow()
      }),
    )
  })

  test('no echo of a command has the shape of a reply', () => {
    const echoes = [
      ...Object.values(protocol.ask),
      protocol.command.wavelength(820),
      protocol.command.shutter(true),
      'on',
      'off',
      'ON',
      'OFF',
      'sav',
      'tim:watc 60',
    ]
    const { NANOMETRES, WATTS, PERCENT, SWITCH, STATUS, CODE, MODE, IDENTITY, ANY_IDENTITY } = protocol
    for (const shape of [NANOMETRES, WATTS, PERCENT, SWITCH, STATUS, CODE, MODE, IDENTITY, ANY_IDENTITY])
      expect(echoes.flatMap((echo) => [echo, echo.toUpperCase()]).filter((echo) => shape.test(echo))).toEqual([])
  })
})

describe('arrival', () => {
  test('is near the target for a while, not passing through it', () => {
    const tuning = new Tuning()
    tuning.begin(820, 0)
    const seen = (
      [
        [800, 100],
        [820, 200],
        [840, 300],
        [819, 400],
        [undefined, 600], // a bad reading says nothing, and the time begins again
        [820, 700],
        [820, 1200],
        [700, 1300],
      ] as const
    ).map(([measured, atMs]) => tuning.see(measured, atMs))
    expect(seen).toEqual(['TUNING', 'TUNING', 'TUNING', 'TUNING', 'TUNING', 'TUNING', 'ARRIVED', 'ARRIVED'])
  })

  test('that does not come is late, once', () => {
    const tuning = new Tuning()
    tuning.begin(820, 0)
    expect(tuning.see(812, 59_000)).toBe('TUNING')
    expect(tuning.see(812, 61_000)).toBe('LATE')
    expect(tuning.target).toBeUndefined()
  })
})

describe('the simulated laser', () => {
  const laser = (options: MaiTaiOptions = {}, random = () => 0): MaiTaiSimulator => new MaiTaiSimulator({ random, accepted: () => undefined }, options)
  const at = (simulator: MaiTaiSimulator, text: string, seconds = 0, terminator = '\n'): string =>
    Buffer.from(simulator.receive(Buffer.from(text + terminator, 'latin1'), seconds)).toString('latin1')

  test('answers as recorded, in either case, short or long, however a command ends', () => {
    const simulator = laser()
    at(simulator, 'ON', 0)
    for (const terminator of ['\r', '\n', '\r\n']) expect(at(simulator, '*IDN?', 20, terminator)).toBe(`${RECORDED_IDENTITY}\n`)
    for (const [question, reply] of [
      ['WAVelength?', '820nm'],
      ['wav?', '820nm'],
      ['READ:WAVelength?', '820nm'],
      ['READ:POWer?', '3.000W'],
      ['read:pow?', '3.000W'],
      ['READ:PLASer:POWer?', '13.43W'],
      ['READ:PLAS:POW?', '13.43W'],
      ['READ:PCTWarmedup?', '100.00%'],
      ['read:pctw?', '100.00%'],
      ['READ:HUM?', '7.26%'],
      ['SHUTter?', '0'],
      ['MODE?', 'POW'],
      ['PLASer:ERRCode?', '0'],
      ['WAVelength:MIN?', '690nm'],
      ['WAV:MAX?', '1040nm'],
    ] as const)
      expect(at(simulator, question, 20)).toBe(`${reply}\n`)
    expect(at(laser({ powerDecimals: 2 }), 'ON\nREAD:POW?', 0)).toBe('0.00W\n')
    expect(at(laser(), '*STB?')).toBe('8\n')
    const two = laser({ powerDecimals: 2 })
    at(two, 'ON')
    expect(at(two, 'READ:POW?', 20)).toBe('3.00W\n')
    const cut = laser({ cuts: 1 })
    at(cut, 'ON')
    expect(at(cut, 'READ:POW?', 20)).toBe('W\n')
  })

  test('the shutter needs a space, and what it does not know is not answered', () => {
    const simulator = laser()
    for (const text of ['SHUTTER:1', 'SHUT1', 'SHUT 2', 'SHUTT 1', 'nonsense', 'WAV 500', 'WAV x', 'READ:POWE?']) expect(at(simulator, text)).toBe('')
    expect(at(simulator, 'SHUT?', 1)).toBe('0\n')
    expect(at(simulator, 'WAV?', 1)).toBe('820nm\n')
    at(simulator, 'SHUT 1', 1)
    expect(at(simulator, 'SHUT?', 1.01)).toBe('0\n') // it travels
    expect(at(simulator, 'SHUT?', 1.1)).toBe('1\n')
    expect(at(simulator, 'WAV 830.000', 1.1)).toBe('')
    expect(at(simulator, 'WAV?', 1.1)).toBe('830nm\n')
  })

  test('warms up, and does not start before', () => {
    const simulator = laser({ warmUpSeconds: 1500, poweredAt: 100 })
    expect(at(simulator, 'READ:PCTW?', 100)).toBe('0.00%\n')
    expect(at(simulator, 'READ:PCTW?', 850)).toBe('50.00%\n')
    at(simulator, 'ON', 850)
    expect(at(simulator, '*STB?', 850)).toBe('8\n')
    expect(at(simulator, 'READ:PCTW?', 1600)).toBe('100.00%\n')
    at(simulator, 'ON', 1600)
    expect(at(simulator, '*STB?', 1600)).toBe('9\n')
    expect(at(simulator, 'READ:PLAS:POW?', 1604)).toBe('6.71W\n')
  })

  test('tunes in time, loses its mode-locking meanwhile, and gives less power far from its peak', () => {
    const simulator = laser()
    at(simulator, 'ON')
    at(simulator, 'WAV 920', 20)
    expect(at(simulator, 'READ:WAV?', 21)).toBe('870nm\n')
    expect(simulator.laser.modeLocked(21)).toBe(false)
    expect(at(simulator, 'READ:WAV?', 22.1)).toBe('920nm\n')
    expect(simulator.laser.modeLocked(22.6)).toBe(true)
    expect(simulator.laser.outputWatts(22.6)).toBeLessThan(2.2)
    expect(simulator.laser.outputWatts(22.3)).toBeLessThan(simulator.laser.outputWatts(22.6))
  })

  test('in LOCAL it answers and obeys nothing', () => {
    const simulator = laser()
    simulator.turnPanel('LOCAL')
    at(simulator, 'ON\nSHUT 1\nWAV 900', 1)
    expect(at(simulator, '*STB?\nSHUT?\nWAV?', 2)).toBe('8\n0\n820nm\n')
  })

  test('its watchdog ends the emission when nobody speaks', () => {
    const simulator = laser()
    at(simulator, 'TIMer:WATChdog 10\nON', 0)
    expect(at(simulator, 'TIMER:WATCHDOG?', 0)).toBe('10\n')
    for (let second = 0; second <= 100; second += 9) expect(at(simulator, '*STB?', second)).toBe('9\n')
    simulator.watch(108)
    expect(simulator.laser.emitting).toBe(true)
    simulator.watch(109.1)
    expect(simulator.laser.emitting).toBe(false)
    at(simulator, 'TIM:WATC 0\nON', 200)
    simulator.watch(100_000)
    expect(simulator.laser.emitting).toBe(true)
  })

  test('answers in 2 to 3 s on the older link, in order', () => {
    const simulator = laser({ link: 'rs232' }, () => 0.5)
    expect(at(simulator, 'WAV?\nSHUT?', 10)).toBe('')
    expect(simulator.dueAt()).toBe(12.5)
    expect(Buffer.from(simulator.receive(new Uint8Array(), 12.5)).toString()).toBe('820nm\n')
    expect(simulator.dueAt()).toBe(15)
    expect(Buffer.from(simulator.receive(new Uint8Array(), 15)).toString()).toBe('0\n')
    expect(simulator.dueAt()).toBeUndefined()
  })

  test('stands whatever it is sent', () => {
    const nearly = fc.stringMatching(/^((READ:)?(WAV|POW|SHUT|\*STB|ON|OFF|TIM:WATC|MODE)[? \d.]{0,6}[\r\n]){1,5}$/).map((text) => Buffer.from(text))
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), nearly), { maxLength: 20 }), (messages) => {
        const simulator = laser({ link: 'rs232', echoes: 0.5, cuts: 0.5 }, Math.random)
        messages.forEach((message, second) => {
          simulator.receive(message, second)
        })
        expect(Number.isFinite(simulator.laser.outputWatts(messages.length))).toBe(true)
      }),
    )
  })
})
