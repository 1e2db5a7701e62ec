import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newportEsp300 } from '../../drivers/newport-esp300/driver.ts'
import { ControllerPort, GAP_MS, lineProtocol } from '../../drivers/newport-esp300/port.ts'
import * as protocol from '../../drivers/newport-esp300/protocol.ts'
import { Esp300Simulator } from '../../drivers/newport-esp300/simulator.ts'
import { brake, moveBetween } from '../../drivers/newport-esp300/trajectory.ts'
import { parseUnit } from '../../drivers/newport-esp300/units.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import { SerialLine } from '../../drivers/transport/serial-line.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'
import { memoryLine, tooEarly } from './memory-line.ts'

const host = { random: () => 0.5, accepted: () => undefined }

describe('the protocol', () => {
  test('replies as they were recorded', () => {
    expect(protocol.IDENTITY.test('ESP300 Version 3.04 07/27/01')).toBe(true)
    expect(protocol.STAGE.test('TS50DC.5, SN1263')).toBe(true)
    expect(protocol.parseNumber('12.3456')).toBe(12.3456)
    expect(protocol.parseFlag('1')).toBe(true)
    expect(protocol.parseFlag('2')).toBeUndefined()
    expect(parseUnit('2')?.ucum).toBe('mm')
    expect(parseUnit('12')).toBeUndefined()
    expect(protocol.parseError('0')).toBe('none')
    expect(protocol.parseError('6')).toEqual({ code: 6, message: 'command does not exist', refused: true })
    expect(protocol.parseError('213')).toEqual({ code: 213, axis: 2, message: 'motor not enabled', refused: true })
  })

  test('commands as the manual writes them', () => {
    expect(protocol.command.moveTo(1, 12.5)).toBe('1PA12.500000')
    expect(protocol.command.velocity(3, 1e-7)).toBe('3VA0.000000')
    expect(protocol.command.motor(2, false)).toBe('2MF')
    expect(protocol.command.abort).toBe('AB')
  })

  test('no text becomes a number that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.eE\d]{0,12}$/)), (text) => {
        const value = protocol.parseNumber(text)
        expect(value === undefined || (Number.isFinite(value) && value === Number(text) && text.trim() === text && text !== '')).toBe(true)
        const error = protocol.parseError(text)
        expect(error === undefined || error === 'none' || error.code === Number(text)).toBe(true)
        expect([undefined, text === '1']).toContain(protocol.parseFlag(text))
      }),
    )
  })

  test('a number survives being printed by the controller', () => {
    fc.assert(
      fc.property(fc.integer({ min: -250_000, max: 250_000 }), (counts) => {
        expect(protocol.parseNumber((counts / 10_000).toFixed(4))).toBe(counts / 10_000)
      }),
    )
  })
})

describe('the simulated controller', () => {
  const ask = (simulator: Esp300Simulator, text: string, seconds = 0): string => Buffer.from(simulator.receive(Buffer.from(`${text}\r`), seconds)).toString()

  test('queues its errors and tells them one by one', () => {
    const simulator = new Esp300Simulator(host, { motorsOn: false })
    expect(ask(simulator, '1XY')).toBe('')
    expect(ask(simulator, '7PA1;1PA;1PA5;PA5')).toBe('')
    expect(['TE?', 'TE?', 'TE?', 'TE?', 'TE?', 'TE?'].map((text) => ask(simulator, text))).toEqual(['6\r\n', '9\r\n', '38\r\n', '113\r\n', '37\r\n', '0\r\n'])
  })

  test('takes as long as 10 mm at 2 mm/s take, and answers MD? by 0 until then', () => {
    const simulator = new Esp300Simulator(host)
    ask(simulator, '1VA2')
    ask(simulator, '1PA10')
    expect(ask(simulator, '1MD?', 4.9)).toBe('0\r\n')
    expect(ask(simulator, '1MD?', 5.2)).toBe('1\r\n')
    expect(Number(ask(simulator, '1TP', 5.2))).toBeCloseTo(10, 3)
  })

  test('bytes in pieces, lower case, CR LF: the same command', () => {
    const simulator = new Esp300Simulator(host)
    expect(simulator.receive(Buffer.from('v'), 0)).toHaveLength(0)
    expect(Buffer.from(simulator.receive(Buffer.from('e?\r\n'), 0)).toString()).toBe('ESP300 Version 3.04 07/27/01\r\n')
  })

  test('never leaves the way between start and target', () => {
    const positive = fc.double({ min: 0.1, max: 100, noNaN: true })
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        positive,
        positive,
        positive,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (from, to, velocity, acceleration, deceleration, part) => {
          const trajectory = moveBetween(from, to, { velocity, acceleration, deceleration })
          const now = trajectory.at(part * trajectory.durationSeconds)
          expect(now.position).toBeGreaterThanOrEqual(Math.min(from, to) - 1e-6)
          expect(now.position).toBeLessThanOrEqual(Math.max(from, to) + 1e-6)
          expect(Math.abs(now.velocity)).toBeLessThanOrEqual(velocity * 1.000001)
          const stopped = brake(now.position, now.velocity, deceleration)
          expect(stopped.at(stopped.durationSeconds)).toEqual({ position: stopped.end, velocity: 0 })
        },
      ),
    )
  })
})

