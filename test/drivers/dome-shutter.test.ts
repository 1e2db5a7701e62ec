import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceSettings } from '../../core/device.ts'
import type { Problem } from '../../core/errors.ts'
import { type CycleTools, checkBefore, type EndSwitches, type ShutterHardware, travel } from '../../drivers/dome-shutter/cycle.ts'
import { domeShutter } from '../../drivers/dome-shutter/driver.ts'
import * as protocol from '../../drivers/dome-shutter/protocol.ts'
import { SimulatedModule } from '../../drivers/dome-shutter/simulated-module.ts'
import { SimulatedShutter } from '../../drivers/dome-shutter/simulated-shutter.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const TIMES = { powerUp: 2, directionSettles: 0.3, poll: 0.5, limit: 90 }

describe('the protocol of the modules', () => {
  test('questions and answers as the manual writes them', () => {
    expect(protocol.setSwitch(1, true, 90)).toBe('/rpc/Switch.Set?id=1&on=true&toggle_after=90')
    expect(protocol.setSwitch(0, false)).toBe('/rpc/Switch.Set?id=0&on=false')
    expect(protocol.ask.inputStatus(1)).toBe('/rpc/Input.GetStatus?id=1')
    expect(protocol.parseSet('{"was_on":false}')).toBe(false)
    expect(protocol.parseInput('{"id":1,"state":true}', 1)).toBe(true)
    expect(protocol.parseInput('{"id":0,"state":true}', 1)).toBeUndefined()
    expect(protocol.parseInput('{"id":1,"state":null}', 1)).toBeUndefined()
    expect(protocol.parseSwitch('{"id":0,"source":"HTTP_in","output":true,"temperature":{"tC":40.2}}', 0)).toBe(true)
    expect(protocol.parseSwitch('{"id":2,"output":true}', 0)).toBeUndefined()
    expect(protocol.parseError('{"code":-105,"message":"Argument \'id\', value 9 not found!"}')).toEqual({
      code: -105,
      message: "Argument 'id', value 9 not found!",
    })
  })

  test('no text is taken for an answer that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.integer({ min: 0, max: 3 }), (text, id) => {
        for (const value of [protocol.parseSet(text), protocol.parseSwitch(text, id), protocol.parseInput(text, id)])
          expect([undefined, true, false]).toContain(value)
        protocol.parseDeviceInfo(text)
        protocol.parseError(text)
      }),
    )
  })
})

/** Relays in no time; `ends` says what the switches are after so many seconds of motor. */
function bench(ends: (seconds: number) => EndSwitches, fails: (what: string) => boolean = () => false) {
  let seconds = 0
  let motorSince: number | undefined
  const told: string[] = []
  const tell = async (what: string): Promise<void> => {
    told.push(`${seconds.toFixed(1)} ${what}`)
    if (fails(what)) throw new Error(`${what} failed`)
  }
  const hardware: ShutterHardware = {
    preflight: async () => ends(0),
    endSwitches: async () => ends(motorSince === undefined ? 0 : seconds - motorSince),
    power: (on) => tell(`power ${on ? 'on' : 'off'}`),
    motor: async (on, _signal, forSeconds) => {
      if (on) motorSince = seconds
      await tell(`motor ${on ? `on ${forSeconds}` : 'off'}`)
    },
    direction: (opening) => tell(opening ? 'direction open' : 'direction close'),
  }
  const tools: CycleTools = {
    pause: async (time) => {
      seconds += time
    },
    seconds: () => seconds,
  }
  return { hardware, tools, told }
}

