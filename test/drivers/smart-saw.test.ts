import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkValue } from '../../core/parameter.ts'
import { isUnit } from '../../core/unit.ts'
import { SimulatedRegisters } from '../../drivers/simulated-registers.ts'
import { smartSaw } from '../../drivers/smart-saw/driver.ts'
import { CUT_START, REGISTERS, type Register } from '../../drivers/smart-saw/profile.ts'
import { blocksOf, decode, encode, floatWords, MAX_REGISTERS_READ, widthOf } from '../../drivers/smart-saw/protocol.ts'
import { SmartSawSimulator } from '../../drivers/smart-saw/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const register = (name: string): Register => REGISTERS.find((candidate) => candidate.name === name) ?? expect.fail(`no register ${name}`)

describe('the register profile', () => {
  test('is the block 1000 to 1043 without a hole, and the two speed targets', () => {
    const covered = REGISTERS.flatMap((each) => Array.from({ length: widthOf(each) }, (_, word) => each.at + word))
    expect(covered).toEqual([...Array.from({ length: 44 }, (_, word) => 1000 + word), 2041, 2066])
    expect(new Set(REGISTERS.map((each) => each.name)).size).toBe(REGISTERS.length)
    expect(REGISTERS.filter((each) => each.unit !== undefined && !isUnit(each.unit))).toEqual([])
  })

  test("signs are two's complement", () => {
    expect(decode(register('band_deviation'), [65_535])).toBe(-0.01)
    expect(decode(register('band_deviation'), [151])).toBe(1.51)
    expect(decode(register('ambient_temperature'), [65_526])).toBe(-1)
    expect(decode(register('descent_speed'), [65_536 - 900])).toBe(-900)
    expect(decode(register('descent_speed'), [501])).toBe(501)
    expect(decode(register('descent_motor_current'), [65_536 - 250])).toBe(2.5)
  })

  test('energy, state and alarms', () => {
    expect(decode(register('energy'), floatWords(1234.5))).toBe(1234.5)
    expect(decode(register('energy'), [0, 0x7fc0])).toBeUndefined() // not a number
    expect(decode(register('state'), [3])).toBe('cutting')
    expect(decode(register('state'), [7])).toBeUndefined()
    expect(decode(register('alarms'), [0])).toBe('none')
    expect(decode(register('alarms'), [0x0081])).toBe('emergency stop, band broken')
    expect(decode(register('alarms'), [0x4000])).toBe('bit 14')
  })

  test('targets are rounded, not cut off', () => {
    expect(encode(register('descent_speed_target'), 19.999)).toBe(2000)
    expect(encode(register('descent_speed_target'), 20.29)).toBe(2029) // 20.29 * 100 is 2028.99… in floating point
    expect(encode(register('cutting_speed_target'), 58)).toBe(58)
  })

  test('whatever the words are, a value is finite or there is none', () => {
    fc.assert(
      fc.property(fc.constantFrom(...REGISTERS), fc.array(fc.oneof(fc.nat(0xffff), fc.double(), fc.integer()), { maxLength: 3 }), (each, words) => {
        const value = decode(each, words)
        expect(value === undefined || typeof value === 'string' || Number.isFinite(value)).toBe(true)
      }),
    )
  })

  test('what was set reads back as what was set', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 6000 }), (hundredths) => {
        expect(decode(register('descent_speed_target'), [encode(register('descent_speed_target'), hundredths / 100)])).toBe(hundredths / 100)
      }),
    )
  })

  test('adjacent registers are read in one request', () => {
    expect(blocksOf(REGISTERS).map(({ at, count }) => [at, count])).toEqual([
      [1000, 44],
      [2041, 1],
      [2066, 1],
    ])
    fc.assert(
      fc.property(fc.subarray([...REGISTERS]), (wanted) => {
        const blocks = blocksOf(wanted)
        expect(blocks.flatMap((block) => block.registers)).toEqual(wanted)
        expect(
          blocks.every(
            (block) =>
              block.count <= MAX_REGISTERS_READ && block.registers.every((each) => each.at >= block.at && each.at + widthOf(each) <= block.at + block.count),
          ),
        ).toBe(true)
      }),
    )
  })
})

describe('the simulated saw', () => {
  test('goes through a cut by itself once it is started', () => {
    const saw = new SmartSawSimulator({ random: () => 0.5, accepted: () => undefined })
    saw.write(2041, 6000, 0)
    saw.write(20, CUT_START, 0)
    const seen: string[] = []
    for (let seconds = 0; seconds < 120; seconds += 0.1) {
      saw.read(1030, 1, seconds)
      if (seen.at(-1) !== saw.state) seen.push(saw.state)
    }
    expect(seen).toEqual(['hydraulics active', 'band motor running', 'cutting', 'cut finished', 'saw rising', 'idle'])
    expect(saw.read(1014, 1, 120)).toEqual([18])
  })

  test('a hard spot raises the torque by more than 40 %', () => {
    const saw = new SmartSawSimulator({ random: () => 0.5, accepted: () => undefined })
    saw.write(20, CUT_START, 0)
    const torque = (seconds: number): number => saw.read(1016, 1, seconds)[0] ?? 0
    const before = torque(20)
    expect(saw.state).toBe('cutting')
    saw.hideInclusion()
    expect(torque(25)).toBeGreaterThan(before * 1.4)
  })
})

