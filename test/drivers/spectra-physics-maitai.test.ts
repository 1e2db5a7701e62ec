import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../core/device.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import { spectraPhysicsMaiTai } from '../../drivers/spectra-physics-maitai/driver.ts'
import { type MaiTaiOptions, MaiTaiSimulator, simulation } from '../../drivers/spectra-physics-maitai/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { expectBadAfter } from './bad-after.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'
import { type SimulatedTime, simulatedTime } from './simulated-time.ts'

const RECORDED_IDENTITY = 'Spectra Physics,MaiTai,3227/51054/40856,0245-2.00.34 / CD00000019 / 214-00.004.057'

const run = promisify(execFile)

describe('the driver on a pseudo-terminal', () => {
  let bench: Bench
  let simulator: MaiTaiSimulator
  let line: SimulatedTerminal
  let accepted: string[]
  let time: SimulatedTime
  const settings = { address: 'sim://laser', link: 'usb', replyTimeoutSeconds: 0.5 }
  const seconds = (): number => time.seconds()

  beforeEach(async () => {
    bench = await openBench()
    time = simulatedTime()
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
      watchdog: { value: 60 },
      obeys: { bad: 'not known until something was set' },
    })
    expect(accepted).toEqual(['tim:watc 60'])
  })

  test('tunes, and says by what it measures when it has arrived', async () => {
    time.factor = 0.1
    await using laser = await openLaser()
    const { device } = laser
    expect(await device.underWay?.(never)).toBe(false)
    expect(await write(laser, 'wavelength_setpoint', 900)).toBe(900)
    expect(await device.underWay?.(never)).toBe(true)
    time.factor = 5
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
    time.factor = 0 // it passes as we say
    {
      await using laser = await openLaser({ watchdogSeconds: 10 })
      expect(accepted).toEqual(['tim:watc 10'])
      await write(laser, 'emission', true)
      const polled = laser.device.parameters.find(({ name }) => name === 'emission')?.pollMs
      expect(polled).toBeLessThanOrEqual(10_000 / 3)
      for (let question = 0; question < 6; question += 1) {
        time.pass(5)
        await laser.device.read(['status_byte'], never)
      }
      expect(await goodValue(laser.device, 'emission')).toBe(true)
    }
    time.pass(10.1)
    simulator.watch(seconds())
    expect(simulator.laser.emitting).toBe(false)
  })

  test('a watchdog that LOCAL keeps from being set is told, and set before the emission is switched on', async () => {
    simulator.turnPanel('LOCAL')
    await using laser = await openLaser()
    expect(bench.messages).toEqual([expect.stringContaining('did not take its watchdog of 60 s; is the front panel in LOCAL?')])
    expect(await goodValue(laser.device, 'watchdog')).toBe(0)
    expect(await goodValue(laser.device, 'obeys')).toBe(false)
    expect(await problemOf(write(laser, 'emission', true))).toMatchObject({
      code: 'CONFLICT',
      effect: 'NONE',
      message: expect.stringContaining('its watchdog cannot be seen at 60 s'),
    })
    simulator.turnPanel('REMOTE')
    expect(await write(laser, 'emission', true)).toBe(true)
    expect(accepted).toEqual(['tim:watc 60', 'on'])
    expect(await goodValue(laser.device, 'watchdog')).toBe(60)
  })

  test('a laser that does not tell its watchdog has it set unseen', async () => {
    await serveAgain({ tellsWatchdog: false })
    await using laser = await openLaser()
    expect(bench.messages).toEqual([expect.stringContaining('does not tell whether it took its watchdog')])
    expect(laser.device.parameters.map(({ name }) => name)).not.toContain('watchdog')
    expect(await write(laser, 'emission', true)).toBe(true)
    expect(accepted).toEqual(['tim:watc 60', 'tim:watc 60', 'on'])
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

  test.each([{ kind: 'silent' }, { kind: 'late', byMs: 600 }, { kind: 'foreign' }, { kind: 'garbage' }, { kind: 'cut' }] as const)(
    'a reading that suffers $kind is bad, and the next one right',
    async (fault) => {
      await using laser = await openLaser()
      line.inject(fault)
      expectBadAfter(fault, await readOne(laser.device, 'wavelength'), 820)
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

  test.each([
    ['usb', ['115200', '-ixon', '-ixoff', '-crtscts']],
    ['rs232', ['9600', 'ixon', 'ixoff', '-crtscts']],
  ] as const)('the %s link is what the port gets', async (link, shown) => {
    const port = await spectraPhysicsMaiTai.openPort({ ...settings, link }, bench.context, never)
    try {
      const { stdout } = await run('stty', ['-F', join(bench.folder, 'laser.tty'), '-a'])
      expect(stdout.split(/[\s;]+/)).toEqual(expect.arrayContaining([...shown, 'cs8', '-parenb', '-cstopb']))
    } finally {
      await port[Symbol.asyncDispose]()
    }
  })

  test('the older link: CR, and answers that take seconds', async () => {
    time.factor = 20
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

  test.each([
    ['usb', 115_200],
    ['rs232', 9600],
  ] as const)('its simulation opens on the %s link', async (variant, baudRate) => {
    await using running = await simulation.start({ folder: bench.folder, name: 'another', seed: 1, variant, timeFactor: 20 })
    await writeEntry(bench.folder, 'another', running.entry)
    expect([running.wire?.baudRate, running.devices[0]?.link]).toEqual([baudRate, variant])
    await using laser = await open(spectraPhysicsMaiTai, { address: 'sim://another', ...running.devices[0] }, bench.context)
    expect(laser.device.identity).toBe(RECORDED_IDENTITY)
  })
})
