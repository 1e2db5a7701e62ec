import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommandCall, CommandProgress } from '../../../../core/command.ts'
import { uuidv7 } from '../../../../core/id.ts'
import type { Driver } from '../../../../drivers/driver.ts'
import { until } from '../../../until.ts'
import { ADA, type HostBench, never, openHostBench, problemOf, record } from './bench.ts'
import { Laser, laserDriver } from './laser-driver.ts'
import { Instrument, testDriver } from './test-driver.ts'

let laser: Laser
let bench: HostBench

beforeEach(async () => {
  laser = new Laser()
  bench = await openHostBench(
    [laserDriver({ laser }), testDriver({ stage: new Instrument() })],
    [
      record('laser', 'test-laser', { address: 'laser' }),
      record('dark', 'test-laser', { address: 'laser', dark: true }),
      record('axis', 'test-bench', { address: 'stage' }),
    ],
  )
  await bench.connected('laser', 'dark', 'axis')
  laser.heard.length = 0
})
afterEach(() => bench[Symbol.asyncDispose]())

const tune = (value: number, unit?: string, wait = true): CommandCall => ({ kind: 'setWavelength', value, wait, ...(unit !== undefined && { unit }) })
const status = (): string => bench.host.device('laser').state.status.code
const heard = (): Promise<true> => until(() => laser.underWay, { what: 'the command at the instrument' }).then(() => true)

it('a device says which of its parameters are its shutter, emission and wavelength, and what commands it has', () => {
  const { state } = bench.host.device('laser')
  expect(state).toMatchObject({
    shutterParameter: 'shutter',
    emissionParameter: 'emission',
    wavelength: { parameter: 'wavelength', setpointParameter: 'wavelength_setpoint' },
    commands: [{ name: 'optimise', result: 'FLOAT' }],
  })
  expect(state.capabilities).toEqual(['PARAMETERIZED', 'SETTABLE', 'SHUTTER_CONTROL', 'EMISSION_CONTROL', 'WAVELENGTH_TUNABLE', 'COMMANDABLE'])
  expect(bench.host.device('axis').state).not.toHaveProperty('commands')
})

describe('what is refused, before anything is written', () => {
  const refusals: [string, string, CommandCall, string, object?][] = [
    ['a shutter of what has none', 'dark', { kind: 'setShutter', open: true }, 'NOT_SUPPORTED', { capability: 'SHUTTER_CONTROL' }],
    ['an emission of what emits nothing', 'dark', { kind: 'setEmission', on: true }, 'NOT_SUPPORTED', { capability: 'EMISSION_CONTROL' }],
    ['a wavelength of what cannot be tuned', 'axis', tune(800), 'NOT_SUPPORTED', { capability: 'WAVELENGTH_TUNABLE' }],
    ['a command of what has none', 'dark', { kind: 'invoke', command: 'optimise', arguments: {} }, 'NOT_SUPPORTED', { capability: 'COMMANDABLE' }],
    ['a wavelength beyond the limits', 'laser', tune(1041), 'LIMIT_VIOLATION', { given: 1041, maximum: 1040, unit: 'nm' }],
    ['a wavelength beyond the limits in another unit', 'laser', tune(0.6, 'um'), 'LIMIT_VIOLATION', { given: 600, minimum: 690 }],
    ['a wavelength in seconds', 'laser', tune(800, 's'), 'INCOMPATIBLE_UNIT', { givenUnit: 's', expectedUnit: 'nm' }],
    ['a wavelength that is no number', 'laser', tune(Number.NaN), 'INVALID_VALUE'],
    ['an unknown command', 'laser', { kind: 'invoke', command: 'explode', arguments: {} }, 'NOT_FOUND'],
    ['an argument that is missing', 'laser', { kind: 'invoke', command: 'optimise', arguments: {} }, 'INVALID_VALUE', { path: ['passes'] }],
    ['an argument beyond its limits', 'laser', { kind: 'invoke', command: 'optimise', arguments: { passes: 6 } }, 'LIMIT_VIOLATION', { maximum: 5 }],
    ['an argument that there is not', 'laser', { kind: 'invoke', command: 'optimise', arguments: { passes: 1, x: 1 } }, 'INVALID_VALUE', { path: ['x'] }],
  ]
  it.each(refusals)('%s', async (_, deviceId, call, code, facts = {}) => {
    expect(await problemOf(bench.ask(deviceId, call))).toMatchObject({ code, effect: 'NONE', facts: { deviceId, ...facts } })
    expect(laser.heard).toEqual([])
    expect((await bench.entries()).filter(({ type }) => type === 'command')).toEqual([])
  })

  const changes: readonly CommandCall[] = [
    { kind: 'setShutter', open: true },
    { kind: 'setEmission', on: true },
    tune(850),
    { kind: 'invoke', command: 'optimise', arguments: { passes: 1 } },
  ]
  it('all of them while a run has the device', async () => {
    await using _claim = bench.host.claim('run-1', 1, ['laser'])
    for (const call of changes) expect(await problemOf(bench.ask('laser', call))).toMatchObject({ code: 'DEVICE_BUSY', facts: { runId: 'run-1' } })
    expect(laser.heard).toEqual([])
  })

  it('all of them during an emergency stop, which darkens the laser', async () => {
    laser.on = true
    const { devices } = await bench.host.emergencyStop(ADA, 'smoke', 0)
    expect(devices.find(({ deviceId }) => deviceId === 'laser')).toMatchObject({ confirmed: true })
    expect(laser.on).toBe(false)
    laser.heard.length = 0
    for (const call of changes) expect((await problemOf(bench.ask('laser', call))).code).toBe('EMERGENCY_STOPPED')
    expect(laser.heard).toEqual([])
  })
})

