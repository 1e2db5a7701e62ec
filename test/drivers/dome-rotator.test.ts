import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../core/device.ts'
import type { Problem } from '../../core/errors.ts'
import { domeRotator } from '../../drivers/dome-rotator/driver.ts'
import { SimulatedDome } from '../../drivers/dome-rotator/simulated-dome.ts'
import { Rp2040Simulator, simulation } from '../../drivers/dome-rotator/simulator.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { serveLines } from '../../drivers/transport/line-input.ts'
import { serveSpi } from '../../drivers/transport/spi-transport.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const TIME_FACTOR = 10 // a move of 10 deg takes a second and a half
const SWITCH_WIDTH = 2 // degrees: pressed for as long as the real one, at that pace
const ARRIVES = { deadlineMs: 30_000 }

describe('the dome on a pseudo-terminal, its encoder and its switch on sockets', () => {
  let bench: Bench
  let dome: SimulatedDome
  let simulator: Rp2040Simulator
  let line: SimulatedTerminal
  let pins: AsyncDisposable[]
  let accepted: string[]
  let settings: DeviceSettings
  let acceptedAtMs = 0
  const seconds = (): number => (performance.now() / 1000) * TIME_FACTOR
  const note = (command: string): void => {
    accepted.push(command)
    acceptedAtMs = performance.now()
  }

  beforeEach(async () => {
    bench = await openBench()
    accepted = []
    dome = new SimulatedDome({ random: () => 0.5, azimuth: 40, noise: 0, switchWidth: SWITCH_WIDTH })
    simulator = new Rp2040Simulator({ random: () => 0.5, accepted: (command) => note(command) }, dome, { boots: true })
    const linkPath = join(bench.folder, 'dome.tty')
    line = new SimulatedTerminal({ instrument: simulator, baudRate: 115_200, linkPath, seconds })
    await line.plugIn()
    await writeEntry(bench.folder, 'dome', { kind: 'serial', path: linkPath })
    const [spi, gpio] = [join(bench.folder, 'dome.spi'), join(bench.folder, 'dome.gpio')]
    pins = [
      await serveSpi(spi, (mode, bytes) => {
        simulator.advance(seconds())
        return dome.frame(mode).subarray(0, bytes.length)
      }),
      await serveLines(gpio, (pin) => {
        simulator.advance(seconds())
        return pin === 27 ? dome.switchLevel() : undefined
      }),
    ]
    settings = { address: 'sim://dome', encoder: `spi://${spi}`, recalibrationSwitch: `gpio://${gpio}`, startAzimuth: 40, fastest: 1.3 * TIME_FACTOR }
  })

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    for (const pin of pins) await pin[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  async function stands({ motion }: DeviceHandle): Promise<void> {
    await until(async () => !(await motion?.isMoving(never)), ARRIVES)
  }

  /** How the motion ended badly. */
  async function failure({ motion }: DeviceHandle): Promise<Problem> {
    return await until(async () => {
      try {
        await motion?.isMoving(never)
        return false
      } catch (error) {
        return problemOf(Promise.reject(error))
      }
    }, ARRIVES)
  }

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
    simulator.provoke('BUSY', seconds())
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
    expect(acceptedAtMs - askedMs).toBeGreaterThanOrEqual(50)
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
    simulator.provoke('restart', seconds())
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'READY' } })
    expect(accepted).toHaveLength(1)
  })

  test('without an encoder, steps that nobody has counted to their end cost the azimuth', async () => {
    await using opened = await open(domeRotator, { address: settings.address ?? '' }, bench.context)
    await opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    await opened.device.motion?.moveTo(60, never)
    const turning = opened.device.commands?.invoke('set_azimuth', { azimuth: 40 }, never) ?? Promise.resolve()
    expect(await problemOf(turning)).toMatchObject({ code: 'DEVICE_BUSY', effect: 'NONE' })
    simulator.provoke('restart', seconds())
    await failure(opened.device)
    expect(await readOne(opened.device, 'position')).toEqual({ bad: expect.stringContaining('not known') })
  })

  test('a switch that cannot be read is not taken for one that is not pressed', async () => {
    await using opened = await open(domeRotator, settings, bench.context)
    await until(async () => 'value' in ((await readOne(opened.device, 'switch_pressed')) ?? {}))
    await pins.pop()?.[Symbol.asyncDispose]()
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

test('the simulation starts alone and turns when it is told', async () => {
  await using bench = await openBench()
  const accepted: string[] = []
  await using running = await simulation.start({ folder: bench.folder, name: 'a', seed: 1, timeFactor: 10, accepted: (command) => accepted.push(command) })
  await writeEntry(bench.folder, 'a', running.entry)
  await using opened = await open(domeRotator, { ...running.devices[0], address: 'sim://a' }, bench.context)
  await opened.device.motion?.moveTo(42, never)
  await until(async () => !(await opened.device.motion?.isMoving(never)), ARRIVES)
  expect(Math.abs(Number(await goodValue(opened.device, 'position')) - 42)).toBeLessThan(0.12)
})

describe('the simulation, told to go wrong', () => {
  let bench: Bench
  let running: RunningSimulation
  let opened: (AsyncDisposable & { readonly device: DeviceHandle }) | undefined

  beforeEach(async () => {
    bench = await openBench()
    running = await simulation.start({ folder: bench.folder, name: 'a', seed: 1, timeFactor: 10 })
    await writeEntry(bench.folder, 'a', running.entry)
  })

  afterEach(async () => {
    await opened?.[Symbol.asyncDispose]()
    opened = undefined
    await running[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  async function reopened(): Promise<DeviceHandle> {
    await opened?.[Symbol.asyncDispose]()
    opened = await open(domeRotator, { ...running.devices[0], address: 'sim://a' }, bench.context)
    return opened.device
  }

  const failure = async ({ motion }: DeviceHandle): Promise<Problem> =>
    await until(
      () =>
        motion?.isMoving(never).then(
          () => false as const,
          (error: unknown) => problemOf(Promise.reject(error)),
        ) ?? false,
      ARRIVES,
    )

  test('an encoder that freezes is noticed while the dome turns, and is well again', async () => {
    const device = await reopened()
    expect(running.troubles).toContain('frozen')
    running.inject({ kind: 'error', code: 'frozen' })
    await device.motion?.moveTo(60, never)
    expect(await failure(device)).toMatchObject({ facts: { instrumentCode: 'STAGNATION' } })
    running.inject({ kind: 'error', code: 'healthy' })
    await goodValue(device, 'moving')
    await device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    await device.motion?.moveTo(41, never)
    await until(async () => !(await device.motion?.isMoving(never)), ARRIVES)
  })

  test('a switch that nothing presses is not found', async () => {
    const device = await reopened()
    running.inject({ kind: 'error', code: 'switch' })
    await device.motion?.home(never)
    expect(await failure(device)).toMatchObject({ facts: { instrumentCode: 'NO_SWITCH' } })
  })

  test('a controller whose cable is pulled stands, since it lives on USB, and boots when it is back', async () => {
    const device = await reopened()
    await device.motion?.moveTo(200, never)
    await running.unplug()
    expect(await failure(device)).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'DONE' })
    await running.plugIn()
    const again = await reopened()
    expect(await again.motion?.isMoving(never)).toBe(false)
    expect(await readOne(again, 'position')).toHaveProperty('bad') // nobody saw where it stopped
  })
})
