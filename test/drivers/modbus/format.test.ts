import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidValue, messageOf } from '../../../core/errors.ts'
import { checkValue } from '../../../core/parameter.ts'
import { isUnit } from '../../../core/unit.ts'
import { modbusFormat } from '../../../drivers/modbus/format.ts'
import { ProfileSimulator } from '../../../drivers/modbus/profile-simulator.ts'
import { readProfile } from '../../../drivers/modbus/read-profile.ts'

const DRIVERS = join(import.meta.dirname, '../../../drivers')
const HEAD = ['protocol: modbus', 'id: acme-oven', 'vendor: Acme', 'model: Oven', 'registers:']
const profile = (...lines: readonly string[]): string => [...HEAD, ...lines].join('\n')
const refusal = (text: string): string => {
  try {
    readProfile(text, 'oven.yaml')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return expect.fail('it was accepted')
}
const A = '  - { at: 10, name: a, description: A }'

describe('a profile that is wrong is refused with line and column, and what is allowed', () => {
  test.each([
    ['a register twice', profile(A, '  - { at: 11, name: a, description: B }'), '7:21: registers[2].name: a is the name of another register'],
    ['overlapping words', profile('  - { at: 9, name: f, coding: f32, description: F }', A), '7:11: registers[2].at: a overlaps f at holding 10'],
    [
      'the same bit',
      profile('  - { at: 1, bit: 3, coding: bit, name: x, description: X }', '  - { at: 1, bit: 3, coding: bit, name: y, description: Y }'),
      '7:11: registers[2].at: y overlaps x at holding 1 bit 3',
    ],
    [
      'a bit of a word',
      profile('  - { at: 1, name: x, description: X }', '  - { at: 1, bit: 3, coding: bit, name: y, description: Y }'),
      '7:11: registers[2].at: y overlaps x at holding 1',
    ],
    [
      'an unknown unit',
      profile('  - { at: 1, name: x, unit: furlong, description: X }'),
      '6:29: registers[1].unit: "furlong" is not a UCUM code; for example mm',
    ],
    ['an address out of range', profile('  - { at: 65536, name: x, description: X }'), '6:11: registers[1].at: give a whole number from 0 to 65535'],
    [
      'the last address for two words',
      profile('  - { at: 65535, name: x, coding: u32, description: X }'),
      '6:11: registers[1].at: 65535 and the 1 words after it are beyond 65535',
    ],
    [
      'an unknown coding',
      profile('  - { at: 1, name: x, coding: u64, description: X }'),
      '6:31: registers[1].coding: "u64" is not allowed; did you mean f64?; choose one of u16, i16, u32, i32, f32, f64, bcd, magnitude, text, code, enum, bits, bit',
    ],
    ['a misspelt key', profile('  - { at: 1, name: x, sclae: 0.1, description: X }'), '6:23: registers[1].sclae is not known here; did you mean scale?'],
    [
      'limits that the register cannot hold',
      profile('  - { at: 1, name: x, access: read-write, limits: [0, 700], scale: 0.01, description: X }'),
      '6:55: registers[1].limits[2]: the register holds 0 to 655.35 at this scale',
    ],
    [
      'an enum without names',
      profile('  - { at: 1, name: x, coding: enum, description: X }'),
      '6:5: registers[1]: names is missing: of coding enum: what each number means',
    ],
    [
      'an input that may be set',
      profile('  - { at: 1, name: x, function: input, access: read-write, description: X }'),
      '6:48: registers[1].access: a register of function input can only be read',
    ],
    [
      'a name of the connection',
      profile('  - { at: 1, name: link_failures, description: X }'),
      "6:20: registers[1].name: link_… are the connection's own parameters",
    ],
    ['an identity of nothing', profile(A, 'identity: { text: "{serial}", expect: [{ register: a }] }'), '7:19: identity.text: no register has the name serial'],
    [
      'an order of its own',
      profile('  - { at: 1, name: x, coding: u32, order: BACD, description: X }'),
      '6:43: registers[1].order: "BACD" is not allowed; did you mean',
    ],
    [
      'a variant of nothing',
      profile(A, 'variants: [{ name: scale, description: S, default: one, choices: { one: {}, two: { b: { scale: 2 } } } }]'),
      'variants[1].choices.two.b: no register has this name',
    ],
    [
      'a number that the register never is',
      profile(A, 'identity: { text: a, expect: [{ register: a, equals: 70000 }] }'),
      '7:54: identity.expect[1].equals: the register holds 0 to 65535',
    ],
    [
      'a number in another form than it is shown',
      profile(A, 'identity: { text: a, expect: [{ register: a, equals: 0x10 }] }'),
      'identity.expect[1].equals: give the number that a is, as it is shown',
    ],
    [
      'a text that the register cannot hold',
      profile('  - { at: 1, name: x, coding: text, words: 2, description: X }', 'identity: { text: x, expect: [{ register: x, equals: E5CC-T }] }'),
      'identity.expect[1].equals: x has at most 4 characters',
    ],
    [
      'a readout that is no number',
      profile('  - { at: 1, name: x, bit: 1, coding: bit, description: X }', 'readout: x'),
      '7:10: readout: x is no number that is read',
    ],
    ['a readout that cannot be read', profile('  - { at: 1, name: x, access: write, description: X }', 'readout: x'), 'readout: x is no number that is read'],
    ['a step of nothing', profile('  - { at: 1, name: x, step: 0, description: X }'), '6:29: registers[1].step: give a number from 1e-12'],
    ['a stop by a bit', profile(A, 'stop: { at: 1, bit: 3 }'), '7:21: stop.bit: give the value of the whole word'],
    [
      'a hold of a value',
      profile(A, 'commands: [{ name: c, at: 1, value: 3, holdMs: 5, description: C }]'),
      '7:48: commands[1].holdMs: goes only with a bit or a coil',
    ],
  ])('%s', (_, text, message) => {
    expect(refusal(text)).toContain('oven.yaml:')
    expect(refusal(text)).toContain(message)
  })

  test('text that is no YAML, and no profile', () => {
    expect(refusal('registers: [')).toMatch(/^oven\.yaml:\d+:\d+: /)
    expect(refusal('protocol: modbus')).toMatch(/^oven\.yaml:1:1: id is missing/)
  })
})

describe('a profile that is right', () => {
  const text = [
    'protocol: modbus',
    'id: acme-oven',
    'vendor: Acme',
    'model: Oven',
    'connection: { over: [serial, tcp], baudRate: 19200 }',
    'readout: temperature',
    'registers:',
    '  - { at: 0, name: temperature, coding: i16, scale: 0.1, unit: Cel, pollMs: 200, description: Temperature }',
    '  - { at: 1, name: setpoint, coding: i16, scale: 0.1, unit: Cel, access: read-write, limits: [0, 300], description: Setpoint }',
    '  - { function: coil, at: 3, name: fan, access: read-write, description: Fan }',
    '  - { at: 7, name: key, coding: u16, access: write, description: Key }',
    'commands: [{ name: reset, at: 9, bit: 1, holdMs: 20, description: Resets }]',
  ].join('\n')

  test('is a driver with the parameters, settings and capabilities that follow', () => {
    const driver = modbusFormat.driverOf(text, 'oven.yaml')
    expect(driver).toMatchObject({ id: 'acme-oven', vendor: 'Acme', model: 'Oven', portKind: 'MODBUS_RTU', portFamily: 'modbus' })
    expect(driver.capabilities).toEqual(['READABLE', 'PARAMETERIZED', 'SETTABLE', 'REGISTER_BANK', 'COMMANDABLE'])
    expect(driver.settings.map(({ name, default: preset }) => [name, preset])).toEqual([
      ['address', undefined],
      ['unit', '1'],
      ['baudRate', '19200'],
      ['parity', 'even'],
      ['stopBits', '1'],
      ['bitWrites', 'auto'],
    ])
    expect(driver.locate({ address: 'tcp://10.1.1.1:502', unit: 9 })).toEqual({ address: 'tcp://10.1.1.1:502', subAddress: '9' })
    expect(() => driver.locate({ address: 'tcp://10.1.1.1:502', units: 9 })).toThrow('units is not a setting')
    expect(() => driver.locate({ address: 'usbtmc:///dev/usbtmc0' })).toThrow('needs a serial or tcp address')
  })
})

test('whatever is typed, it is a profile or a refusal with its line', () => {
  const whole = readFileSync(join(DRIVERS, 'modbus/profiles/omron-e5cc.yaml'), 'utf8')
  const slip = fc.record({
    at: fc.nat(whole.length),
    gone: fc.nat(6),
    typed: fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('\n', '- ', ': ', '{', '[', '&a ', '*a', '~', '0x', '1e99')),
  })
  fc.assert(
    fc.property(fc.array(slip, { minLength: 1, maxLength: 3 }), (slips) => {
      let text = whole
      for (const { at, gone, typed } of slips) text = text.slice(0, at) + typed + text.slice(at + gone)
      try {
        modbusFormat.driverOf(text, 'slip.yaml')
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidValue)
        expect(messageOf(error)).toMatch(/^slip\.yaml:\d+:\d+: /)
      }
    }),
    { numRuns: 50 },
  )
})

