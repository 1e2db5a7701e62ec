import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HardwareFault, InvalidValue } from '../../../core/errors.ts'
import type { DeviceHandle, Driver, DriverContext } from '../../../drivers/driver.ts'
import { checkedOffer } from '../../../drivers/plugins/check-driver.ts'
import { guardedDriver } from '../../../drivers/plugins/guarded-driver.ts'
import { builtFile } from '../../../native/addon.ts'
import { systemClock } from '../../../workers/station/clock.ts'
import { compileLibrary } from './library/compile.ts'
import { COUNTER, pluginFolder } from './plugin-folder.ts'

const signal = new AbortController().signal
const context: DriverContext = {
  clock: systemClock(),
  resolve: async () => ({ kind: 'tcp', host: '127.0.0.1', port: 9, simulated: false }),
  log: () => undefined,
  workFolder: '/nowhere',
}
const settings = { address: 'tcp://127.0.0.1:9' }
/** A motion that says nothing wrong. */
const still = {
  unit: 'mm',
  limits: () => ({}),
  moveTo: async () => undefined,
  home: async () => undefined,
  isMoving: async () => false,
  homed: () => undefined,
  stop: async () => undefined,
}

describe('a plugin', () => {
  it('adds drivers that need no import of ours: everything is given to them', async () => {
    await using plugin = await pluginFolder(COUNTER)
    const source = await plugin.open()
    expect([source.name, source.problems]).toEqual(['plugin acme', []])
    const [driver] = source.drivers
    if (driver === undefined) return expect.fail('no driver')
    expect(driver).toMatchObject({ id: 'acme-counter', capabilities: ['PARAMETERIZED', 'SETTABLE', 'READABLE'] })
    expect(driver.locate(settings)).toEqual({ address: 'tcp://127.0.0.1:9' })
    expect(() => driver.locate({ ...settings, speed: 1 })).toThrow(InvalidValue)
    await using port = await driver.openPort(settings, context, signal)
    await using device = await driver.openDevice(port, settings, context, signal)
    expect(await device.read(['count'], signal)).toEqual(new Map([['count', { value: 7 }]]))
    expect(await device.write?.('count', 8, signal)).toBe(8)
    await expect(device.write?.('count', 13, signal)).rejects.toThrow(HardwareFault)
    expect(device.motion).toBeUndefined()
  })

  it('may be CommonJS, and a class may be its device', async () => {
    await using plugin = await pluginFolder()
    await plugin.manifest({ api: 1, drivers: './drivers.cjs' })
    await plugin.write(
      'drivers.cjs',
      `class Device {
        #count = 3
        identity = 'Acme Counter'
        parameters = [{ name: 'count', description: '', kind: 'FLOAT', access: 'READ_ONLY' }]
        motion = Object.freeze({
          unit: 'mm', positionParameter: 'count', limits() { return { maximum: this.unit === 'mm' ? 5 : 0 } },
          async moveTo() {}, async home() {}, async isMoving() { return false }, homed() {}, async stop() {},
        })
        async read() { return new Map([['count', { value: this.#count }]]) }
        async [Symbol.asyncDispose]() {}
      }
      exports.default = (kymograph) => ({ drivers: [{ id: 'acme-counter', vendor: 'Acme', model: 'C', version: '1', portKind: 'USB', settings: [], capabilities: [],
        locate: () => ({ address: 'x' }), openPort: async () => ({ lost: new AbortController().signal, async [Symbol.asyncDispose]() {} }),
        openDevice: async () => Object.freeze(new Device()) }] })`,
    )
    const source = await plugin.open()
    expect(source.problems).toEqual([])
    const [driver] = source.drivers
    if (driver === undefined) return expect.fail('no driver')
    const device = await driver.openDevice(await driver.openPort({}, context, signal), {}, context, signal)
    expect(await device.read(['count'], signal)).toEqual(new Map([['count', { value: 3 }]]))
    expect(device.motion?.limits()).toEqual({ maximum: 5 })
    expect(device.motion).toBe(device.motion)
    expect('motion' in device && !('frames' in device)).toBe(true)
  })

  it('may carry a Node-API addon, which it requires itself', async () => {
    await using plugin = await pluginFolder(
      `import { createRequire } from 'node:module'
      const { openPseudoTerminal } = createRequire(import.meta.url)('./build/acme.node')
      ${COUNTER.replace(`identity: 'Acme Counter 1.0.0'`, 'identity: openPseudoTerminal().slavePath')}`,
    )
    await plugin.write('build/.keep', '')
    await copyFile(builtFile('kymograph.node'), join(plugin.folder, 'build/acme.node')) // any addon: ours is at hand
    const source = await plugin.open()
    expect(source.problems).toEqual([])
    const [driver] = source.drivers
    const device = await driver?.openDevice(await driver.openPort(settings, context, signal), settings, context, signal)
    expect(device?.identity).toMatch(/^\/dev\/pts\/\d+$/)
  })

  it('may be a shared library behind the C header, with a few lines to describe it', async () => {
    await using plugin = await pluginFolder(
      `import { fileURLToPath } from 'node:url'
      const path = fileURLToPath(new URL('./libcounter.so', import.meta.url))
      export default ({ nativeLibrary }) => ({
        drivers: [nativeLibrary({ id: 'acme-counter', vendor: 'Acme', model: 'Counter', version: '1.0.0', path, readout: 'count' })],
      })`,
    )
    await compileLibrary('counter.c', join(plugin.folder, 'libcounter.so'))
    const source = await plugin.open()
    expect(source.problems).toEqual([])
    const [driver] = source.drivers
    const device = await driver?.openDevice(await driver.openPort({ address: 'x' }, context, signal), { address: 'x' }, context, signal)
    expect(device?.identity).toBe('Counter in C')
    expect(await device?.read(['count'], signal)).toEqual(new Map([['count', { value: 7 }]]))
    await device?.[Symbol.asyncDispose]()
  })

  it('may be an npm package, with packages of its own', async () => {
    await using plugin = await pluginFolder()
    const base = 'plugins/node_modules/@acme/counter'
    await plugin.write(`${base}/package.json`, JSON.stringify({ name: '@acme/counter', version: '2.1.0', kymograph: { api: 1, drivers: 'dist/index.mjs' } }))
    await plugin.write('plugins/node_modules/acme-names/package.json', JSON.stringify({ name: 'acme-names', version: '1.0.0', main: 'names.js' }))
    await plugin.write('plugins/node_modules/acme-names/names.js', `exports.id = 'acme-other'`)
    await plugin.write(`${base}/dist/index.mjs`, `import { id } from 'acme-names'\n${COUNTER.replace(`id: 'acme-counter'`, 'id')}`)
    const source = await plugin.open({ place: '@acme/counter' })
    expect(source.problems).toEqual([])
    expect(source.name).toBe('plugin @acme/counter')
    expect(source.drivers.map(({ id }) => id)).toEqual(['acme-other'])
  })
})