describe('the cycle', () => {
  const between: EndSwitches = { open: false, closed: false }

  test('is the documented one, step by step', async () => {
    const { hardware, tools, told } = bench((seconds) => ({ open: seconds >= 20, closed: false }))
    await travel(hardware, true, TIMES, tools, never)
    expect(told).toEqual(['0.0 power on', '2.0 motor off', '2.0 direction open', '2.3 motor on 90', '22.3 motor off', '22.3 power off'])
  })

  test('ends after 90 s, powered off', async () => {
    const { hardware, tools, told } = bench(() => between)
    expect(await problemOf(travel(hardware, false, TIMES, tools, never))).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'TRAVEL_LIMIT' } })
    expect(told.slice(-2).map((line) => line.slice(line.indexOf(' ') + 1))).toEqual(['motor off', 'power off'])
    expect(Number(told.at(-1)?.split(' ')[0])).toBeCloseTo(92.8, 1)
  })

  test.each(['direction open', 'motor on 90', 'power on'])('powers off when %s fails', async (what) => {
    const { hardware, tools, told } = bench(
      () => between,
      (given) => given === what,
    )
    expect((await problemOf(travel(hardware, true, TIMES, tools, never))).message).toContain('failed')
    expect(told.at(-1)).toMatch(/power off$/)
  })

  test('powers off when it is given up, and even if the motor does not answer; says so when the supply does not', async () => {
    const given = bench(() => between)
    const abort = new AbortController()
    const pause: CycleTools['pause'] = async (seconds) => {
      await given.tools.pause(seconds, never)
      if (given.tools.seconds() > 10) abort.abort(new Error('enough'))
    }
    await expect(travel(given.hardware, true, TIMES, { ...given.tools, pause }, abort.signal)).rejects.toThrow('enough')
    expect(given.told.at(-1)).toMatch(/power off$/)

    const deafMotor = bench(
      () => ({ open: true, closed: false }),
      (what) => what === 'motor off' && deafMotor.told.length > 3,
    )
    expect(await problemOf(travel(deafMotor.hardware, true, TIMES, deafMotor.tools, never))).toMatchObject({ facts: { instrumentCode: 'MOTOR' } })
    expect(deafMotor.told.at(-1)).toMatch(/power off$/)

    const deafSupply = bench(
      () => ({ open: true, closed: false }),
      (what) => what === 'power off',
    )
    expect(await problemOf(travel(deafSupply.hardware, true, TIMES, deafSupply.tools, never))).toMatchObject({
      effect: 'DONE',
      facts: { instrumentCode: 'POWER' },
    })
    expect(deafSupply.told.filter((line) => line.endsWith('power off'))).toHaveLength(3)
  })

  test('both end switches are an error, before and on the way', async () => {
    const both = bench(() => ({ open: true, closed: true }))
    expect(await problemOf(checkBefore(both.hardware, true, never))).toMatchObject({ effect: 'NONE', facts: { instrumentCode: 'BOTH_ENDS' } })
    const onTheWay = bench((seconds) => ({ open: seconds > 5, closed: seconds > 5 }))
    expect(await problemOf(travel(onTheWay.hardware, true, TIMES, onTheWay.tools, never))).toMatchObject({ facts: { instrumentCode: 'BOTH_ENDS' } })
    expect(onTheWay.told.at(-1)).toMatch(/power off$/)
  })
})

describe('the simulated shutter', () => {
  test('moves with supply and motor only, and its motor has a timer of its own', () => {
    const shutter = new SimulatedShutter({ travelSeconds: 10 })
    for (const id of [1, 2, 3]) shutter.set(id, true, id === 1 ? 5 : undefined, 0)
    shutter.advance(4)
    expect(shutter.position).toBe(0)
    shutter.set(0, true, undefined, 4)
    expect(shutter.output(1, 20)).toBe(false)
    expect(shutter.position).toBeCloseTo(0.1)
    expect(shutter.input(1, 20)).toBe(false)
  })
})