test('every profile that comes with the program is right, each with units of UCUM, and its simulated device can be read', async () => {
  const files = ['smart-saw/profile.yaml', ...(await readdir(join(DRIVERS, 'modbus/profiles'))).map((name) => `modbus/profiles/${name}`)]
  expect(files.length).toBeGreaterThanOrEqual(4)
  for (const file of files) {
    const read = readProfile(await readFile(join(DRIVERS, file), 'utf8'), file).profile({})
    expect(read.registers.filter(({ unit }) => unit !== undefined && !isUnit(unit))).toEqual([])
    const simulated = new ProfileSimulator(read, { random: () => 0.5, accepted: () => undefined })
    for (const { table, at, words } of read.registers.filter(({ table: each }) => each === 'holding'))
      expect(simulated.has(at, words), `${table} ${at}`).toBe(true)
  }
})

test("limits become the parameter's, and a register without them has what it can hold", () => {
  const driver = readProfile(profile('  - { at: 1, name: x, access: read-write, coding: i16, scale: 0.5, description: X }'), 'oven.yaml').profile({})
  const [register] = driver.registers
  expect(register).toMatchObject({ minimum: -16_384, maximum: 16_383.5 })
  expect(() =>
    checkValue({ name: 'x', description: '', kind: 'FLOAT', access: 'READ_WRITE', minimum: register?.minimum ?? 0, maximum: register?.maximum ?? 0 }, 20_000),
  ).toThrow('outside')
})