describe('a plugin that is broken is refused in words', () => {
  it.each<[string, unknown, string]>([
    ['another API', { api: 2, drivers: './drivers.js' }, 'it is written for plugin API 2; this is plugin API 1'],
    ['no API', undefined, 'has no "kymograph": { "api": 1, "drivers": "./<module>.js" }'],
    ['no module', { api: 1 }, '"kymograph"."drivers" must be the path of a module'],
    ['a module that is not there', { api: 1, drivers: './other.js' }, '"kymograph"."drivers" is ./other.js, and there is no such file'],
    ['a module elsewhere', { api: 1, drivers: '../other.js' }, '"kymograph"."drivers" is ../other.js: it must lie in the plugin\'s folder'],
  ])('%s', async (_, kymograph, problem) => {
    await using plugin = await pluginFolder(COUNTER)
    await plugin.manifest(kymograph)
    const source = await plugin.open()
    expect(source.drivers).toEqual([])
    expect(source.problems[0]).toContain(problem)
  })

  it.each([
    ['throws while it is imported', `throw new Error('no license found')`, 'no license found'],
    ['is not JavaScript', 'export default {{{', 'Unexpected'],
    ['imports what is not there', `import 'acme-missing'\nexport default () => ({ drivers: [] })`, `Cannot find package 'acme-missing'`],
    ['exports nothing', 'export const drivers = []', 'its default export is missing; give a function'],
    ['exports something else', 'export default 7', 'its default export is 7; give a function'],
    ['throws when it is called', `export default () => { throw new Error('no license found') }`, 'no license found'],
    ['answers half a driver', `export default () => ({ drivers: [{ id: 'acme-x' }] })`, 'drivers[0].vendor is missing; give a text'],
    ['ends the process', 'process.exit(3)', 'it ended the process that loaded it (status 3)'],
    ['is killed', `process.kill(process.pid, 'SIGSEGV')\nawait new Promise(() => setInterval(() => 0, 1000))`, 'it ended the process that loaded it (SIGSEGV)'],
  ])('one that %s', async (_, drivers, problem) => {
    await using plugin = await pluginFolder(drivers)
    const source = await plugin.open()
    expect(source.drivers).toEqual([])
    expect(source.problems).toHaveLength(1)
    expect(source.problems[0]).toContain(problem)
    expect(plugin.log.join('\n')).toContain(problem)
  })

  it.each([
    ['waits for ever', 'export default () => new Promise(() => setInterval(() => undefined, 1000))', 'it was not loaded within 1 s: it waits for something'],
    ['loops for ever', 'for (;;) {}', 'it was not loaded within 1 s: it loops'],
  ])('one that %s', async (_, drivers, problem) => {
    await using plugin = await pluginFolder(drivers)
    expect((await plugin.open({ loadWithinMs: 1_000 })).problems).toEqual([problem])
  })

  it.each([
    ['which is nowhere', '/nowhere/at/all', '/nowhere/at/all/package.json cannot be read: ENOENT'],
    ['which is not installed', 'acme-missing', 'node_modules/acme-missing/package.json cannot be read: ENOENT'],
    ['which is a relative path', './plugins/acme', '"./plugins/acme" is neither an absolute path nor the name of an npm package'],
  ])('one %s', async (_, place, problem) => {
    await using plugin = await pluginFolder()
    const source = await plugin.open({ place })
    expect(source.name).toBe(`plugin ${place}`)
    expect(source.problems[0]).toContain(problem)
  })
})