describe('the driver, over HTTP', () => {
  const FACTOR = 20
  const WAITS = { powerUp: 0.1, directionSettles: 0.015, poll: 0.025, travelLimit: 4.5, cooldown: 0.5 }
  const seconds = (): number => (performance.now() / 1000) * FACTOR
  let bench: Bench
  let shutter: SimulatedShutter
  let module: SimulatedModule
  let accepted: string[]
  let settings: DeviceSettings

  const moduleOf = (at: SimulatedShutter): SimulatedModule =>
    new SimulatedModule({ shutter: at, host: { random: () => 0.5, accepted: (command) => accepted.push(command) }, seconds, timeFactor: FACTOR, port: 0 })

  beforeEach(async () => {
    bench = await openBench()
    accepted = []
    shutter = new SimulatedShutter()
    module = moduleOf(shutter)
    await module.plugIn()
    settings = { address: `tcp://127.0.0.1:${module.port}`, ...WAITS }
  })

  afterEach(async () => {
    await module[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  async function arrived(device: DeviceHandle): Promise<void> {
    await until(async () => !(await device.underWay?.(never)))
  }

  async function failure(device: DeviceHandle): Promise<Problem> {
    return await until(() =>
      device.underWay?.(never).then(
        () => undefined,
        (error: unknown) => problemOf(Promise.reject(error)),
      ),
    )
  }

  const refused = (device: DeviceHandle, value: boolean): Promise<Problem> => problemOf(device.write?.('open', value, never) ?? Promise.resolve())
  const isOff = (): boolean => shutter.output(0, seconds()) === false && shutter.output(1, seconds()) === false

  test('opens and closes by its end switches, and refuses commands while it cools down, saying how long', async () => {
    await using opened = await open(domeShutter, settings, bench.context)
    const { device } = opened
    expect(device.identity).toBe('dome shutter on Shelly SPSW-104PE16EU shellypro4pm-30c6f7000000')
    expect(await goodValue(device, 'open')).toBe(false)
    expect(await device.write?.('open', true, never)).toBe(true)
    expect(await goodValue(device, 'state')).toBe('cycle')
    expect(await refused(device, false)).toMatchObject({ code: 'DEVICE_BUSY', effect: 'NONE' })
    await until(async () => (await goodValue(device, 'end_switches')) === 'between')
    expect(await readOne(device, 'open')).toHaveProperty('bad')
    await arrived(device)
    expect(await goodValue(device, 'open')).toBe(true)
    expect(isOff()).toBe(true)
    const tooSoon = await refused(device, false)
    expect(tooSoon).toMatchObject({ code: 'DEVICE_BUSY', effect: 'NONE', message: expect.stringMatching(/another 0\.\d s/) })
    expect(await goodValue(device, 'state')).toBe('cooldown')
    expect(Number(await goodValue(device, 'cooldown_left'))).toBeGreaterThan(0)
    await until(async () => (await goodValue(device, 'state')) === 'idle')
    await device.write?.('open', false, never)
    await arrived(device)
    expect(await goodValue(device, 'open')).toBe(false)
    const cycle = (open: boolean) => [
      'Switch.Set?id=0&on=true',
      'Switch.Set?id=1&on=false',
      `Switch.Set?id=2&on=${open}`,
      `Switch.Set?id=3&on=${open}`,
      'Switch.Set?id=1&on=true&toggle_after=4.5',
      'Switch.Set?id=1&on=false',
      'Switch.Set?id=0&on=false',
    ]
    expect(accepted).toEqual([...cycle(true), ...cycle(false)])
  })

  test('a shutter that is there already is left alone', async () => {
    await using opened = await open(domeShutter, settings, bench.context)
    expect(await opened.device.write?.('open', false, never)).toBe(false)
    expect(await opened.device.underWay?.(never)).toBe(false)
    expect(accepted).toEqual([])
  })

  test('one that is stuck is an error after its time, powered off', async () => {
    shutter.stuck = true
    await using opened = await open(domeShutter, { ...settings, travelLimit: 0.2 }, bench.context)
    await opened.device.write?.('open', true, never)
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE', facts: { instrumentCode: 'TRAVEL_LIMIT' } })
    expect(await goodValue(opened.device, 'state')).toBe('error')
    expect(String(await goodValue(opened.device, 'last_error'))).toContain('within 0.2 s')
    expect(isOff()).toBe(true)
  })

  test('both end switches pressed: refused before anything is powered', async () => {
    await using opened = await open(domeShutter, settings, bench.context)
    shutter.bothPressed = true
    expect(await refused(opened.device, true)).toMatchObject({ effect: 'NONE', facts: { instrumentCode: 'BOTH_ENDS' } })
    expect(await readOne(opened.device, 'open')).toHaveProperty('bad')
    expect(await goodValue(opened.device, 'end_switches')).toBe('both')
    expect(accepted).toEqual([])
  })

  test('a module of its own for the end switches that does not answer: refused before anything is powered', async () => {
    const inputs = moduleOf(shutter)
    await inputs.plugIn()
    await using opened = await open(domeShutter, { ...settings, inputModule: `tcp://127.0.0.1:${inputs.port}` }, bench.context)
    expect(await goodValue(opened.device, 'open')).toBe(false)
    await inputs.unplug()
    expect(await refused(opened.device, true)).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'NONE' })
    expect(accepted).toEqual([])
    expect(opened.port.lost.aborted).toBe(true)
  })

  test('a module that falls silent on the way ends it, powered off by those that answer', async () => {
    const inputs = moduleOf(shutter)
    await inputs.plugIn()
    await using opened = await open(domeShutter, { ...settings, inputModule: `tcp://127.0.0.1:${inputs.port}` }, bench.context)
    await opened.device.write?.('open', true, never)
    await until(() => shutter.output(1, seconds()) === true)
    await inputs.unplug()
    expect(await failure(opened.device)).toMatchObject({ effect: 'DONE' })
    expect(isOff()).toBe(true)
  })

  test('a stop, an emergency stop and makeSafe switch off and move nothing', async () => {
    await using opened = await open(domeShutter, { ...settings, cooldown: 0.001 }, bench.context)
    const { device } = opened
    for (const [at, end] of [
      () => device.commands?.invoke('stop', {}, never),
      async () => expect(await (await device.emergencyStop?.(never))?.confirmed).toBe(true),
      () => device.makeSafe?.(never),
    ].entries()) {
      await until(async () => (await goodValue(device, 'cooldown_left')) === 0)
      await device.write?.('open', true, never)
      await until(() => shutter.output(1, seconds()) === true)
      await end()
      expect(isOff(), `after the ${at + 1}. way`).toBe(true)
      expect(await goodValue(device, 'state')).not.toBe('error')
      await expect(device.underWay?.(never)).rejects.toMatchObject({ facts: { instrumentCode: 'STOPPED' } })
      const { position } = shutter
      expect(position).toBeLessThan(1)
    }
    const before = accepted.length
    await device.makeSafe?.(never)
    expect(accepted.slice(before).every((command) => command.endsWith('on=false'))).toBe(true)
    expect(domeShutter.afterLostStation).toBe('MAKE_SAFE')
  })

  test('a stop while a cycle is being prepared keeps it from beginning', async () => {
    await using opened = await open(domeShutter, settings, bench.context)
    const asked = refused(opened.device, true)
    await opened.device.emergencyStop?.(never)
    expect(await asked).toMatchObject({ code: 'CONFLICT', effect: 'NONE' })
    expect(accepted.filter((command) => !command.endsWith('on=false'))).toEqual([])
  })

  test('end switches that open when they are pressed are read the other way round', async () => {
    await using opened = await open(domeShutter, { ...settings, pressedIs: false }, bench.context)
    expect(await goodValue(opened.device, 'end_switches')).toBe('open') // as the simulated shutter, which is closed, would be wired then
  })

  test('one that is disabled refuses', async () => {
    await using opened = await open(domeShutter, { ...settings, enabled: false }, bench.context)
    expect(await goodValue(opened.device, 'state')).toBe('disabled')
    expect(await refused(opened.device, true)).toMatchObject({ code: 'INTERLOCK_BLOCKED', effect: 'NONE' })
  })

  describe('with interlocks', () => {
    let server: Server
    let answer: string | undefined
    let status: number
    let url: string

    beforeEach(async () => {
      answer = '{"data":{"weather":{"safe":true}}}'
      status = 200
      server = createServer((_request, response) => (answer === undefined ? response.destroy() : response.writeHead(status).end(answer)))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql?query=x`
    })

    afterEach(async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    })

    test('opens only while the weather is known to be safe, and closes always', async () => {
      await using opened = await open(domeShutter, { ...settings, weatherUrl: url, weatherPath: 'data.weather.safe', cooldown: 0.001 }, bench.context)
      for (const unsafe of ['{"data":{"weather":{"safe":false}}}', '{"data":{"weather":{}}}', '{"data":null}', 'rain', undefined]) {
        answer = unsafe
        expect(await refused(opened.device, true), String(unsafe)).toMatchObject({ code: 'INTERLOCK_BLOCKED', effect: 'NONE' })
      }
      expect(accepted).toEqual([])
      answer = '{"data":{"weather":{"safe":true}}}'
      status = 503
      expect((await refused(opened.device, true)).message).toContain('HTTP 503')
      expect(accepted).toEqual([])
      status = 200
      await opened.device.write?.('open', true, never)
      await arrived(opened.device)
      answer = undefined
      await until(async () => (await goodValue(opened.device, 'cooldown_left')) === 0)
      await opened.device.write?.('open', false, never)
      await arrived(opened.device)
      expect(await goodValue(opened.device, 'open')).toBe(false)
    })

    test('does not move while the dome turns', async () => {
      answer = '{"moving":true}'
      await using opened = await open(domeShutter, { ...settings, rotatorUrl: url }, bench.context)
      expect((await refused(opened.device, true)).message).toContain('moving is true, and must be false')
      answer = '{"moving":false}'
      expect(await opened.device.write?.('open', true, never)).toBe(true)
      await opened.device.commands?.invoke('stop', {}, never)
    })
  })

  test('something that is no such module is refused by name', async () => {
    let says = ''
    const other = createServer((_request, response) => response.end(says))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = `tcp://127.0.0.1:${(other.address() as AddressInfo).port}`
    for (says of ['{"type":"SHSW-1","mac":"A"}', '{"id":"shelly1","model":"SHSW-1","gen":1}', 'it works!'])
      expect((await problemOf(open(domeShutter, { ...settings, address }, bench.context))).message).toContain('not a Shelly module')
    expect(await domeShutter.probe?.(address, bench.context, never)).toEqual([])
    says = 'x'.repeat(100_000) // no answer of a module is so long
    expect((await problemOf(open(domeShutter, { ...settings, address }, bench.context))).message).toContain('more than 65536 bytes')
    await new Promise<void>((resolve) => other.close(() => resolve()))
  })

  test('settings are checked before anything is opened', () => {
    expect(() => domeShutter.locate({ ...settings, motorModule: 'serial:///dev/x' })).toThrow('give tcp://host:port')
    expect(() => domeShutter.locate({ ...settings, weatherUrl: 'weather' })).toThrow('http://')
    expect(() => domeShutter.locate({ ...settings, enabled: 'perhaps' })).toThrow('true or false')
    expect(() => domeShutter.locate({ ...settings, cooldown: -1 })).toThrow('cooldown')
  })
})
