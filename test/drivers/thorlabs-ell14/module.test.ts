import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../../core/device.ts'
import type { Fault } from '../../../drivers/simulation/simulation.ts'
import { thorlabsEll14 } from '../../../drivers/thorlabs-ell14/driver.ts'
import { until } from '../../until.ts'
import { goodValue, never, problemOf, readOne } from '../bench.ts'
import { type BusBench, openBus } from './bench.ts'

describe('a module on a pseudo-terminal', () => {
  let bench: BusBench
  beforeEach(async () => {
    bench = await openBus()
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  test('says what it is, and reads every parameter', async () => {
    await using module = await bench.open()
    expect(module.device.identity).toBe('ELL14, serial number 11400517 of 2023, firmware 17, address 2')
    const names = module.device.parameters.map((parameter) => parameter.name)
    const readings = await module.device.read(names, never)
    expect([...readings.keys()]).toEqual(names)
    expect([...readings].filter(([, measured]) => 'bad' in measured).map(([name]) => name)).toEqual(['homed'])
    expect(readings.get('velocity')).toEqual({ value: 100 })
    expect(readings.get('motor1_current')).toEqual({ value: 0x0b85 / 1866 })
    expect(readings.get('status')).toEqual({ value: 'ok' })
  })

  test('sets and reads back', async () => {
    await using two = await bench.open()
    expect(await two.device.write?.('velocity', 70, never)).toBe(70)
    expect(await two.device.write?.('jog_step', 10, never)).toBeCloseTo(10, 2)
    expect(await two.device.write?.('home_offset', -2, never)).toBeCloseTo(-2, 2)
    const frequency = await two.device.write?.('motor1_forward_frequency', 80_000, never)
    expect(frequency).toBeCloseTo(14_740_000 / 184, 6)
    expect(await goodValue(two.device, 'motor1_forward_frequency')).toBe(frequency)
    await two.device.commands?.invoke('restore_factory_frequency', { motor: 1, direction: 'forward' }, never)
    expect(await goodValue(two.device, 'motor1_forward_frequency')).toBeCloseTo(14_740_000 / 183, 6)
    for (const name of ['skip_frequency_search', 'enable_frequency_search', 'save']) await two.device.commands?.invoke(name, {}, never)
    expect(bench.accepted).toEqual(['2sv46', '2sj00000F8E', '2soFFFFFCE4', '2f180B8', '2f18FFF', '2sk', '2se', '2us'])
  })

  test('a set that is not acknowledged is read back', async () => {
    await using two = await bench.open()
    bench.line.inject({ kind: 'silent' })
    expect(await two.device.write?.('velocity', 80, never)).toBe(80)
    expect(bench.accepted).toEqual(['2sv50'])
  })

  const READ_FAULTS: readonly Fault[] = [{ kind: 'silent' }, { kind: 'garbage' }, { kind: 'cut' }, { kind: 'foreign' }, { kind: 'late', byMs: 700 }]
  test.each(READ_FAULTS)('a reading after a reply that is $kind is asked for again and right', async (fault) => {
    await using two = await bench.open()
    bench.line.inject(fault)
    expect(await readOne(two.device, 'position')).toEqual({ value: 0 })
    expect(await readOne(two.device, 'velocity')).toEqual({ value: 100 })
    expect(await readOne(two.device, 'jog_step')).toEqual({ value: 45 })
  })

  test('a reply is ours by the address at its start alone, and noise before it is passed over', async () => {
    await using two = await bench.open()
    const hear = bench.bus.receive.bind(bench.bus)
    bench.bus.receive = (bytes, seconds) => {
      const reply = hear(bytes, seconds)
      return reply.length === 0 ? reply : Buffer.concat([Buffer.from('3PO2PO00000063\r\n\u0000\u0001'), reply])
    }
    expect(await readOne(two.device, 'position')).toEqual({ value: 0 })
    expect(await readOne(two.device, 'velocity')).toEqual({ value: 100 })
  })

  test('a truncated identity is asked for again', async () => {
    const cut = bench.bus.receive.bind(bench.bus)
    let times = 0
    bench.bus.receive = (bytes, seconds) => {
      const reply = cut(bytes, seconds)
      const isIdentity = Buffer.from(reply).toString('latin1').startsWith('2IN')
      if (isIdentity) times += 1
      return isIdentity && times <= 3 ? Buffer.concat([Buffer.from(reply).subarray(0, 20), Buffer.from('\r\n')]) : reply
    }
    await using two = await bench.open()
    expect(two.device.identity).toContain('11400517')
    expect(times).toBe(4)
  })

  test('a reply that is lost while it is connected is asked for again', async () => {
    bench.line.inject({ kind: 'silent' })
    await using two = await bench.open()
    expect(two.device.identity).toContain('11400517')
    bench.line.inject({ kind: 'late', byMs: 0 }, { kind: 'silent' }) // of the identity and of the status
    await using three = await bench.next(two.port, { busAddress: '3' })
    expect(three.identity).toContain('11400284')
  })

  test('half a move that somebody left on the bus is not completed by our first question', async () => {
    bench.bus.receive(Buffer.from('2ma0000'), performance.now() / 1000)
    await using two = await bench.open()
    expect(two.device.identity).toContain('11400517')
    expect(bench.accepted).toEqual([])
  })

  test('another model, another serial number and an empty address are refused by name', async () => {
    expect((await problemOf(bench.open({ serialNumber: '11400999' }))).message).toContain('serial number 11400517, not 11400999')
    expect((await problemOf(bench.open({ busAddress: 'A' }))).message).toContain('the device at address A does not answer')
    bench.bus.receive = () => Buffer.from('2IN061140051720231701016800023000\r\n')
    expect((await problemOf(bench.open())).message).toContain('answers as ELL6, which is not an ELL14')
  })

  test('settings that the bus cannot have are refused in words', () => {
    const located = (change: DeviceSettings) => () => thorlabsEll14.locate({ ...bench.settings, ...change })
    expect(located({ flowControl: 'hardware' })).toThrow('with RTS/CTS the ELL14 bus hangs')
    expect(located({ busAddress: 'G' })).toThrow('choose one of 0, 1')
    expect(located({ minimumDegrees: 100, maximumDegrees: 10 })).toThrow('must be below')
    expect(located({ speed: 1 })).toThrow('not a setting')
    expect(thorlabsEll14.locate({ ...bench.settings, busAddress: 8 })).toEqual({ address: 'sim://ell14', subAddress: '8' })
  })

  test('one address is one device, and its neighbours agree about the bus', async () => {
    await using two = await bench.open()
    expect((await problemOf(bench.next(two.port, { busAddress: '2' }))).code).toBe('CONFLICT')
    expect((await problemOf(bench.next(two.port, { busAddress: '3', movingTogether: 3 }))).message).toContain('must agree')
  })

  test('isolated it is not asked, and says so', async () => {
    await using two = await bench.open()
    await two.device.commands?.invoke('isolate', { minutes: 5 }, never)
    expect(await readOne(two.device, 'position')).toEqual({ bad: expect.stringContaining('isolated') })
    expect(await two.device.motion?.isMoving(never)).toBe(false)
    expect((await problemOf(two.device.motion?.moveTo(5, never) ?? Promise.resolve())).effect).toBe('NONE')
    await two.device.commands?.invoke('isolate', { minutes: 0 }, never)
    expect(await goodValue(two.device, 'position')).toBe(0)
  })

  test('with a new address it must be registered anew', async () => {
    await using two = await bench.open()
    await using _three = await bench.next(two.port, { busAddress: '3' })
    expect((await problemOf(two.device.commands?.invoke('change_address', { address: '3' }, never) ?? Promise.resolve())).code).toBe('CONFLICT')
    await two.device.commands?.invoke('change_address', { address: '5' }, never)
    expect(await two.device.motion?.isMoving(never)).toBe(false)
    expect((await problemOf(two.device.motion?.moveTo(5, never) ?? Promise.resolve())).message).toContain('answers at address 5')
    await using five = await bench.next(two.port, { busAddress: '5' })
    expect(five.identity).toContain('address 5')
  })

  test('a module that is silent does not keep its neighbours waiting', async () => {
    await using two = await bench.open()
    await using three = await bench.next(two.port, { busAddress: '3' })
    bench.bus.modules[1]?.brownOut(1e9)
    let asked = 0
    const hear = bench.bus.receive.bind(bench.bus)
    bench.bus.receive = (bytes, seconds) => {
      if (Buffer.from(bytes).toString('latin1').includes('3')) asked += 1
      return hear(bytes, seconds)
    }
    for (let times = 0; times < 50; times += 1) expect(await readOne(three, 'position')).toHaveProperty('bad')
    expect(asked).toBeLessThan(10) // each time it is asked the bus waits for half a second
    expect(await goodValue(two.device, 'position')).toBe(0)
  })

  test('finds who answers on the line', async () => {
    await using slow = await openBus(9600) // the rate that modules have when they come
    const found = await thorlabsEll14.probe?.('sim://ell14', slow.context, never)
    expect(found?.map((probed) => probed.settings)).toEqual(['2', '3', '8'].map((busAddress) => ({ address: 'sim://ell14', busAddress })))
    expect(slow.accepted).toEqual([])
  })

  test('unplugged, everything waiting is told; plugged in again it opens anew', async () => {
    await using two = await bench.open()
    await bench.line.unplug()
    await until(() => two.port.lost.aborted)
    expect((await problemOf(two.device.read(['position'], never))).code).toBe('DEVICE_OFFLINE')
    await bench.line.plugIn()
    await using again = await bench.open()
    expect(await goodValue(again.device, 'position')).toBe(0)
  })
})
