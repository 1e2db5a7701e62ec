import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../core/device.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { SimulatedTerminal } from '../../drivers/simulated-terminal.ts'
import { spectraPhysicsMaiTai } from '../../drivers/spectra-physics-maitai/driver.ts'
import * as protocol from '../../drivers/spectra-physics-maitai/protocol.ts'
import { type MaiTaiOptions, MaiTaiSimulator, simulation } from '../../drivers/spectra-physics-maitai/simulator.ts'
import { Tuning } from '../../drivers/spectra-physics-maitai/tuning.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

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

describe('the driver on a pseudo-terminal', () => {
  let bench: Bench
  let simulator: MaiTaiSimulator
  let line: SimulatedTerminal
  let accepted: string[]
  let timeFactor = 1
  const settings = { address: 'sim://laser', link: 'usb', replyTimeoutSeconds: 0.3 }
  const seconds = (): number => (performance.now() / 1000) * timeFactor

  beforeEach(async () => {
    bench = await openBench()
    timeFactor = 1
    await serve({})
  })

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  async function serve(options: MaiTaiOptions, baudRate = 115_200): Promise<void> {
    accepted = []
    simulator = new MaiTaiSimulator({ random: () => 0.5, accepted: (command) => accepted.push(command) }, options)
    const linkPath = join(bench.folder, 'laser.tty')
    line = new SimulatedTerminal({ instrument: simulator, baudRate, linkPath, seconds })
    await line.plugIn()
    await writeEntry(bench.folder, 'laser', { kind: 'serial', path: linkPath })
  }

  async function serveAgain(options: MaiTaiOptions, baudRate?: number): Promise<void> {
    await line[Symbol.asyncDispose]()
    await serve(options, baudRate)
  }

  const openLaser = (change: DeviceSettings = {}) => open(spectraPhysicsMaiTai, { ...settings, ...change }, bench.context)
  const write = (laser: { readonly device: DeviceHandle }, name: string, value: ParameterValue): Promise<ParameterValue> =>
    laser.device.write?.(name, value, never) ?? Promise.reject(new Error('nothing can be set'))

  test('says what it is, what it can be tuned to, and reads everything', async () => {
    await using laser = await openLaser()
    const { device } = laser
    expect(device.identity).toBe(RECORDED_IDENTITY)
    expect(device.parameters.find(({ name }) => name === 'wavelength_setpoint')).toMatchObject({ minimum: 690, maximum: 1040, unit: 'nm' })
    const readings = await device.read(
      device.parameters.map(({ name }) => name),
      never,
    )
    expect(Object.fromEntries(readings)).toMatchObject({
      wavelength: { value: 820 },
      wavelength_setpoint: { value: 820 },
      shutter: { value: false },
      emission: { value: false },
      power: { value: 0 },
      pump_power: { value: 0 },
      warm_up: { value: 100 },
      humidity: { value: expect.closeTo(7.26, 0) },
      pump_mode: { value: 'POW' },
      status_byte: { value: 8 },
      pump_error: { value: 0 },
      obeys: { bad: 'not known until something was set' },
    })
    expect(accepted).toEqual(['tim:watc 60'])
  })

  test('tunes, and says by what it measures when it has arrived', async () => {
    timeFactor = 5
    await using laser = await openLaser()
    const { device } = laser
    expect(await device.underWay?.(never)).toBe(false)
    expect(await write(laser, 'wavelength_setpoint', 900)).toBe(900)
    expect(await device.underWay?.(never)).toBe(true)
    await until(async () => !(await device.underWay?.(never)))
    expect(await goodValue(device, 'wavelength')).toBe(900)
    expect(await goodValue(device, 'obeys')).toBe(true)
    expect(accepted.slice(1)).toEqual(['wav 900'])
  })

  test('switches on with the shutter closed, opens it, and closes it past what waits', async () => {
    await using laser = await openLaser()
    expect(await write(laser, 'emission', true)).toBe(true)
    expect(await write(laser, 'emission', true)).toBe(true) // it is on already: not said twice
    expect(await write(laser, 'shutter', true)).toBe(true)
    line.inject({ kind: 'late', byMs: 200 })
    const reading = readOne(laser.device, 'humidity')
    await until(() => line.faultsLeft === 0)
    const closing = write(laser, 'shutter', false)
    await until(() => accepted.at(-1) === 'shut 0')
    expect(await closing).toBe(false)
    expect(await reading).toHaveProperty('value')
    expect(await write(laser, 'emission', false)).toBe(false)
    expect(accepted.slice(1)).toEqual(['on', 'shut 1', 'shut 0', 'off'])
  })

  test('a closing whose confirmation is lost may have closed', async () => {
    await using laser = await openLaser()
    await write(laser, 'shutter', true)
    line.inject({ kind: 'silent' })
    expect(await problemOf(write(laser, 'shutter', false))).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    expect(await goodValue(laser.device, 'shutter')).toBe(false)
  })

  test('an opening that waited is not sent after a closing', async () => {
    await using laser = await openLaser()
    line.inject({ kind: 'late', byMs: 200 })
    const reading = readOne(laser.device, 'humidity')
    await until(() => line.faultsLeft === 0)
    const opening = problemOf(write(laser, 'shutter', true))
    expect(await write(laser, 'shutter', false)).toBe(false)
    expect(await opening).toMatchObject({ code: 'CONFLICT', effect: 'NONE', message: expect.stringContaining('overtaken by something safer') })
    await reading
    expect(accepted.slice(1)).toEqual(['shut 0'])
  })

  test('emission is refused while the shutter is open', async () => {
    await using laser = await openLaser()
    await write(laser, 'shutter', true)
    expect(await problemOf(write(laser, 'emission', true))).toMatchObject({
      code: 'CONFLICT',
      effect: 'NONE',
      message: 'emission is not switched on while the shutter is open; close it first',
    })
    expect(accepted).not.toContain('on')
    expect(await goodValue(laser.device, 'emission')).toBe(false)
  })

  test.each([{ kind: 'silent' }, { kind: 'garbage' }, { kind: 'foreign' }, { kind: 'cut' }] as const)(
    'emission is refused while the state of the shutter cannot be read ($kind)',
    async (fault) => {
      await using laser = await openLaser()
      line.inject({ kind: 'late', byMs: 0 }, fault) // *stb? is answered, shut? is not
      expect(await problemOf(write(laser, 'emission', true))).toMatchObject({
        code: 'CONFLICT',
        effect: 'NONE',
        message: expect.stringContaining('the state of the shutter cannot be read'),
      })
      expect(accepted).not.toContain('on')
    },
  )

  test('emission is refused while the laser is cold', async () => {
    await serveAgain({ warmUpSeconds: 1500, poweredAt: seconds() - 750 })
    await using laser = await openLaser()
    const refused = await problemOf(write(laser, 'emission', true))
    expect(refused).toMatchObject({ code: 'CONFLICT', effect: 'NONE' })
    expect(refused.message).toMatch(/has warmed up to 50\.\d* % and needs 100 %|has warmed up to 50 % and needs 100 %/)
    expect(accepted).not.toContain('on')
  })

  test('a front panel in LOCAL is noticed by reading back', async () => {
    await using laser = await openLaser()
    await laser.device.read(['wavelength_setpoint'], never)
    simulator.turnPanel('LOCAL')
    const tuned = await problemOf(write(laser, 'wavelength_setpoint', 900))
    expect(tuned).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'NONE', message: expect.stringContaining('is the front panel in LOCAL?') })
    expect(await laser.device.underWay?.(never)).toBe(false)
    expect(await goodValue(laser.device, 'obeys')).toBe(false)
    expect(await problemOf(write(laser, 'shutter', true))).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'POSSIBLE' })
    simulator.turnPanel('REMOTE')
    expect(await write(laser, 'shutter', true)).toBe(true)
    expect(await goodValue(laser.device, 'obeys')).toBe(true)
  })

  test('a cut reply is bad at once, and one in milliwatts is scaled', async () => {
    await serveAgain({ cuts: 1 })
    await using laser = await openLaser()
    expect(await readOne(laser.device, 'power')).toEqual({ bad: '"W" is cut, or not a value of power' })
    expect(await goodValue(laser.device, 'pump_power')).toBe(0)
  })

  test('echoes are passed over', async () => {
    await serveAgain({ echoes: 1 })
    await using laser = await openLaser()
    expect(await write(laser, 'wavelength_setpoint', 790)).toBe(790)
    expect(await write(laser, 'shutter', true)).toBe(true)
    expect(await goodValue(laser.device, 'pump_mode')).toBe('POW')
  })

  test('an emergency stop closes the shutter, switches off, overtakes what waits, and is confirmed', async () => {
    await using laser = await openLaser()
    await write(laser, 'emission', true)
    await write(laser, 'shutter', true)
    line.inject({ kind: 'silent' })
    const hanging = readOne(laser.device, 'humidity')
    await until(() => line.faultsLeft === 0)
    const waiting = problemOf(write(laser, 'wavelength_setpoint', 900))
    const stop = await laser.device.emergencyStop?.(never)
    await until(() => accepted.at(-1) === 'off')
    expect(accepted.slice(-2)).toEqual(['shut 0', 'off'])
    expect(await waiting).toMatchObject({ code: 'EMERGENCY_STOPPED', effect: 'NONE' })
    expect(await hanging).toHaveProperty('bad')
    expect(await stop?.confirmed).toBe(true)
    expect(simulator.laser.emitting).toBe(false)
    expect(simulator.laser.shutterOpen(seconds())).toBe(false)
  })

  test('an emergency stop that a laser in LOCAL does not obey is not confirmed', async () => {
    await using laser = await openLaser()
    await write(laser, 'shutter', true)
    simulator.turnPanel('LOCAL')
    const stop = await laser.device.emergencyStop?.(never)
    expect(await stop?.confirmed).toBe(false)
  })

  test('made safe, its shutter is closed and its pump goes on', async () => {
    await using laser = await openLaser()
    await write(laser, 'emission', true)
    await write(laser, 'shutter', true)
    await laser.device.makeSafe?.(never)
    expect(await goodValue(laser.device, 'shutter')).toBe(false)
    expect(await goodValue(laser.device, 'emission')).toBe(true)
    expect(spectraPhysicsMaiTai.afterLostStation).toBe('MAKE_SAFE')
  })

  test('the watchdog is set when connected, and ends the emission when nobody asks any more', async () => {
    timeFactor = 50 // its 10 s are 200 ms here
    {
      await using laser = await openLaser({ watchdogSeconds: 10 })
      expect(accepted).toEqual(['tim:watc 10'])
      await write(laser, 'emission', true)
      const polled = laser.device.parameters.find(({ name }) => name === 'emission')?.pollMs
      expect(polled).toBeLessThanOrEqual(10_000 / 3)
      const untilMs = performance.now() + 600
      while (performance.now() < untilMs) await laser.device.read(['status_byte'], never)
      expect(await goodValue(laser.device, 'emission')).toBe(true)
    }
    await until(() => {
      simulator.watch(seconds())
      return !simulator.laser.emitting
    })
  })

  test('stores its settings', async () => {
    await using laser = await openLaser()
    await laser.device.commands?.invoke('save', {}, never)
    expect(accepted.at(-1)).toBe('sav')
    expect(await problemOf(laser.device.commands?.invoke('explode', {}, never) ?? Promise.resolve())).toMatchObject({ code: 'NOT_FOUND' })
  })

  test.each(['1', '42'])('pump fault %s ends the emission and is told', async (code) => {
    await using laser = await openLaser()
    await write(laser, 'emission', true)
    line.inject({ kind: 'error', code })
    expect(await goodValue(laser.device, 'pump_error')).toBe(Number(code))
    expect(await goodValue(laser.device, 'emission')).toBe(false)
    if (code === '42') expect(await problemOf(write(laser, 'emission', true))).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'POSSIBLE' })
  })

  test.each([{ kind: 'silent' }, { kind: 'late', byMs: 350 }, { kind: 'foreign' }, { kind: 'garbage' }, { kind: 'cut' }] as const)(
    'a reading that suffers $kind is bad, and the next one right',
    async (fault) => {
      await using laser = await openLaser()
      line.inject(fault)
      expect(await readOne(laser.device, 'wavelength')).toHaveProperty('bad')
      expect(await goodValue(laser.device, 'warm_up')).toBe(100)
      expect(await goodValue(laser.device, 'wavelength')).toBe(820)
    },
  )

  test('bad values never reach the wire', async () => {
    await using laser = await openLaser()
    for (const [name, value] of [
      ['wavelength_setpoint', 820.5],
      ['wavelength_setpoint', Number.NaN],
      ['wavelength_setpoint', 'red'],
      ['shutter', 1],
      ['emission', 'on'],
      ['wavelength', 820],
      ['toString', true],
    ] as const)
      expect(await problemOf(write(laser, name, value))).toMatchObject({ code: 'INVALID_VALUE', effect: 'NONE' })
    expect(accepted).toEqual(['tim:watc 60'])
    expect(() => spectraPhysicsMaiTai.locate({ ...settings, watchdogSeconds: 5 })).toThrow('give 0, or 10 and more')
    expect(() => spectraPhysicsMaiTai.locate({ ...settings, link: 'gpib' })).toThrow('choose one of rs232, usb')
  })

  test('the older link: CR, and answers that take seconds', async () => {
    timeFactor = 20
    await serveAgain({ link: 'rs232' }, 9600)
    await using laser = await openLaser({ link: 'rs232', replyTimeoutSeconds: 5 })
    expect(await goodValue(laser.device, 'wavelength')).toBe(820)
    expect(await write(laser, 'wavelength_setpoint', 700)).toBe(700)
    expect(accepted).toEqual(['tim:watc 60', 'wav 700'])
  })

  test('is found on its link by its identity', async () => {
    const found = { identity: RECORDED_IDENTITY, settings: { address: 'sim://laser', link: 'usb' } }
    expect(await spectraPhysicsMaiTai.probe?.('sim://laser', bench.context, never)).toEqual([found])
    expect(accepted).toEqual([])
    line.inject({ kind: 'silent' }, { kind: 'silent' })
    expect(await spectraPhysicsMaiTai.probe?.('sim://laser', bench.context, never)).toEqual([])
  })

  test('something else on the line is refused by name', async () => {
    await line[Symbol.asyncDispose]()
    const other = new SimulatedTerminal({
      instrument: {
        receive: (bytes) => (Buffer.from(bytes).includes('?') ? Buffer.from('Coherent,Chameleon,1,1\n') : new Uint8Array()),
        foreign: () => new Uint8Array(),
        errors: [],
        provoke: () => undefined,
      },
      baudRate: 115_200,
      linkPath: join(bench.folder, 'laser.tty'),
      seconds,
    })
    await other.plugIn()
    try {
      expect((await problemOf(openLaser())).message).toContain('"Coherent,Chameleon,1,1", which is not a Mai Tai')
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })

  test('an unplugged line is lost, and can be opened again', async () => {
    {
      await using laser = await openLaser()
      await line.unplug()
      await until(() => laser.port.lost.aborted)
      expect(await problemOf(laser.device.read(['power'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
      expect((await problemOf(write(laser, 'shutter', false))).code).toBe('DEVICE_OFFLINE')
    }
    await line.plugIn()
    await using again = await openLaser()
    expect(await goodValue(again.device, 'wavelength')).toBe(820)
  })

  test('its simulation opens', async () => {
    await using running = await simulation.start({ folder: bench.folder, name: 'another', seed: 1 })
    await writeEntry(bench.folder, 'another', running.entry)
    await using laser = await open(spectraPhysicsMaiTai, { address: 'sim://another', ...running.devices[0] }, bench.context)
    expect(laser.device.identity).toBe(RECORDED_IDENTITY)
  })
})
