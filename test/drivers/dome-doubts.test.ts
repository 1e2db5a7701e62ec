import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../core/device.ts'
import { domeRotator } from '../../drivers/dome-rotator/driver.ts'
import type { SimulatedDome } from '../../drivers/dome-rotator/simulated-dome.ts'
import type { Rp2040Simulator } from '../../drivers/dome-rotator/simulator.ts'
import type { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, problemOf, readOne } from './bench.ts'
import { type DomeRig, failure, openDomeRig, stands } from './dome-rig.ts'

describe('a dome in doubt', () => {
  let rig: DomeRig
  let bench: Bench
  let dome: SimulatedDome
  let simulator: Rp2040Simulator
  let line: SimulatedTerminal
  let accepted: string[]
  let settings: DeviceSettings

  beforeEach(async () => {
    rig = await openDomeRig()
    ;({ bench, dome, simulator, line, accepted, settings } = rig)
  })

  afterEach(() => rig[Symbol.asyncDispose]())

  test('an alarm of the linearity and a jump are flagged and counted', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    expect(await readOne(opened.device, 'position')).not.toHaveProperty('quality')
    dome.trouble = 'S3'
    await until(async () => (await goodValue(opened.device, 'encoder_status')) === 'linearity')
    expect(await readOne(opened.device, 'position')).toMatchObject({ quality: 'UNCERTAIN' })
    dome.trouble = undefined
    dome.jump()
    await until(async () => Number(await goodValue(opened.device, 'encoder_frames_jump')) >= 1)
    await until(async () => (await goodValue(opened.device, 'calibrated')) === false)
    expect(Number(await goodValue(opened.device, 'position'))).toBeCloseTo(40, 1)
    expect(Number(await goodValue(opened.device, 'encoder_frames_linearity'))).toBeGreaterThan(0)
  })

  test('a move that the controller refuses was none', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    simulator.provoke('BUSY', rig.seconds())
    expect(await problemOf(opened.device.motion?.moveTo(45, never) ?? Promise.resolve())).toMatchObject({ code: 'DEVICE_BUSY', effect: 'NONE' })
    expect(await opened.device.motion?.isMoving(never)).toBe(true) // somebody else's
    await opened.device.motion?.stop(never) // as a station does that finds it moving
    await stands(opened.device)
    expect(accepted).toEqual(['STOP'])
    expect(domeRotator.afterLostStation).toBe('STOP')
  })

  test('a stop while a move is being accepted ends it, and its steps are counted', async () => {
    await using opened = await open(domeRotator, { address: settings.address ?? '' }, bench.context)
    await opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    const asked = opened.device.motion?.moveTo(90, never).catch((error: unknown) => problemOf(Promise.reject(error)))
    await until(() => accepted.length > 0, { everyMs: 1 })
    await opened.device.motion?.stop(never)
    await asked
    await stands(opened.device)
    expect(accepted[0]).toMatch(/^MOVE/)
    expect(accepted.slice(1).every((command) => command === 'STOP')).toBe(true)
    expect(Number(await goodValue(opened.device, 'position'))).toBeCloseTo(dome.azimuth, 0)
  })

  test('a move is sent 50 ms after what was there before, and a stop that comes first makes it void', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    const move = { steps: 53_940, direction: 1, delayUs: 260, ramp: 'SCURVE' } as const
    const voided = problemOf(opened.port.start(move, never))
    await opened.port.stop()
    expect(await voided).toMatchObject({ code: 'CONFLICT', effect: 'NONE' })
    expect(accepted).toEqual(['STOP'])
    const askedMs = performance.now()
    await opened.port.start(move, never)
    expect(accepted[1]).toBe('MOVE 53940 1 260 SCURVE')
    expect(rig.acceptedAtMs - askedMs).toBeGreaterThanOrEqual(50)
    await opened.port.stop()
  })

  test('where direction 1 makes the azimuth fall, it is told the other one', async () => {
    await using opened = await open(domeRotator, { ...settings, directionReversed: true }, bench.context)
    await opened.device.motion?.moveTo(50, never)
    expect(accepted).toEqual(['MOVE 53940 0 260 SCURVE'])
    await opened.device.motion?.stop(never)
    await stands(opened.device)
  })

  test('the end of another move is not taken for the end of ours', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.moveTo(60, never)
    const told = simulator.receive.bind(simulator)
    simulator.receive = (bytes, at) =>
      Buffer.from(
        Buffer.from(told(bytes, at))
          .toString()
          .replace(/STOPPED \d+/, 'STOPPED 9999999'),
      )
    await opened.device.motion?.stop(never)
    await until(() => bench.messages.some((message) => message.includes('speaks of 9999999 steps')))
    await until(async () => (await goodValue(opened.device, 'moving')) === false)
    expect(Number(await goodValue(opened.device, 'motor_steps'))).toBeLessThan(107_880)
  })

  test('a move that nobody has seen end is not taken for done', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.moveTo(60, never)
    simulator.provoke('restart', rig.seconds())
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'READY' } })
    expect(accepted).toHaveLength(1)
  })

  test('without an encoder, steps that nobody has counted to their end cost the azimuth', async () => {
    await using opened = await open(domeRotator, { address: settings.address ?? '' }, bench.context)
    await opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    await opened.device.motion?.moveTo(60, never)
    const turning = opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never) ?? Promise.resolve()
    expect(await problemOf(turning)).toMatchObject({ code: 'DEVICE_BUSY', effect: 'NONE' })
    simulator.provoke('restart', rig.seconds())
    await failure(opened.device)
    expect(await readOne(opened.device, 'position')).toEqual({ bad: expect.stringContaining('not known') })
  })

  test('a switch that cannot be read is not taken for one that is not pressed', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await until(async () => 'value' in ((await readOne(opened.device, 'switch_pressed')) ?? {}))
    await rig.cutSwitch()
    await until(async () => 'bad' in ((await readOne(opened.device, 'switch_pressed')) ?? {}))
  })

  test('read one bit late, as DriftApp does, it is the same dome', async () => {
    await using opened = await open(domeRotator, { ...settings, alignment: 'legacy' }, bench.context)
    await opened.device.motion?.moveTo(42, never)
    await stands(opened.device)
    expect(Math.abs(dome.azimuth - 42)).toBeLessThan(0.5)
    expect(Number(await goodValue(opened.device, 'encoder_raw')) % 2).toBe(1)
  })

  test('without an encoder the azimuth is counted, doubtful, and unknown until it is set', async () => {
    const { address } = settings
    await using opened = await open(domeRotator, { address: address ?? '' }, bench.context)
    expect(await readOne(opened.device, 'position')).toHaveProperty('bad')
    expect(await problemOf(opened.device.motion?.moveTo(10, never) ?? Promise.resolve())).toMatchObject({ effect: 'NONE' })
    await opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    await opened.device.motion?.moveTo(42, never)
    await stands(opened.device)
    const reading = await readOne(opened.device, 'position')
    expect(reading).toMatchObject({ quality: 'UNCERTAIN' })
    expect(Number(await goodValue(opened.device, 'position'))).toBeCloseTo(42, 3)
    expect(await problemOf(opened.device.motion?.home(never) ?? Promise.resolve())).toMatchObject({ code: 'NOT_SUPPORTED' })
  })

  test('a station that comes back knows where the dome stood, and does not guess where one that turned has stopped', async () => {
    const { startAzimuth: _parked, ...unparked } = settings
    {
      await using opened = await open(domeRotator, unparked, bench.context)
      await opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
      await opened.device.motion?.moveTo(41, never)
      await stands(opened.device)
    }
    {
      dome.step(-1000) // by hand, 0.2 deg
      await using again = await open(domeRotator, { ...settings, startAzimuth: 300 }, bench.context)
      expect(await readOne(again.device, 'position')).toMatchObject({ quality: 'UNCERTAIN' })
      expect(Math.abs(Number(await goodValue(again.device, 'position')) - dome.azimuth)).toBeLessThan(0.1)
      await again.device.motion?.moveTo(100, never)
      await using meanwhile = await open(domeRotator, settings, { ...bench.context, resolve: (address) => bench.context.resolve(address) }).catch(
        () => undefined,
      )
      expect(meanwhile).toBeUndefined() // the port is ours
      const other = await domeRotator.openDevice(again.port, settings, bench.context, never)
      expect(await readOne(other, 'position')).toEqual({ bad: expect.stringContaining('not known') })
      expect(bench.messages.join()).toContain('last seen turning')
      await again.device.motion?.stop(never)
      await stands(again.device)
      await other[Symbol.asyncDispose]()
    }
  })

  test('an azimuth outside its sector is refused before anything turns', async () => {
    await using opened = await open(domeRotator, { ...settings, azimuthMinimum: 20, azimuthMaximum: 300 }, bench.context)
    expect(opened.device.motion?.limits()).toEqual({ minimum: 20, maximum: 300 })
    for (const beyond of [10, 301, 400, Number.NaN])
      expect(await problemOf(opened.device.motion?.moveTo(beyond, never) ?? Promise.resolve())).toMatchObject({ code: 'LIMIT_VIOLATION', effect: 'NONE' })
    expect(accepted).toEqual([])
  })

  test('a calibration whose sweep would leave the sector is refused before anything turns', async () => {
    for (const [azimuthMinimum, azimuthMaximum] of [
      [35, 300],
      [200, 45],
      [34, 46],
    ] as const) {
      await using opened = await open(domeRotator, { ...settings, azimuthMinimum, azimuthMaximum }, bench.context)
      expect(await problemOf(opened.device.motion?.home(never) ?? Promise.resolve())).toMatchObject({ code: 'LIMIT_VIOLATION', effect: 'NONE' })
    }
    expect(accepted).toEqual([])
    await using opened = await open(domeRotator, { ...settings, azimuthMinimum: 350, azimuthMaximum: 50 }, bench.context)
    await opened.device.motion?.home(never)
    await opened.device.motion?.stop(never)
    await stands(opened.device)
    expect(accepted.length).toBeGreaterThan(0)
  })

  test('a controller that ends its lines with CR and LF, as those of the Pico do, is understood', async () => {
    const plain = simulator.receive.bind(simulator)
    simulator.receive = (bytes, at) => Buffer.from(Buffer.from(plain(bytes, at)).toString().replaceAll('\n', '\r\n'))
    await using opened = await open(domeRotator, settings, bench.context)
    await opened.device.motion?.moveTo(41, never)
    expect(await goodValue(opened.device, 'moving')).toBe(true)
    await stands(opened.device)
    expect(Math.abs(dome.azimuth - 41)).toBeLessThan(0.5)
  })

  test('is found by its answer to STATUS, and nothing else is', async () => {
    expect(await domeRotator.probe?.('sim://dome', bench.context, never)).toEqual([
      { identity: 'RP2040 dome motor controller', settings: { address: 'sim://dome' } },
    ])
    line.inject({ kind: 'garbage' })
    expect(await domeRotator.probe?.('sim://dome', bench.context, never)).toEqual([])
  })

  test('settings are checked before anything is opened', () => {
    expect(() => domeRotator.locate({ ...settings, encoder: 'serial:///dev/ttyS0' })).toThrow('encoder needs a spi address')
    for (const stepDelay of [10, 260.5, 20_000]) expect(() => domeRotator.locate({ ...settings, stepDelay })).toThrow('stepDelay')
    expect(() => domeRotator.locate({ ...settings, azimuthMinimum: 10 })).toThrow('belong together')
    expect(() => domeRotator.locate({ ...settings, alignment: 'late' })).toThrow('standard, legacy')
    expect(domeRotator.locate({ address: 'gpio:///dev/gpiochip0' }).address).toBe('gpio:///dev/gpiochip0')
  })
})