describe('what a plugin answers is looked at', () => {
  const nothing = (): undefined => undefined
  const driver = { id: 'acme-x', vendor: 'A', model: 'X', version: '1', portKind: 'USB', settings: [], capabilities: [], locate: nothing, openPort: nothing }
  const whole = { ...driver, openDevice: nothing }
  const setting = { name: 'a', description: 'a', kind: 'TEXT', required: true }

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'what the plugin returned is missing; give an object'],
    ['no drivers', { driver: 1 }, 'drivers is missing; give an array'],
    ['too many drivers', { drivers: new Array(101).fill(whole) }, 'drivers has 101 entries; at most 100 are taken'],
    ['a bad id', { drivers: [{ ...whole, id: 'Acme X' }] }, 'drivers[0].id is "Acme X"; give "<vendor>-<model>" in small letters and digits'],
    ['no version', { drivers: [{ ...whole, version: undefined }] }, 'drivers[0].version is missing; give a text'],
    ['a bad port', { drivers: [{ ...whole, portKind: 'LPT' }] }, 'drivers[0].portKind is "LPT"; choose one of SERIAL, '],
    ['a bad capability', { drivers: [{ ...whole, capabilities: ['FLY'] }] }, 'drivers[0].capabilities[0] is "FLY"; choose one of'],
    ['a text for a function', { drivers: [{ ...whole, locate: 'here' }] }, 'drivers[0].locate is "here"; give a function'],
    ['a bad rule', { drivers: [{ ...whole, afterLostStation: 'RUN' }] }, 'drivers[0].afterLostStation is "RUN"; choose one of LEAVE, STOP, MAKE_SAFE'],
    ['a bad probe', { drivers: [{ ...whole, probe: {} }] }, 'drivers[0].probe is an object; give a function'],
    [
      'a bad kind',
      { drivers: [whole, { ...whole, settings: [{ ...setting, kind: 'NUMBER' }] }] },
      'drivers[1].settings[0].kind is "NUMBER"; choose one of FLOAT, ',
    ],
    ['a bad default', { drivers: [{ ...whole, settings: [{ ...setting, default: 7 }] }] }, 'drivers[0].settings[0].default is 7; give it as a text'],
    ['no choices', { drivers: [{ ...whole, settings: [{ ...setting, kind: 'ENUM' }] }] }, 'drivers[0].settings[0].choices is missing; give an array'],
    ['no word on need', { drivers: [{ ...whole, settings: [{ ...setting, required: 1 }] }] }, 'drivers[0].settings[0].required is 1; give true or false'],
  ])('%s', (_, offer, problem) => {
    expect(() => checkedOffer(offer)).toThrow(InvalidValue)
    expect(() => checkedOffer(offer)).toThrow(problem)
  })

  it('a whole driver', () => {
    expect(checkedOffer({ drivers: [{ ...whole, settings: [setting] }] })).toHaveLength(1)
  })
})