describe('the history', () => {
  const changes = async () => (await bench.entries()).filter((entry) => entry.type === 'change')

  it('says who darkened the laser by an emergency stop, and nothing of what was dark before', async () => {
    await bench.ask('laser', { kind: 'setEmission', on: true })
    const before = (await changes()).length
    await bench.host.emergencyStop(ADA, 'smoke', 0)
    await until(async () => (await changes()).length > before)
    expect((await changes()).slice(before)).toMatchObject([
      {
        deviceId: 'laser',
        parameter: 'emission',
        old: { value: true },
        new: { value: false, quality: 'GOOD' },
        cause: { kind: 'EMERGENCY_STOP', actor: 'Ada', reason: 'smoke' },
      },
    ])
    expect(bench.host.device('laser').reading('emission')).toMatchObject({ value: false })
  })

  it('says so of a laser that was away when the stop was pressed', async () => {
    await bench.ask('laser', { kind: 'setEmission', on: true })
    const before = (await changes()).length
    laser.plugged = false
    laser.unplug()
    await until(() => bench.host.device('laser').state.connection !== 'CONNECTED')
    await bench.host.emergencyStop(ADA, 'smoke', 0)
    laser.plugged = true
    await bench.connected('laser')
    expect((await changes()).slice(before)).toMatchObject([
      { parameter: 'emission', old: { value: true, quality: 'STALE' }, new: { value: false }, cause: { kind: 'EMERGENCY_STOP', actor: 'Ada' } },
    ])
  })
})

describe('a shutter', () => {
  it('is opened, and done when the instrument says that it has travelled', async () => {
    const asking = bench.ask('laser', { kind: 'setShutter', open: true }, { cause: { kind: 'PERSON', actor: 'Ada', reason: 'alignment' } })
    await heard()
    await until(() => status() === 'BUSY')
    laser.arrive()
    expect(await asking).toMatchObject({ state: 'DONE', results: [{ readings: [{ parameter: 'shutter', reading: { value: true, quality: 'GOOD' } }] }] })
    expect(status()).toBe('IDLE')
    expect(laser.heard).toEqual(['shutter=true'])
    const entries = await bench.entries()
    expect(entries.filter(({ type }) => type === 'change')).toMatchObject([
      { parameter: 'shutter', old: { value: false }, new: { value: true }, cause: { actor: 'Ada', reason: 'alignment' } },
    ])
    expect(entries.filter(({ type }) => type === 'command')).toMatchObject([{ calls: [{ call: { kind: 'setShutter', open: true } }] }])
  })

  it('that jams is told in the words of the instrument', async () => {
    laser.fault = 'E12'
    const problem = await problemOf(bench.ask('laser', { kind: 'setShutter', open: true }))
    expect(problem).toMatchObject({ code: 'HARDWARE_FAULT', facts: { instrumentCode: 'E12', deviceId: 'laser' } })
    await until(() => status() === 'IDLE')
  })
})

it('emission is switched', async () => {
  expect(await bench.ask('laser', { kind: 'setEmission', on: true })).toMatchObject({
    results: [{ readings: [{ parameter: 'emission', reading: { value: true } }] }],
  })
  expect(await bench.ask('laser', { kind: 'setEmission', on: false })).toMatchObject({ results: [{ readings: [{ reading: { value: false } }] }] })
  expect(laser.heard).toEqual(['emission=true', 'emission=false'])
})