describe('the driver on a pseudo-terminal', () => {
  let bench: Bench
  let simulator: Esp300Simulator
  let line: SimulatedTerminal
  let accepted: string[]
  const settings = { address: 'sim://esp300', axis: 1, flowControl: 'none' }
  const seconds = (): number => performance.now() / 1000

  beforeEach(async () => {
    bench = await openBench()
    accepted = []
    simulator = new Esp300Simulator({ random: () => 0.5, accepted: (command) => accepted.push(command) })
    await serve(simulator)
  })

  async function serve(instrument: Esp300Simulator): Promise<void> {
    const linkPath = join(bench.folder, 'esp300.tty')
    line = new SimulatedTerminal({ instrument, baudRate: 19_200, linkPath, seconds })
    await line.plugIn()
    await writeEntry(bench.folder, 'esp300', { kind: 'serial', path: linkPath })
  }

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  test('says what it is and reads every parameter', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    expect(axis.device.identity).toBe('ESP300 Version 3.04 07/27/01, axis 1: TS50DC.5, SN1263')
    const names = axis.device.parameters.map((parameter) => parameter.name)
    const readings = await axis.device.read(names, never)
    expect([...readings.keys()]).toEqual(names)
    expect(readings.get('velocity')).toEqual({ value: 10 })
    expect(readings.get('motor_on')).toEqual({ value: true })
    expect(readings.get('moving')).toEqual({ value: false })
    expect(readings.get('homed')).toHaveProperty('bad')
    expect(axis.device.motion?.limits()).toEqual({ minimum: 0, maximum: 25 })
  })

  test('moves to where it is told and knows by the controller when it stands', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const { motion } = axis.device
    await axis.device.write?.('velocity', 20, never)
    await motion?.moveTo(5, never)
    expect(await motion?.isMoving(never)).toBe(true)
    await until(async () => !(await motion?.isMoving(never)))
    expect(await goodValue(axis.device, 'position')).toBeCloseTo(5, 2)
    expect(accepted).toEqual(['1VA20.000000', '1PA5.000000'])
  })

  test('finds home', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const { motion } = axis.device
    expect(motion?.homed()).toBeUndefined()
    await motion?.home(never)
    await until(async () => !(await motion?.isMoving(never)))
    expect(motion?.homed()).toBe(true)
  })

  test('a set is read back', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    expect(await axis.device.write?.('acceleration', 12.5, never)).toBe(12.5)
    expect(await axis.device.write?.('motor_on', false, never)).toBe(false)
    expect(await axis.device.write?.('soft_limit_maximum', 20, never)).toBe(20)
    expect(axis.device.motion?.limits()).toEqual({ minimum: 0, maximum: 20 })
  })

  test('what the controller refuses is a fault with its code, and the next axis is not blamed', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    await axis.device.write?.('motor_on', false, never)
    const refused = await problemOf(axis.device.motion?.moveTo(5, never) ?? Promise.resolve())
    expect(refused).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'NONE', facts: { instrumentCode: '113' } })
    const second = await newportEsp300.openDevice(axis.port, { ...settings, axis: 2 }, bench.context, never)
    simulator.fail(1, seconds())
    await second.motion?.moveTo(1, never)
    const late = await problemOf(axis.device.write?.('velocity', 3, never) ?? Promise.resolve())
    expect(late.message).toContain('following error')
  })

  test('a position outside the limits is refused before anything is sent', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const refused = await problemOf(axis.device.motion?.moveTo(25.1, never) ?? Promise.resolve())
    expect(refused).toMatchObject({ code: 'LIMIT_VIOLATION', facts: { minimum: 0, maximum: 25, unit: 'mm' } })
    expect(accepted).toEqual([])
  })

  test('a motion that ends for a reason of its own says so', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    await axis.device.motion?.moveTo(20, never)
    expect(await axis.device.motion?.isMoving(never)).toBe(true)
    simulator.fail(1, seconds())
    const ended = await problemOf(axis.device.motion?.isMoving(never) ?? Promise.resolve())
    expect(ended.facts.instrumentCode).toBe('103')
  })

  test('a stop overtakes what waits, and a move that waited is not sent after it', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const { device } = axis
    await device.motion?.moveTo(20, never)
    line.inject({ kind: 'late', byMs: 300 })
    const reading = device.read(['velocity'], never)
    await until(() => line.faultsLeft === 0) // the line waits for its reply
    const waiting = problemOf(device.motion?.moveTo(24, never) ?? Promise.resolve())
    await device.motion?.stop(never)
    expect(await reading).toEqual(new Map([['velocity', { value: 10 }]]))
    expect(await waiting).toMatchObject({ code: 'CONFLICT', effect: 'NONE' })
    await until(async () => !(await device.motion?.isMoving(never)))
    expect(accepted).toEqual(['1PA20.000000', '1ST'])
    expect(await goodValue(device, 'position')).toBeLessThan(19)
  })

  test('after each command the controller has its time, after a stop that overtook the others too', async () => {
    const { transport, written } = memoryLine(simulator)
    const line = new SerialLine(transport, lineProtocol(500))
    await using controller = new ControllerPort(line, { address: settings.address, baudRate: 19_200, flowControl: 'none', replyTimeoutMs: 5000 })
    const device = await newportEsp300.openDevice(controller, settings, bench.context, never)
    await device.motion?.moveTo(20, never)
    await device.motion?.stop(never)
    await device.write?.('velocity', 5, never)
    expect(await (await device.emergencyStop?.(never))?.confirmed).toBe(true)
    expect(accepted).toEqual(['1PA20.000000', '1ST', '1VA5.000000', 'AB'])
    expect(tooEarly(written, GAP_MS)).toEqual([])
  })

  test('an emergency stop is on the wire at once, voids what waits, and is confirmed', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const { device } = axis
    await device.motion?.moveTo(20, never)
    line.inject({ kind: 'silent' })
    const hanging = readOne(device, 'velocity')
    await until(() => line.faultsLeft === 0)
    const waiting = problemOf(device.motion?.moveTo(24, never) ?? Promise.resolve())
    const stop = await device.emergencyStop?.(never)
    await until(() => accepted.at(-1) === 'AB') // its bytes take their time at the line's rate
    expect(await hanging).toHaveProperty('bad')
    expect(await waiting).toMatchObject({ code: 'EMERGENCY_STOPPED', effect: 'NONE' })
    expect(await stop?.confirmed).toBe(true)
    expect(accepted).toEqual(['1PA20.000000', 'AB'])
    expect(simulator.moving(1, seconds())).toBe(false)
  })

  test('an emergency stop finds its way while three axes are being read', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const others = await Promise.all([2, 3].map((number) => newportEsp300.openDevice(axis.port, { ...settings, axis: number }, bench.context, never)))
    const devices = [axis.device, ...others]
    let reading = true
    const loops = devices.map(async (device) => {
      while (reading) await device.read(['position', 'moving', 'velocity'], never)
    })
    for (let round = 0; round < 5; round += 1) {
      await axis.device.motion?.moveTo(round % 2 === 0 ? 20 : 0, never)
      const before = accepted.length
      const stop = axis.device.emergencyStop?.(never)
      await until(() => accepted.length > before, { everyMs: 1 })
      expect(accepted.at(-1)).toBe('AB')
      expect(await (await stop)?.confirmed).toBe(true)
    }
    reading = false
    await Promise.all(loops)
  })

  test('two axes stopped at once are both confirmed', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const second = await newportEsp300.openDevice(axis.port, { ...settings, axis: 2 }, bench.context, never)
    await axis.device.motion?.moveTo(20, never)
    await second.motion?.moveTo(20, never)
    const stops = await Promise.all([axis.device.emergencyStop?.(never), second.emergencyStop?.(never)])
    expect(await Promise.all(stops.map((stop) => stop?.confirmed))).toEqual([true, true])
  })

  test('something that is not an ESP300 is refused by name', async () => {
    await line[Symbol.asyncDispose]()
    await serve(new Esp300Simulator(host, { identity: 'MM4005 Version 1.2' }))
    const refused = await problemOf(open(newportEsp300, settings, bench.context))
    expect(refused.message).toContain('"MM4005 Version 1.2", which is not an ESP300')
  })

  test('axes with another baud rate than their controller are refused', async () => {
    await using axis = await open(newportEsp300, settings, bench.context)
    const refused = await problemOf(newportEsp300.openDevice(axis.port, { ...settings, axis: 2, baudRate: 9600 }, bench.context, never))
    expect(refused.code).toBe('INVALID_VALUE')
  })

  test('an unplugged line is lost with its reason, and can be opened again', async () => {
    {
      await using axis = await open(newportEsp300, settings, bench.context)
      const reading = axis.device.read(['position', 'velocity'], never).then(
        () => 'went on',
        () => 'lost',
      )
      await line.unplug()
      await until(() => axis.port.lost.aborted)
      expect(await reading).toBe('lost')
      expect(await problemOf(axis.device.read(['position'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    }
    expect(await problemOf(open(newportEsp300, settings, bench.context))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    await line.plugIn()
    await using again = await open(newportEsp300, settings, bench.context)
    expect(await goodValue(again.device, 'position')).toBeCloseTo(0, 2)
  })

  test('settings are checked before anything is opened', () => {
    expect(newportEsp300.locate(settings)).toEqual({ address: 'sim://esp300', subAddress: '1' })
    expect(() => newportEsp300.locate({ ...settings, axis: 4 })).toThrow('choose one of 1, 2, 3')
    expect(() => newportEsp300.locate({ ...settings, baud: 9600 })).toThrow('baud is not a setting of this driver')
    expect(() => newportEsp300.locate({ ...settings, address: 'tcp://10.0.0.1:502' })).toThrow('needs a serial address')
  })
})