describe('what a plugin opens is looked at', () => {
  const port = { lost: signal, [Symbol.asyncDispose]: async () => undefined }
  const device = { identity: 'A', parameters: [], read: async () => new Map(), [Symbol.asyncDispose]: async () => undefined }
  const parameter = { name: 'x', description: '', kind: 'FLOAT', access: 'READ_ONLY' }
  const motion = { ...still, positionParameter: 'x' }

  it.each<[string, unknown, unknown, string]>([
    ['no port', undefined, device, 'driver acme-counter opened something else than a port'],
    ['a port that cannot be lost', { ...port, lost: false }, device, 'driver acme-counter opened something else than a port'],
    ['no device', port, undefined, 'opened something else than a device: the device handle is missing; give an object'],
    ['no identity', port, { ...device, identity: 7 }, 'identity is 7; give a text'],
    ['no read', port, { ...device, read: undefined }, 'read is missing; give a function'],
    ['no end', port, { ...device, [Symbol.asyncDispose]: undefined }, '[Symbol.asyncDispose] is missing; give a function'],
    ['a name twice', port, { ...device, parameters: [parameter, parameter] }, 'parameters[1].name is "x"; a name stands for one parameter only'],
    ['a bad unit', port, { ...device, parameters: [{ ...parameter, unit: 'parsnip' }] }, 'parameters[0].unit is "parsnip"; give a UCUM code'],
    ['a bad limit', port, { ...device, parameters: [{ ...parameter, minimum: '0' }] }, 'parameters[0].minimum is "0"; give a finite number'],
    ['no choices', port, { ...device, parameters: [{ ...parameter, kind: 'ENUM' }] }, 'parameters[0].choices is missing; give an array'],
    ['a readout of nothing', port, { ...device, readout: { parameter: 'y' } }, 'readout.parameter is "y"; choose one of'],
    ['half a motion', port, { ...device, parameters: [parameter], motion: { positionParameter: 'x' } }, 'motion.limits is missing; give a function'],
    [
      'a motion in no unit',
      port,
      { ...device, parameters: [parameter], motion: { ...motion, unit: 'steps of mine' } },
      'motion.unit is "steps of mine"; give a UCUM',
    ],
    ['bad commands', port, { ...device, commands: { specs: [{ name: 'a' }], invoke: () => 1 } }, 'commands.specs[0].description is missing; give a text'],
    ['a stop that is none', port, { ...device, emergencyStop: true }, 'emergencyStop is true; give a function'],
  ])('%s', async (_, openedPort, openedDevice, problem) => {
    const [driver] = checkedOffer({ drivers: [{ ...counter, openPort: async () => openedPort, openDevice: async () => openedDevice }] })
    if (driver === undefined) return expect.fail('no driver')
    const guarded = guardedDriver(driver, { folder: '/nowhere', blame: () => undefined })
    const open = async (): Promise<unknown> => guarded.openDevice(await guarded.openPort(settings, context, signal), settings, context, signal)
    await expect(open()).rejects.toThrow(problem)
  })
})