describe('a wavelength', () => {
  it('is tuned in the unit given, and answered with what is measured when it has arrived', async () => {
    const asking = bench.ask('laser', tune(0.85, 'um'))
    await heard()
    laser.wavelengthNm = 820
    laser.arrive()
    const { results } = await asking
    expect(results[0]?.readings).toMatchObject([
      { parameter: 'wavelength', reading: { value: 850 } },
      { parameter: 'wavelength_setpoint', reading: { value: 850 } },
    ])
    expect(laser.heard).toEqual(['wavelength_setpoint=850'])
  })

  it('that is not waited for is followed to its end', async () => {
    const requestId = uuidv7()
    expect(await bench.ask('laser', tune(900, undefined, false), { requestId })).toMatchObject({ state: 'ACCEPTED' })
    const seen: CommandProgress[] = []
    for await (const progress of bench.host.progress(requestId, never)) {
      seen.push(progress)
      laser.arrive()
    }
    expect(seen.at(-1)).toMatchObject({ done: true, state: 'DONE', readings: [{ reading: { value: 900 } }, {}] })
  })

  it('that is set to another on the way is a conflict for the first, and done for the second', async () => {
    const first = problemOf(bench.ask('laser', tune(700)))
    await heard()
    await until(() => status() === 'BUSY')
    const second = bench.ask('laser', tune(1000))
    await until(() => laser.targetNm === 1000)
    await until(() => bench.host.device('laser').setpoint('wavelength_setpoint')?.value === 1000)
    laser.arrive()
    expect((await second).results[0]?.readings[0]?.reading.value).toBe(1000)
    expect(await first).toMatchObject({ code: 'CONFLICT', effect: 'POSSIBLE' })
  })

  it('set like any parameter is watched too: a run waits for it, and the device is busy meanwhile', async () => {
    await bench.ask('laser', { kind: 'set', name: 'wavelength_setpoint', value: 750 })
    await until(() => status() === 'BUSY')
    let there = false
    const arrived = bench.host
      .device('laser')
      .arrived(never)
      .then(() => (there = true))
    const asked = laser.asked
    await until(() => laser.asked > asked + 1)
    expect(there).toBe(false)
    laser.arrive()
    await arrived
    await until(() => status() === 'IDLE')
  })

  it('whose answer is lost may be under way all the same, and is watched', async () => {
    laser.loseAnswer = true
    expect(await problemOf(bench.ask('laser', tune(760)))).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'POSSIBLE' })
    await until(() => status() === 'BUSY')
    laser.arrive()
    await until(() => status() === 'IDLE')
  })

  it('or another set whose answer is lost is read back, though nothing polls it', async () => {
    laser.loseAnswer = true
    expect(await problemOf(bench.ask('laser', { kind: 'setShutter', open: true }))).toMatchObject({ effect: 'POSSIBLE' })
    await until(() => bench.host.device('laser').reading('shutter')?.value === true)
  })

  it('on the way is seen by a station that has just connected', async () => {
    laser.underWay = true
    laser.unplug()
    await until(() => bench.host.device('laser').state.connection !== 'CONNECTED')
    await bench.connected('laser')
    await until(() => status() === 'BUSY')
    laser.arrive()
    await until(() => status() === 'IDLE')
  })
})

describe("a command of the device's own", () => {
  it('is done when the instrument says so, and answers with its result', async () => {
    const asking = bench.ask('laser', { kind: 'invoke', command: 'optimise', arguments: { passes: 2 } }, { idempotencyKey: 'once' })
    await heard()
    await until(() => status() === 'BUSY')
    laser.arrive()
    expect(await asking).toMatchObject({ state: 'DONE', results: [{ deviceId: 'laser', value: 0.97, readings: [] }] })
    expect(laser.heard).toEqual(['optimise 2 fine'])
    expect(await bench.ask('laser', { kind: 'invoke', command: 'optimise', arguments: { passes: 2 } }, { idempotencyKey: 'once' })).toMatchObject({
      results: [{ value: 0.97 }],
    })
    expect(laser.heard).toEqual(['optimise 2 fine'])
    expect((await bench.entries()).find(({ type }) => type === 'command')).toMatchObject({ calls: [{ call: { kind: 'invoke', arguments: { passes: 2 } } }] })
  })

  it('whose answer is lost may have set an axis moving: given up, it is stopped', async () => {
    const rig = new Instrument()
    rig.unitsPerSecond = 5
    rig.unconfirmed.add('invoke')
    const axis = testDriver({ rig })
    const sweep = { name: 'sweep', description: 'goes to the far end', arguments: [] }
    const driver: Driver = {
      ...axis,
      openDevice: async (...given) => ({
        ...(await axis.openDevice(...given)),
        commands: {
          specs: [sweep],
          invoke: async (_name, _arguments, signal) => {
            await rig.exchange('invoke', () => rig.go(40), signal)
            return undefined
          },
        },
      }),
    }
    await using own = await openHostBench([driver], [record('rig', axis.id, { address: 'rig' })])
    await own.connected('rig')
    const problem = await problemOf(own.ask('rig', { kind: 'invoke', command: 'sweep', arguments: {} }, { completeWithinMs: 500 }))
    expect(problem).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    expect(rig.heard).toEqual(['move 40', 'stop'])
    expect(rig.moving).toBe(false)
  })

  it('that is given up after its deadline says so', async () => {
    const problem = await problemOf(bench.ask('laser', { kind: 'invoke', command: 'optimise', arguments: { passes: 1 } }, { completeWithinMs: 500 }))
    expect(problem).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    laser.arrive()
  })
})
