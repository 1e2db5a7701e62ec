import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../core/device.ts'
import { domeRotator } from '../../drivers/dome-rotator/driver.ts'
import { SimulatedDome } from '../../drivers/dome-rotator/simulated-dome.ts'
import type { Rp2040Simulator } from '../../drivers/dome-rotator/simulator.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, problemOf, readOne } from './bench.ts'
import { type DomeRig, failure, openDomeRig, SWITCH_WIDTH, stands } from './dome-rig.ts'

describe('the dome on a pseudo-terminal, its encoder and its switch on sockets', () => {
  let rig: DomeRig
  let bench: Bench
  let dome: SimulatedDome
  let simulator: Rp2040Simulator
  let accepted: string[]
  let settings: DeviceSettings

  beforeEach(async () => {
    rig = await openDomeRig()
    ;({ bench, dome, simulator, accepted, settings } = rig)
  })

  afterEach(() => rig[Symbol.asyncDispose]())

  test('says what it is, and which of its parts are simulated', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    expect(opened.device.identity).toBe('RP2040 dome motor controller; EMS22A encoder, simulated; recalibration switch, simulated')
    expect(domeRotator.locate(settings)).toEqual({ address: 'sim://dome' })
  })

  test('says that it may turn for minutes, as do its commands that turn it: a minute would end in mid-turn', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    const { motion, commands } = opened.device
    expect(motion?.longestMs).toBeGreaterThan((1_941_866 * 260) / 1000) // a turn of the dome at its usual speed
    const longest = new Map(commands?.specs.map(({ name, longestMs }) => [name, longestMs]))
    expect([longest.get('point'), longest.get('calibrate'), longest.get('set_azimuth')]).toEqual([motion?.longestMs, motion?.longestMs, undefined])
  })

  test('turns the short way over north, by the number of steps that was documented', async () => {
    await using opened = await open(domeRotator, { ...settings, startAzimuth: 5 }, bench.context) // as far as it knows
    await opened.device.motion?.moveTo(355, never)
    expect(accepted).toEqual(['MOVE 53940 0 260 SCURVE'])
    expect(await goodValue(opened.device, 'target')).toBe(355)
    await until(async () => Number(await goodValue(opened.device, 'position')) > 350)
    await opened.device.motion?.stop(never)
    await stands(opened.device)
  })

  test('a dome that slips is corrected by its encoder, and the azimuth is doubtful until the switch was passed', async () => {
    const slipping = new SimulatedDome({ random: () => 0.5, azimuth: 39, noise: 0, slip: 0.1, backlash: 0.2, switchWidth: SWITCH_WIDTH })
    simulator = Object.assign(simulator, { dome: slipping })
    dome = slipping
    await using opened = await open(domeRotator, { ...settings, startAzimuth: 39, tolerance: 0.2 }, bench.context)
    expect(await readOne(opened.device, 'position')).toMatchObject({ quality: 'UNCERTAIN' })
    await opened.device.motion?.moveTo(43, never)
    await stands(opened.device)
    expect(accepted.length).toBeGreaterThan(1)
    expect(Math.abs(dome.azimuth - 43)).toBeLessThan(0.25)
    expect(await goodValue(opened.device, 'calibrated')).toBe(false)
    await opened.device.motion?.moveTo(46.5, never) // over the switch
    await stands(opened.device)
    expect(await goodValue(opened.device, 'calibrated')).toBe(true)
    expect(await readOne(opened.device, 'position')).not.toHaveProperty('quality')
    expect(await goodValue(opened.device, 'calibration_method')).toBe('live_switch')
  })

  test('a sweep finds the switch, whatever was believed before', async () => {
    await using opened = await open(domeRotator, { ...settings, startAzimuth: 200 }, bench.context)
    expect(opened.device.motion?.homed()).toBe(false)
    await opened.device.commands?.invoke('calibrate', {}, never)
    expect(await goodValue(opened.device, 'calibration_status')).toBe('running')
    expect(await opened.device.underWay?.(never)).toBe(true)
    await stands(opened.device)
    expect(accepted.filter((command) => command.startsWith('MOVE'))).toEqual(['MOVE 37758 0 260 SCURVE', 'MOVE 75517 1 260 SCURVE'])
    expect(await goodValue(opened.device, 'calibration_status')).toBe('ok')
    expect(await goodValue(opened.device, 'calibration_method')).toBe('sweep')
    expect(String(await goodValue(opened.device, 'last_calibration_at'))).toMatch(/^\d{4}-.*Z$/)
    expect(Number(await goodValue(opened.device, 'calibration_duration'))).toBeGreaterThan(0)
    expect(opened.device.motion?.homed()).toBe(true)
    expect(Math.abs(Number(await goodValue(opened.device, 'position')) - dome.azimuth)).toBeLessThan(SWITCH_WIDTH / 2 + 0.3)
  })

  test('a sweep that finds no switch is degraded, and says so', async () => {
    dome = new SimulatedDome({ random: () => 0.5, azimuth: 100, noise: 0 })
    simulator = Object.assign(simulator, { dome })
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.home(never)
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'NO_SWITCH' } })
    expect(await goodValue(opened.device, 'calibration_status')).toBe('degraded')
    expect(await goodValue(opened.device, 'calibration_error')).toContain('not found')
  })

  test('a start on the switch is not taken for a pass', async () => {
    dome = new SimulatedDome({ random: () => 0.5, azimuth: 45, noise: 0 })
    simulator = Object.assign(simulator, { dome })
    await using opened = await open(domeRotator, settings, bench.context)
    await until(async () => (await goodValue(opened.device, 'switch_pressed')) === true)
    expect(await goodValue(opened.device, 'calibrated')).toBe(false)
  })

  test('points the slit with the side of the pier explicit', async () => {
    await using opened = await open(domeRotator, { ...settings, startAzimuth: 140 }, bench.context)
    const { commands } = opened.device
    const azimuth = await commands?.invoke('point', { altitude: 60, azimuth: 181, pier_side: 'east' }, never)
    expect(Number(azimuth)).toBeGreaterThan(140)
    expect(Number(azimuth)).toBeLessThan(150)
    await opened.device.motion?.stop(never)
    await stands(opened.device)
    expect(await goodValue(opened.device, 'point_in_bounds')).toBe(true)
    const low = problemOf(commands?.invoke('point', { altitude: 10, azimuth: 90, pier_side: 'west' }, never) ?? Promise.resolve())
    expect(await low).toMatchObject({ code: 'INVALID_VALUE', effect: 'NONE' })
    const extending = await domeRotator.openDevice(opened.port, { ...settings, startAzimuth: 140, outOfBounds: 'extend' }, bench.context, never)
    expect(await extending.commands?.invoke('point', { altitude: 10, azimuth: 90, pier_side: 'west' }, never)).toEqual(expect.any(Number))
    expect(await goodValue(extending, 'point_in_bounds')).toBe(false)
    await extending[Symbol.asyncDispose]()
    expect(commands?.specs.find(({ name }) => name === 'point')?.arguments.find(({ name }) => name === 'pier_side')).toMatchObject({ required: true })
  })

  test("points by a user's table", async () => {
    const table = join(bench.folder, 'table.csv')
    await writeFile(table, 'altitude,azimuth,dome\n45,90,100\n45,105,48\n60,90,100\n60,105,48\n')
    await using opened = await open(domeRotator, { ...settings, domeTable: table }, bench.context)
    expect(await opened.device.commands?.invoke('point', { altitude: 50, azimuth: 105, pier_side: 'west' }, never)).toBe(48)
    await opened.device.motion?.stop(never)
    await stands(opened.device)
    const generated = await domeRotator.openDevice(opened.port, { ...settings, domeTable: 'generated' }, bench.context, never)
    const azimuth = await generated.commands?.invoke('point', { altitude: 60, azimuth: 180, pier_side: 'west' }, never)
    expect(Number(azimuth)).toBeCloseTo(215.7, 1)
    await generated[Symbol.asyncDispose]()
    const missing = domeRotator.openDevice(opened.port, { ...settings, domeTable: join(bench.folder, 'none') }, bench.context, never)
    expect(await problemOf(missing)).toMatchObject({ code: 'INVALID_VALUE' })
  })

  test('a stop ends the move where it is, and what was counted stays true', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.moveTo(100, never)
    await until(async () => Number(await goodValue(opened.device, 'position')) > 40.5)
    await opened.device.motion?.stop(never)
    await stands(opened.device)
    expect(accepted.at(-1)).toBe('STOP')
    const [steps, position] = [Number(await goodValue(opened.device, 'motor_steps')), Number(await goodValue(opened.device, 'position'))]
    expect(Math.abs(40 + steps / 5394.07 - position)).toBeLessThan(0.5)
    expect(position).toBeLessThan(99)
    await opened.device.motion?.moveTo(position + 1, never) // and it works on
    await stands(opened.device)
  })

  test('an emergency stop is on the wire at once, and confirmed', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.moveTo(200, never)
    const stop = await opened.device.emergencyStop?.(never)
    await until(() => accepted.at(-1) === 'STOP')
    expect(await stop?.confirmed).toBe(true)
    await stands(opened.device)
  })

  test.each([
    ['no-answer', /input\/output error/],
    ['parity', /parity/],
    ['S1', /offset compensation/],
    ['S2', /CORDIC/],
  ] as const)('an encoder with trouble %s has no azimuth, and holds the motion', async (trouble, why) => {
    await using opened = await open(domeRotator, settings, bench.context)
    await goodValue(opened.device, 'position')
    dome.trouble = trouble
    const bad = await until(async () => {
      const reading = await readOne(opened.device, 'position')
      return reading !== undefined && 'bad' in reading && reading.bad
    })
    expect(bad).toMatch(why)
    expect(await problemOf(opened.device.motion?.moveTo(50, never) ?? Promise.resolve())).toMatchObject({
      effect: 'NONE',
      facts: { instrumentCode: 'ENCODER' },
    })
    expect(await problemOf(opened.device.motion?.home(never) ?? Promise.resolve())).toMatchObject({ effect: 'NONE' })
    expect(accepted).toEqual([])
    dome.trouble = undefined
    await until(async () => 'value' in ((await readOne(opened.device, 'position')) ?? {}))
  })

  test('an encoder that falls silent in the midst of a move stops the dome', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.moveTo(200, never)
    dome.trouble = 'no-answer'
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'ENCODER' } })
    expect(accepted.at(-1)).toBe('STOP')
  })

  test('an encoder that freezes in the midst of a move stops the dome', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    dome.trouble = 'frozen'
    await opened.device.motion?.moveTo(200, never)
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'STAGNATION' } })
    expect(accepted.at(-1)).toBe('STOP')
  })
})
