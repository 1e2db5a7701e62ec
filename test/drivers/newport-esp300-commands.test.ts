import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandCall, completeWithin, DEFAULT_COMPLETE_MS, MAX_COMPLETE_MS } from '../../core/command.ts'
import type { DeviceSettings } from '../../core/device.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { newportEsp300 } from '../../drivers/newport-esp300/driver.ts'
import { type Esp300Options, Esp300Simulator, simulation } from '../../drivers/newport-esp300/simulator.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { expectBadAfter } from './bad-after.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'
import { type SimulatedTime, simulatedTime } from './simulated-time.ts'

const run = promisify(execFile)

describe('the driver on a pseudo-terminal', () => {
  let bench: Bench
  let simulator: Esp300Simulator
  let line: SimulatedTerminal
  let accepted: string[]
  const settings = { address: 'sim://esp300', axis: 1, flowControl: 'none', replyTimeoutSeconds: 0.2 }
  let time: SimulatedTime
  const seconds = (): number => time.seconds()

  beforeEach(async () => {
    bench = await openBench()
    await serve({})
  })

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  async function serve(options: Esp300Options): Promise<void> {
    accepted = []
    time = simulatedTime()
    simulator = new Esp300Simulator({ random: () => 0.5, accepted: (command) => accepted.push(command) }, options)
    const linkPath = join(bench.folder, 'esp300.tty')
    line = new SimulatedTerminal({ instrument: simulator, baudRate: 115_200, linkPath, seconds })
    await line.plugIn()
    await writeEntry(bench.folder, 'esp300', { kind: 'serial', path: linkPath })
  }

  const openAxis = (change: DeviceSettings = {}) => open(newportEsp300, { ...settings, ...change }, bench.context)
  const stands = (device: DeviceHandle) => until(async () => !(await device.motion?.isMoving(never)))
  const invoke = (device: DeviceHandle, name: string, given: Readonly<Record<string, ParameterValue>> = {}): Promise<ParameterValue | undefined> =>
    device.commands?.invoke(name, given, never) ?? Promise.reject(new Error('no commands'))

  test('a move whose error answer is lost is not taken for one that ended well', async () => {
    await using axis = await openAxis()
    const { motion } = axis.device
    await motion?.moveTo(20, never)
    expect(await motion?.isMoving(never)).toBe(true)
    simulator.fail(1, seconds())
    line.inject({ kind: 'late', byMs: 0 }, { kind: 'silent' }) // MD? is answered, the answer of TE? with the error in it is lost
    expect(await problemOf(motion?.isMoving(never) ?? Promise.resolve())).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const ended = await problemOf(motion?.isMoving(never) ?? Promise.resolve())
    expect(ended).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'DONE', facts: { instrumentCode: '0' } })
    expect(ended.message).toContain('the motor of axis 1 is off')
  })

  test('a move or a search for home may take as long as the travel at the velocity that is set', async () => {
    await using axis = await openAxis()
    const { device } = axis
    const longestMs = (): number => device.motion?.longestMs ?? 0
    const within = (call: CommandCall): number =>
      completeWithin(undefined, [{ call, device: { ...(device.motion && { motion: device.motion }), commands: device.commands?.specs ?? [] } }])
    const byDistance = { kind: 'invoke', command: 'move_relative', arguments: { distance: 25 } } as const
    expect(within({ kind: 'move', to: 25, wait: true })).toBe(DEFAULT_COMPLETE_MS)
    await device.write?.('velocity', 0.2, never)
    expect(longestMs()).toBeGreaterThan(125_000)
    expect(longestMs()).toBeLessThan(250_000)
    expect([within({ kind: 'move', to: 25, wait: true }), within(byDistance)]).toEqual([longestMs(), longestMs()])
    await device.write?.('soft_limit_maximum', 1, never)
    expect(longestMs()).toBeLessThan(DEFAULT_COMPLETE_MS)
    await device.write?.('units', 'um', never)
    await device.write?.('soft_limit_maximum', 20_000, never)
    expect(longestMs()).toBeGreaterThan(100_000)
    await device.write?.('velocity', 0.1, never) // more than two days for 20 mm
    expect(longestMs()).toBe(MAX_COMPLETE_MS)
  })

  test('a search for home may take as long as the whole travel at its own velocities', async () => {
    expect(Buffer.from(simulator.receive(Buffer.from('1OH0.25;1OL0.1;1OH?;1OL?\r'), seconds())).toString()).toBe('0.25\r\n0.1\r\n')
    await using axis = await openAxis()
    const longestMs = axis.device.motion?.longestMs ?? 0
    expect(longestMs).toBeGreaterThan(1000 * (26 / 0.25 + 1 / 0.1))
    expect(longestMs).toBeLessThan(MAX_COMPLETE_MS)
    expect(axis.device.commands?.specs.find(({ name }) => name === 'search_home')?.longestMs).toBe(longestMs)
  })

  test('a lost answer of the error queue does not spoil a move that arrived', async () => {
    await using axis = await openAxis()
    const { motion } = axis.device
    await motion?.moveTo(0.5, never)
    await until(() => !simulator.moving(1, seconds()))
    line.inject({ kind: 'late', byMs: 0 }, { kind: 'silent' })
    expect(await problemOf(motion?.isMoving(never) ?? Promise.resolve())).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(await motion?.isMoving(never)).toBe(false)
  })

  test('an error that was read before an answer was lost is still told', async () => {
    await using axis = await openAxis()
    const { motion } = axis.device
    await motion?.moveTo(20, never)
    simulator.fail(1, seconds())
    line.inject({ kind: 'late', byMs: 0 }, { kind: 'late', byMs: 0 }, { kind: 'silent' }) // MD?, TE? with the error, the TE? after it
    expect(await problemOf(motion?.isMoving(never) ?? Promise.resolve())).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(await problemOf(motion?.isMoving(never) ?? Promise.resolve())).toMatchObject({ facts: { instrumentCode: '103' } })
  })

  test('a search for home whose error answer is lost has not found home', async () => {
    await using axis = await openAxis()
    const { motion } = axis.device
    await motion?.home(never)
    await until(() => !simulator.moving(1, seconds()))
    line.inject({ kind: 'late', byMs: 0 }, { kind: 'silent' })
    await problemOf(motion?.isMoving(never) ?? Promise.resolve())
    expect(await problemOf(motion?.isMoving(never) ?? Promise.resolve())).toMatchObject({ code: 'HARDWARE_FAULT' })
    expect(motion?.homed()).toBe(false)
  })

  test('a move whose acknowledgement is lost is watched all the same', async () => {
    await using axis = await openAxis()
    const { motion } = axis.device
    line.inject({ kind: 'late', byMs: 0 }, { kind: 'silent' }) // SN? is answered, TE? is not
    expect(await problemOf(motion?.moveTo(1, never) ?? Promise.resolve())).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    await stands(axis.device)
    expect(await goodValue(axis.device, 'position')).toBeCloseTo(1, 2)
    expect(accepted).toEqual(['1PA1.000000'])
  })

  test('setting the units describes every quantity anew, with the limits converted', async () => {
    await using axis = await openAxis()
    const { device } = axis
    const unitOf = (name: string) => device.parameters.find((parameter) => parameter.name === name)?.unit
    expect(unitOf('position')).toBe('mm')
    expect(await device.write?.('units', 'micro-inch', never)).toBe('micro-inch')
    expect([unitOf('position'), unitOf('velocity'), unitOf('acceleration'), device.motion?.unit]).toEqual([
      '10*-6.[in_i]',
      '10*-6.[in_i]/s',
      '10*-6.[in_i]/s2',
      '10*-6.[in_i]',
    ])
    expect(device.motion?.limits().maximum).toBeCloseTo(984_251.97, 1)
    await device.motion?.moveTo(39_370, never)
    await stands(device)
    expect(simulator.position(1, seconds())).toBeCloseTo(1, 4)
    expect(accepted).toEqual(['1SN6', '1PA39370.000000'])
  })

  test('a stage refuses a unit that does not fit it, and everything stays as it was', async () => {
    await using axis = await openAxis()
    expect(await problemOf(axis.device.write?.('units', 'deg', never) ?? Promise.resolve())).toMatchObject({ effect: 'NONE', facts: { instrumentCode: '101' } })
    expect(axis.device.motion?.unit).toBe('mm')
    expect(await problemOf(axis.device.write?.('units', 'furlong', never) ?? Promise.resolve())).toMatchObject({ code: 'INVALID_VALUE' })
  })

  test('nothing is sent in a unit that the front panel has changed, and readings are bad until it is right again', async () => {
    await using axis = await openAxis()
    const { device } = axis
    simulator.receive(Buffer.from('1SN3\r'), seconds())
    accepted.length = 0
    const refused = await problemOf(device.motion?.moveTo(20, never) ?? Promise.resolve())
    expect(refused).toMatchObject({ code: 'CONFLICT', effect: 'NONE', message: expect.stringContaining('axis 1 counts in um by now') })
    expect(await problemOf(device.write?.('velocity', 5, never) ?? Promise.resolve())).toMatchObject({ code: 'CONFLICT', effect: 'NONE' })
    expect(await problemOf(invoke(device, 'move_relative', { distance: 1 }))).toMatchObject({ code: 'CONFLICT' })
    expect(accepted).toEqual([])
    expect(await goodValue(device, 'units')).toBe('um')
    expect(await readOne(device, 'position')).toEqual({ bad: 'the axis counts in um by now, not in mm' })
    expect(await device.write?.('units', 'mm', never)).toBe('mm')
    expect(await goodValue(device, 'position')).toBeCloseTo(0, 2)
  })

  test('soft limits and units of the settings are pushed when the axis is connected', async () => {
    await using axis = await openAxis({ units: 'um', softLimitMinimum: 1000, softLimitMaximum: 9000 })
    expect(accepted).toEqual(['1SN3', '1SL1000.000000', '1SR9000.000000'])
    expect(axis.device.motion?.limits()).toEqual({ minimum: 1000, maximum: 9000 })
    expect(await problemOf(axis.device.motion?.moveTo(9001, never) ?? Promise.resolve())).toMatchObject({ code: 'LIMIT_VIOLATION' })
    await newportEsp300.openDevice(axis.port, { ...settings, units: 'um', softLimitMinimum: 1000, softLimitMaximum: 9000 }, bench.context, never)
    expect(accepted).toHaveLength(3) // what is as wanted is left alone
    simulator.receive(Buffer.from('1SR5000\r'), seconds()) // behind our back: the controller still refuses
    accepted.length = 0
    expect(await problemOf(axis.device.motion?.moveTo(8000, never) ?? Promise.resolve())).toMatchObject({ effect: 'NONE', facts: { instrumentCode: '106' } })
    expect(accepted).toEqual([])
  })

  test.each([
    ['1', '1OR1'],
    ['6', '1OR6'],
    ['controller', '1OR'],
  ])('home mode %s of the settings is sent as %s', async (homeMode, sent) => {
    await using axis = await openAxis({ homeMode })
    await axis.device.motion?.home(never)
    expect(accepted).toEqual([sent])
    await axis.device.motion?.stop(never)
    await stands(axis.device)
    expect(axis.device.motion?.homed()).toBe(false)
  })

  test('searches home in a mode of its own, defines home here, and moves by a distance', async () => {
    await using axis = await openAxis()
    const { device } = axis
    await invoke(device, 'search_home', { mode: 1 })
    expect(await problemOf(invoke(device, 'define_home', { position: 0 }))).toMatchObject({ code: 'CONFLICT' })
    expect(await device.underWay?.(never)).toBe(true)
    await stands(device)
    expect(device.motion?.homed()).toBe(true)
    expect(simulator.position(1, seconds())).toBeCloseTo(0.05, 6)
    await invoke(device, 'define_home', { position: 10 })
    expect(await goodValue(device, 'position')).toBeCloseTo(10, 2)
    await invoke(device, 'move_relative', { distance: 0.5 })
    await stands(device)
    expect(await goodValue(device, 'position')).toBeCloseTo(10.5, 2)
    expect(await problemOf(invoke(device, 'move_relative', { distance: 15 }))).toMatchObject({ code: 'LIMIT_VIOLATION', facts: { given: 25.5 } })
    expect(accepted).toEqual(['1OR1', '1DH10.000000', '1PR0.500000'])
    expect(await problemOf(invoke(device, 'dance'))).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a stop whose confirmation is lost may have stopped', async () => {
    await using axis = await openAxis()
    await axis.device.motion?.moveTo(20, never)
    line.inject({ kind: 'silent' })
    expect(await problemOf(axis.device.motion?.stop(never) ?? Promise.resolve())).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    await stands(axis.device)
    expect(accepted.at(-1)).toBe('1ST')
  })

  test('every axis is stopped at once', async () => {
    await using axis = await openAxis()
    const second = await newportEsp300.openDevice(axis.port, { ...settings, axis: 2 }, bench.context, never)
    await axis.device.motion?.moveTo(20, never)
    await second.motion?.moveTo(20, never)
    time.factor = 0.05
    await invoke(axis.device, 'stop_all')
    expect(await goodValue(axis.device, 'any_axis_moving')).toBe(true) // they decelerate
    time.factor = 1
    await stands(axis.device)
    await stands(second)
    expect(accepted.at(-1)).toBe('ST')
    expect(await goodValue(axis.device, 'any_axis_moving')).toBe(false)
    expect(await goodValue(axis.device, 'any_motor_on')).toBe(true)
  })

  test('WS is refused while anything moves, and else held by the controller', async () => {
    await using axis = await openAxis()
    const second = await newportEsp300.openDevice(axis.port, { ...settings, axis: 2 }, bench.context, never)
    await second.motion?.moveTo(20, never)
    expect(await problemOf(invoke(axis.device, 'wait_for_stop', { delay: 50 }))).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('axis 2 moves'),
    })
    await second.motion?.stop(never)
    await stands(second)
    const began = performance.now()
    await invoke(axis.device, 'wait_for_stop', { delay: 300 }) // longer than a reply may take
    expect(performance.now() - began).toBeGreaterThanOrEqual(290)
    expect(accepted.at(-1)).toBe('1WS300')
  })

  test("tells the errors of the controller's queue in its own words, each axis its own", async () => {
    await using axis = await openAxis()
    const second = await newportEsp300.openDevice(axis.port, { ...settings, axis: 2 }, bench.context, never)
    for (const code of ['108', '203', '4', '105']) simulator.provoke(code, seconds())
    expect(await invoke(axis.device, 'read_errors')).toBe('108: MOTOR OR STAGE NOT CONNECTED; 4: EMERGENCY STOP ACTIVATED; 105: NEGATIVE HARDWARE LIMIT')
    expect(await invoke(axis.device, 'read_errors')).toBe('none')
    expect(await invoke(second, 'read_errors')).toContain('203: FOLLOWING ERROR')
  })

  test.each(['6', '104', '120'])('documented error %s after a set is a fault with its code', async (code) => {
    await using axis = await openAxis()
    line.inject({ kind: 'error', code })
    expect(await problemOf(axis.device.write?.('velocity', 5, never) ?? Promise.resolve())).toMatchObject({
      code: 'HARDWARE_FAULT',
      facts: { instrumentCode: code },
    })
    expect(await axis.device.write?.('velocity', 6, never)).toBe(6)
  })

  test.each([{ kind: 'silent' }, { kind: 'late', byMs: 250 }, { kind: 'foreign' }, { kind: 'garbage' }, { kind: 'cut' }] as const)(
    'a reading that suffers $kind is bad, and the next one right',
    async (fault) => {
      await using axis = await openAxis()
      line.inject(fault)
      expectBadAfter(fault, await readOne(axis.device, 'velocity'), 10)
      expect(await goodValue(axis.device, 'acceleration')).toBe(40)
      expect(await goodValue(axis.device, 'velocity')).toBe(10)
    },
  )

  test('bad values never reach the wire', async () => {
    await using axis = await openAxis()
    const { device } = axis
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0.1, 25.01), fc.double({ min: 25.01 }), fc.double({ max: -0.01 })),
        async (position) => {
          expect((await problemOf(device.motion?.moveTo(position, never) ?? Promise.resolve())).code).toBe('LIMIT_VIOLATION')
        },
      ),
      { numRuns: 30 },
    )
    for (const [name, value] of [
      ['velocity', 'fast'],
      ['motor_on', 1],
      ['position', 3],
      ['units', 2],
    ] as const)
      expect((await problemOf(device.write?.(name, value, never) ?? Promise.resolve())).code).toBe('INVALID_VALUE')
    expect(accepted).toEqual([])
  })

  test.each([
    ['hardware', 'crtscts'],
    ['none', '-crtscts'],
  ])('flow control %s is what the port gets, and the simulator takes it', async (flowControl, shown) => {
    await using axis = await openAxis({ flowControl })
    const { stdout } = await run('stty', ['-F', join(bench.folder, 'esp300.tty'), '-a'])
    expect(stdout.split(/[\s;]+/)).toEqual(expect.arrayContaining([shown, '19200', 'cs8', '-parenb', '-cstopb', '-ixon', '-ixoff']))
    expect(await axis.device.write?.('velocity', 5, never)).toBe(5)
  })

  test('is found by its identity, with its three axes', async () => {
    const found = await newportEsp300.probe?.('sim://esp300', bench.context, never)
    expect(found?.map((each) => each.settings)).toEqual([1, 2, 3].map((axis) => ({ address: 'sim://esp300', axis, flowControl: 'none' })))
    expect(found?.[1]?.identity).toBe('ESP300 Version 3.04 07/27/01, axis 2: TS50DC.5, SN1264')
    expect(accepted).toEqual([])
    line.inject(...Array.from({ length: 3 }, () => ({ kind: 'silent' }) as const))
    expect(await newportEsp300.probe?.('sim://esp300', bench.context, never)).toEqual([])
  })

  test('settings contradict neither themselves nor the controller', () => {
    expect(() => newportEsp300.locate({ ...settings, softLimitMinimum: 5, softLimitMaximum: 4 })).toThrow('not below')
    expect(() => newportEsp300.locate({ ...settings, homeMode: '7' })).toThrow('choose one of controller, 0, 1')
    expect(() => newportEsp300.locate({ ...settings, replyTimeoutSeconds: 0 })).toThrow('give 0.1 to 60 s')
    expect(() => newportEsp300.locate({ ...settings, softLimitMinimum: 'low' })).toThrow('"low" is not a number')
  })

  test('its simulation has three axes, each of which opens', async () => {
    await using running = await simulation.start({ folder: bench.folder, name: 'stages', seed: 1 })
    await writeEntry(bench.folder, 'stages', running.entry)
    expect(running.devices).toHaveLength(3)
    await using axis = await open(newportEsp300, { address: 'sim://stages', ...running.devices[2] }, bench.context)
    expect(axis.device.identity).toContain('axis 3')
  })
})