describe('what a plugin reads and confirms is looked at', () => {
  const kinds = ['FLOAT', 'INTEGER', 'BOOLEAN', 'TEXT', 'LIST'].map((kind) => ({ name: kind, description: '', kind, access: 'READ_WRITE' }))
  const parameters = [...kinds, { name: 'ENUM', description: '', kind: 'ENUM', access: 'READ_WRITE', choices: ['on', 'off'] }]

  /** A device whose every parameter reads as `value`, and confirms it. */
  async function reading(read: unknown, confirmed?: unknown, more: object = {}): Promise<DeviceHandle> {
    const device = { identity: 'A', parameters, read: async () => read, write: async () => confirmed, [Symbol.asyncDispose]: async () => undefined, ...more }
    const port = { lost: signal, [Symbol.asyncDispose]: async () => undefined }
    const [driver] = checkedOffer({ drivers: [{ ...counter, openPort: async () => port, openDevice: async () => device }] })
    const guarded = guardedDriver(driver ?? expect.fail('no driver'), { folder: '/nowhere', blame: () => undefined })
    return await guarded.openDevice(await guarded.openPort(settings, context, signal), settings, context, signal)
  }

  it.each<[string, unknown, unknown]>([
    ['FLOAT', { value: 1.5 }, { value: 1.5 }],
    ['FLOAT', { value: 1.5, quality: 'UNCERTAIN' }, { value: 1.5, quality: 'UNCERTAIN' }],
    ['FLOAT', { bad: 'no answer' }, { bad: 'no answer' }],
    ['FLOAT', { value: Number.NaN }, { bad: 'the driver gave null, which is no FLOAT' }],
    ['FLOAT', { value: '1.5' }, { bad: 'the driver gave "1.5", which is no FLOAT' }],
    ['FLOAT', {}, { bad: 'the driver gave nothing, which is no FLOAT' }],
    ['FLOAT', 1.5, { bad: 'the driver gave 1.5 in place of a reading' }],
    ['FLOAT', undefined, { bad: 'the driver gave nothing in place of a reading' }],
    ['INTEGER', { value: 1.5 }, { bad: 'the driver gave 1.5, which is no INTEGER' }],
    ['BOOLEAN', { value: 1 }, { bad: 'the driver gave 1, which is no BOOLEAN' }],
    ['TEXT', { value: null }, { bad: 'the driver gave something of type object, which is no TEXT' }],
    ['ENUM', { value: 'maybe' }, { bad: 'the driver gave "maybe", which is no ENUM' }],
    ['ENUM', { value: 'on' }, { value: 'on' }],
    ['LIST', { value: [1, Number.POSITIVE_INFINITY] }, { bad: 'the driver gave something of type object, which is no LIST' }],
    ['UNKNOWN', { value: 1 }, { bad: 'the driver gave 1, which is no parameter of it' }],
  ])('%s: %j', async (name, given, expected) => {
    const device = await reading(new Map([[name, given]]))
    expect(await device.read([name], signal)).toEqual(new Map([[name, expected]]))
  })

  it('as a whole', async () => {
    const device = await reading({ FLOAT: 1 }, undefined)
    await expect(device.read(['FLOAT'], signal)).rejects.toThrow('the driver answered something of type object in place of a Map of readings')
    const confirming = await device.write?.('FLOAT', 1, signal).catch((error: unknown) => error)
    expect(confirming).toMatchObject({ effect: 'DONE', message: expect.stringContaining('FLOAT was set, and what is confirmed is no value') })
  })

  it('of its motion: nothing is not "it stands", and no position is beyond a limit that is no number', async () => {
    const moving = async (facet: object, more: object = {}): Promise<DeviceHandle> => {
      const motion = { ...still, positionParameter: 'FLOAT', ...facet }
      return await reading(new Map(), undefined, { motion, ...more })
    }
    const good = await moving({ limits: () => ({ maximum: 3 }), isMoving: async () => true }, { underWay: () => false })
    expect([good.motion?.limits(), await good.motion?.isMoving(signal), await good.underWay?.(signal)]).toEqual([{ maximum: 3 }, true, false])
    const silent = await moving({ isMoving: async () => undefined }, { underWay: async () => 'no', emergencyStop: async () => undefined })
    await expect(silent.motion?.isMoving(signal)).rejects.toThrow('isMoving of the driver answered nothing in place of true or false')
    await expect(silent.underWay?.(signal)).rejects.toThrow('underWay of the driver answered "no"')
    expect(await (await silent.emergencyStop?.(signal))?.confirmed).toBe(false)
    for (const minimum of [Number.NaN, '0', null]) {
      const { motion } = await moving({ limits: () => ({ minimum }) })
      expect(() => motion?.limits()).toThrow(/minimum of what limits\(\) answered is .*give a finite number/)
    }
  })

  it('where it says that settings lead', () => {
    const [driver] = checkedOffer({ drivers: [{ ...counter, locate: () => ({ port: 1 }), openPort: () => 1, openDevice: () => 1 }] })
    const guarded = guardedDriver(driver ?? expect.fail('no driver'), { folder: '/nowhere', blame: () => undefined })
    expect(() => guarded.locate({})).toThrow('the address that locate returned is missing; give a text')
  })
})

it('what a plugin found on a port is looked at', async () => {
  const probing = (found: unknown): Driver => {
    const [driver] = checkedOffer({ drivers: [{ ...counter, openPort: async () => undefined, openDevice: async () => undefined, probe: async () => found }] })
    return guardedDriver(driver ?? expect.fail('no driver'), { folder: '/nowhere', blame: () => undefined })
  }
  const good = [{ identity: 'Acme', settings: { address: 'tcp://a:1' } }]
  expect(await probing(good).probe?.('tcp://a:1', context, signal)).toEqual(good)
  await expect(probing(undefined).probe?.('tcp://a:1', context, signal)).rejects.toThrow('what probe found is missing; give an array')
  await expect(probing([{ settings: {} }]).probe?.('tcp://a:1', context, signal)).rejects.toThrow('what probe found[0].identity is missing; give a text')
})

const counter = { id: 'acme-counter', vendor: 'A', model: 'X', version: '1', portKind: 'USB', settings: [], capabilities: [], locate: () => ({ address: 'x' }) }
