import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkValue } from '../../core/parameter.ts'
import { blocksOf } from '../../drivers/modbus/blocks.ts'
import { decode, encode } from '../../drivers/modbus/coding.ts'
import type { Register } from '../../drivers/modbus/profile.ts'
import { SimulatedRegisters } from '../../drivers/simulation/simulated-registers.ts'
import { sawProfile, smartSaw } from '../../drivers/smart-saw/driver.ts'
import { ALARMS, COMMAND, floatWords, STATES } from '../../drivers/smart-saw/protocol.ts'
import { SmartSawSimulator } from '../../drivers/smart-saw/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { expectBadAfter } from './bad-after.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const profile = () => sawProfile().profile({})
const register = (name: string): Register => profile().registers.find((candidate) => candidate.name === name) ?? expect.fail(`no register ${name}`)

describe('the register profile', () => {
  test('is the block 1000 to 1043 without a hole, and the controls', () => {
    const state = profile().registers.filter(({ at }) => at >= 1000 && at < 1100)
    expect(state.flatMap(({ at, words }) => Array.from({ length: words }, (_, word) => at + word))).toEqual(
      Array.from({ length: 44 }, (_, word) => 1000 + word),
    )
    const controls = profile().registers.filter(({ access }) => access === 'READ_WRITE')
    expect(controls.map(({ name, at, bit }) => [name, at, bit])).toEqual([
      ['automatic_mode', 2, undefined],
      ['rear_vice_open', 20, 5],
      ['front_vice_open', 20, 6],
      ['material_forward', 20, 7],
      ['material_back', 20, 8],
      ['saw_up', 20, 9],
      ['saw_down', 20, 10],
      ['length_confirm', 40, 10],
      ['machine_start', 102, 0],
      ['chip_conveyor', 102, 3],
      ['coolant', 2000, 1],
      ['descent_speed_target', 2041, undefined],
      ['target_quantity', 2050, undefined],
      ['target_length', 2064, undefined],
      ['cutting_speed_target', 2066, undefined],
      ['pieces_per_package', 2070, undefined],
    ])
    expect(profile().commands.map(({ name, target, holdMs }) => [name, target, holdMs])).toEqual([
      ['cut_start', { table: 'holding', at: 20, bit: 3, on: true }, 300],
      ['cut_cancel', { table: 'holding', at: 20, bit: 4, on: true }, 300],
      ['automatic_start', { table: 'holding', at: 20, bit: 13, on: true }, 300],
      ['reset', { table: 'holding', at: 20, bit: 14, on: true }, 1500],
    ])
  })

  test('knows the states and alarms of the simulated PLC', () => {
    expect([...(register('state').names?.values() ?? [])]).toEqual(STATES)
    const names = [...(register('alarms').names?.entries() ?? [])].map(([bit, name]) => [name.replaceAll(' ', '-'), 1 << bit])
    expect(Object.fromEntries(names)).toEqual(ALARMS)
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

  test('targets are rounded, not cut off, and refused outside their limits', () => {
    expect(encode(register('descent_speed_target'), 19.999)).toEqual([2000])
    expect(encode(register('descent_speed_target'), 20.29)).toEqual([2029]) // 20.29 * 100 is 2028.99… in floating point
    expect(encode(register('cutting_speed_target'), 58)).toEqual([58])
    expect(() => encode(register('cutting_speed_target'), 91)).toThrow('outside 40 … 90 m/min')
  })

  test('what its sources contradict each other about is a setting', () => {
    const chosen = sawProfile().profile({ cuttingSpeedTarget: 'tenths', temperatureSign: 'unsigned', accelerationUnit: 'g', lengthConfirm: 'coil' })
    const of = (name: string): Register => chosen.registers.find((candidate) => candidate.name === name) ?? expect.fail(name)
    expect(encode(of('cutting_speed_target'), 58.5)).toEqual([585])
    expect(decode(of('ambient_temperature'), [65_526])).toBe(6552.6)
    expect(of('acceleration_z').unit).toBe('[g]')
    expect(of('length_confirm')).toMatchObject({ table: 'coil', at: 650 })
    expect(() => smartSaw.locate({ address: 'tcp://10.0.0.1:502', cuttingSpeedTarget: 'x10' })).toThrow('choose one of whole, tenths')
  })

  test('is read in as few requests as the protocol allows', () => {
    const blocks = blocksOf(profile().registers, { longest: 125, readThrough: 125 })
    expect(blocks.map(({ at, count }) => [at, count])).toEqual([
      [2, 101],
      [1000, 44],
      [2000, 71],
    ])
  })
})

describe('the simulated saw', () => {
  test('goes through a cut by itself once it is started', () => {
    const saw = new SmartSawSimulator({ random: () => 0.5, accepted: () => undefined })
    saw.write(2041, 6000, 0)
    saw.write(20, COMMAND.cutStart, 0)
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
    saw.write(20, COMMAND.cutStart, 0)
    const torque = (seconds: number): number => saw.read(1016, 1, seconds)[0] ?? 0
    const before = torque(20)
    expect(saw.state).toBe('cutting')
    saw.hideInclusion()
    expect(torque(25)).toBeGreaterThan(before * 1.4)
  })

  test('the head goes up and down, the vices open, the material moves by their bits', () => {
    const saw = new SmartSawSimulator({ random: () => 0.5, accepted: () => undefined })
    const word = (at: number, seconds: number): number => saw.read(at, 1, seconds)[0] ?? 0
    saw.write(20, COMMAND.sawDown, 0)
    expect(word(1013, 5)).toBeLessThan(600)
    saw.write(20, COMMAND.sawUp, 5)
    expect(word(1013, 12)).toBe(700)
    saw.write(20, COMMAND.frontViceOpen, 12)
    expect(word(1019, 15)).toBeLessThan(5)
    saw.write(20, COMMAND.frontViceOpen | COMMAND.cutStart, 15)
    expect(saw.state).toBe('idle') // nothing holds the material
    saw.write(20, COMMAND.materialForward, 16)
    word(1030, 17)
    expect(saw.state).toBe('material feed')
    saw.write(20, 0, 18)
    word(1030, 19)
    expect(saw.state).toBe('idle')
  })

  test('the automatic programme cuts as many pieces as are wanted', () => {
    const saw = new SmartSawSimulator({ random: () => 0.5, accepted: () => undefined })
    saw.write(2041, 6000, 0)
    saw.write(2050, 2, 0)
    saw.write(2, 1, 0)
    saw.write(20, COMMAND.automaticStart, 0)
    for (let seconds = 0; seconds < 300; seconds += 1) saw.read(1030, 1, seconds)
    expect(saw.read(2056, 1, 300)).toEqual([2])
    expect(saw.state).toBe('idle')
  })

  test('an alarm ends the cut and stays until the reset was held for 1.5 s', () => {
    const saw = new SmartSawSimulator({ random: () => 0.5, accepted: () => undefined })
    saw.write(20, COMMAND.cutStart, 0)
    saw.read(1030, 1, 10)
    saw.provoke('servo-over-temperature', 10)
    expect(saw.state).toBe('idle')
    expect(saw.read(1031, 2, 10)).toEqual([1, 0x0200])
    saw.write(20, COMMAND.reset, 11)
    saw.write(20, 0, 12)
    expect(saw.read(1032, 1, 20)).toEqual([0x0200])
    saw.write(20, COMMAND.reset, 21)
    expect(saw.read(1032, 1, 22.7)).toEqual([0])
    expect(saw.read(1028, 1, 22.7)[0]).toBeGreaterThan(800)
  })

  test('words freeze and wrap', () => {
    const saw = new SmartSawSimulator({ random: () => 0.3, accepted: () => undefined })
    saw.provoke('wrapped-word', 0)
    expect(saw.read(1025, 1, 1)[0]).toBeGreaterThan(65_000)
    saw.freeze(1042)
    const [energy] = saw.read(1042, 1, 1)
    saw.write(20, COMMAND.cutStart, 1)
    expect(saw.read(1042, 1, 60)[0]).toBe(energy)
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
    expect(opened.device.registers).toEqual({ count: 44 + 11 })
    const names = opened.device.parameters.map((parameter) => parameter.name)
    const before = Number(await goodValue(opened.device, 'link_exchanges'))
    const readings = await opened.device.read(names, never)
    expect(Number(await goodValue(opened.device, 'link_exchanges')) - before).toBe(3)
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
    expect(await goodValue(opened.device, 'link_failures')).toBe(2)
    expect(await goodValue(opened.device, 'link_failures_in_a_row')).toBe(2)
    expect(await goodValue(opened.device, 'link_last_error')).toContain('no answer within 1000 ms')
    expect(await goodValue(opened.device, 'state')).toBe('idle')
    expect(await goodValue(opened.device, 'link_failures_in_a_row')).toBe(0)
  })

  test('a set that cannot be read back was done all the same', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    server.inject({ kind: 'late', byMs: 0 }, { kind: 'error', code: '4' })
    expect(await problemOf(opened.device.write?.('cutting_speed_target', 60, never) ?? Promise.resolve())).toMatchObject({
      effect: 'DONE',
      facts: { instrumentCode: '4' },
    })
    server.inject({ kind: 'late', byMs: 0 }, { kind: 'error', code: '4' })
    expect(await problemOf(opened.device.write?.('coolant', true, never) ?? Promise.resolve())).toMatchObject({ effect: 'DONE' })
  })

  test('a late answer is not taken for the next one', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    const late = { kind: 'late', byMs: 1050 } as const
    server.inject(late)
    expectBadAfter(late, await readOne(opened.device, 'cutting_speed_target'), 58)
    expect(await goodValue(opened.device, 'descent_speed_target')).toBe(20)
  })

  test('an emergency stop passes the request that is on the wire', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    saw.write(20, COMMAND.cutStart, performance.now() / 1000)
    server.inject({ kind: 'silent' })
    const hanging = readOne(opened.device, 'state')
    await until(() => server.faultsLeft === 0)
    const stop = await opened.device.emergencyStop?.(never)
    await until(() => accepted.some(({ command }) => command === '20=16'))
    expect(await hanging).toHaveProperty('bad')
    expect(await stop?.confirmed).toBe(true)
    expect(saw.state).toBe('idle')
    expect(accepted.at(-1)?.command).toBe('20=0') // the button is let go
  })

  test('a bit is set beside its neighbours, which another client may set too', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    saw.write(20, COMMAND.frontViceOpen, performance.now() / 1000)
    expect(await opened.device.write?.('rear_vice_open', true, never)).toBe(true)
    expect(accepted.at(-1)?.command).toBe(`20=${COMMAND.frontViceOpen | COMMAND.rearViceOpen}`)
    expect(await opened.device.write?.('rear_vice_open', false, never)).toBe(false)
    expect(await goodValue(opened.device, 'front_vice_open')).toBe(true)
  })

  test('the length is confirmed by a bit, or by the coil that is the same bit', async () => {
    const confirmed = (): number => (saw.read(40, 1, performance.now() / 1000)[0] ?? 0) & (1 << 10)
    for (const lengthConfirm of ['bit', 'coil']) {
      await using opened = await open(smartSaw, { ...settings, lengthConfirm }, bench.context)
      expect(await opened.device.write?.('length_confirm', true, never)).toBe(true)
      expect(confirmed()).not.toBe(0)
      expect(await goodValue(opened.device, 'length_confirm')).toBe(true)
      expect(await opened.device.write?.('length_confirm', false, never)).toBe(false)
      expect(confirmed()).toBe(0)
    }
  })

  test('commands press a button and let it go; an alarm is reset by one that is held', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    const { commands } = opened.device
    expect(commands?.specs.map(({ name }) => name)).toEqual(['cut_start', 'cut_cancel', 'automatic_start', 'reset'])
    await commands?.invoke('cut_start', {}, never)
    expect(accepted.map(({ command }) => command)).toEqual(['20=8', '20=0'])
    expect(saw.state).toBe('hydraulics active')
    saw.provoke('band-broken', performance.now() / 1000)
    expect(await goodValue(opened.device, 'alarms')).toBe('band broken')
    const pressedMs = performance.now()
    await commands?.invoke('reset', {}, never)
    expect(performance.now() - pressedMs).toBeGreaterThanOrEqual(1500)
    expect(await goodValue(opened.device, 'alarms')).toBe('none')
  })

  test('a button is let go also when its caller gives up', async () => {
    await using opened = await open(smartSaw, settings, bench.context)
    const caller = new AbortController()
    const pressed = problemOf(opened.device.commands?.invoke('reset', {}, caller.signal) ?? Promise.resolve())
    await until(() => accepted.at(-1)?.command === `20=${COMMAND.reset}`)
    caller.abort()
    expect((await pressed).effect).toBe('DONE')
    expect(accepted.at(-1)?.command).toBe('20=0')
  })

  test('is found by its state register', async () => {
    expect(await smartSaw.probe?.('sim://saw', bench.context, never)).toEqual([{ identity: 'band saw 42', settings: { address: 'sim://saw' } }])
    expect(await smartSaw.probe?.('serial:///dev/ttyS99', bench.context, never)).toEqual([])
    saw.freeze(1030)
    saw.write(1030, 99, performance.now() / 1000)
    expect(await smartSaw.probe?.('sim://saw', bench.context, never)).toEqual([])
    expect((await problemOf(open(smartSaw, settings, bench.context))).message).toContain('holding 1030, which has no meaning as state: it is another device')
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