describe('the driver over Modbus TCP', () => {
  let bench: Bench
  let saw: SmartSawSimulator
  let server: SimulatedRegisters
  let accepted: { readonly command: string; readonly atMs: number }[]
  const settings = { address: 'sim://saw' }

  beforeEach(async () => {
    bench = await openBench()
    accepted = []
    saw = new SmartSawSimulator({ random: () => 0.5, accepted: (command) => accepted.push({ command, atMs: performance.now() }) })
    server = new SimulatedRegisters({ instrument: saw, host: '127.0.0.1', port: 0, seconds: () => performance.now() / 1000 })
    await server.plugIn()
    await writeEntry(bench.folder, 'saw', { kind: 'tcp', host: '127.0.0.1', port: server.port })
  })

  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  test('reads every register as a value', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    expect(opened.device.identity).toBe('band saw 42')
    expect(opened.device.registers).toEqual({ count: 46 })
    const names = opened.device.parameters.map((parameter) => parameter.name)
    const before = opened.port.line.health.exchanges
    const readings = await opened.device.read(names, never)
    expect(opened.port.line.health.exchanges - before).toBe(3)
    expect([...readings.values()].filter((reading) => 'bad' in reading)).toEqual([])
    expect(readings.get('state')).toEqual({ value: 'idle' })
    expect(readings.get('cutting_speed_target')).toEqual({ value: 58 })
    expect(readings.get('descent_speed_target')).toEqual({ value: 20 })
    expect(readings.get('energy')).toEqual({ value: 1234.5 })
  })

  test('sets both speeds, the second not sooner than 110 ms after the first', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    const { write } = opened.device
    const set = await Promise.all([
      write?.call(opened.device, 'cutting_speed_target', 70, never),
      write?.call(opened.device, 'descent_speed_target', 24.5, never),
    ])
    expect(set).toEqual([70, 24.5])
    expect(accepted.map(({ command }) => command)).toEqual(['2066=70', '2041=2450'])
    expect((accepted[1]?.atMs ?? 0) - (accepted[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(105)
  })

  test('its parameters refuse what the machine must not be told', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    const spec = (name: string) => opened.device.parameters.find((parameter) => parameter.name === name) ?? expect.fail(name)
    expect(() => checkValue(spec('cutting_speed_target'), 91)).toThrow('outside 40 … 90 m/min')
    expect(() => checkValue(spec('cutting_speed_target'), 58.5)).toThrow('whole number')
    expect(() => checkValue(spec('descent_speed_target'), 9.9)).toThrow('outside 10 … 60 mm/min')
    expect(() => checkValue(spec('head_height'), 5)).toThrow('can only be read')
  })

  test('a frozen target is seen by its read-back', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    const write = saw.write.bind(saw)
    saw.write = (at, value, seconds) => write(at, value + 1, seconds)
    expect(await problemOf(opened.device.write?.('cutting_speed_target', 60, never) ?? Promise.resolve())).toMatchObject({
      code: 'HARDWARE_FAULT',
      effect: 'DONE',
    })
  })

  test("an exception is the PLC's word that it did nothing; silence may be anything", async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    server.inject({ kind: 'error', code: '4' })
    expect(await problemOf(opened.device.write?.('cutting_speed_target', 60, never) ?? Promise.resolve())).toMatchObject({
      effect: 'NONE',
      facts: { instrumentCode: '4' },
    })
    server.inject({ kind: 'silent' })
    expect(await problemOf(opened.device.write?.('cutting_speed_target', 60, never) ?? Promise.resolve())).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      effect: 'POSSIBLE',
    })
    expect(opened.port.line.health).toMatchObject({ failures: 2, failuresInARow: 2 })
  })

  test('a late answer is not taken for the next one', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    server.inject({ kind: 'late', byMs: 1050 })
    expect(await readOne(opened.device, 'cutting_speed_target')).toHaveProperty('bad')
    expect(await goodValue(opened.device, 'descent_speed_target')).toBe(20)
  })

  test('an emergency stop passes the request that is on the wire', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    saw.write(20, CUT_START, performance.now() / 1000)
    server.inject({ kind: 'silent' })
    const hanging = readOne(opened.device, 'state')
    await until(() => server.faultsLeft === 0)
    const stop = await opened.device.emergencyStop?.(never)
    await until(() => accepted.at(-1)?.command === '20=16')
    expect(await hanging).toHaveProperty('bad')
    expect(await stop?.confirmed).toBe(true)
    expect(saw.state).toBe('idle')
  })

  test('a dropped link is lost, and the same port answers again', async () => {
    {
      await using opened = await open(smartSaw, settings, bench.context)
      await server.unplug()
      await until(() => opened.port.lost.aborted)
      expect(await problemOf(opened.device.read(['state'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    }
    expect(await problemOf(open(smartSaw, settings, bench.context))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    await server.plugIn()
    await using again = await open(smartSaw, settings, bench.context)
    expect(await goodValue(again.device, 'state')).toBe('idle')
  })
})
