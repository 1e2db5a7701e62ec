import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../../core/errors.ts'
import { DESCRIPTION_FORMATS } from '../../../drivers/catalog/description.ts'
import { scpiFormat } from '../../../drivers/scpi/format.ts'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { builtIn, HEAD } from './scripted.ts'

const VOLTAGE = `parameters:
  voltage:
    description: What is set
    kind: float
    unit: V
    query: VOLT?
    set: VOLT {value}
`

function refusal(text: string): string {
  try {
    scpiFormat.driverOf(text, 'mine.yaml')
  } catch (error) {
    if (error instanceof Problem && error.code === 'INVALID_VALUE') return error.message
    throw error
  }
  return 'nothing was refused'
}

test('it is a format, known by its protocol', () => {
  expect(DESCRIPTION_FORMATS).toContain(scpiFormat)
  expect(refusal(HEAD + VOLTAGE)).toBe('nothing was refused')
})

const PARAMETER = HEAD + VOLTAGE
const lines = (text: string): number => text.split('\n').length - 1

test.each<readonly [string, string, number, string]>([
  ['broken YAML', 'protocol: scpi\nid: [1\nvendor: x\n', 3, 'Flow sequence'],
  ['a key twice', `${HEAD}vendor: x\n`, 9, 'Map keys must be unique'],
  ['no map at all', '- a\n', 1, 'give keys with values'],
  ['a misspelt key', `${PARAMETER}readuot: voltage\n`, 16, 'readuot is not known here; did you mean readout?; allowed are protocol, id,'],
  ['a misspelt key below', `${PARAMETER}    pollms: 5\n`, 16, 'parameters.voltage.pollms is not known here; did you mean pollMs?'],
  ['a key that resembles none', `${PARAMETER}zzzzzzzzzz: 1\n`, 16, 'zzzzzzzzzz is not known here; allowed are'],
  ['no parameters', HEAD, 1, 'parameters is missing: a device without a parameter'],
  ['no identity', PARAMETER.replace(/identity.*\n/, ''), 1, 'identity is missing'],
  ['another protocol', PARAMETER.replace('scpi', 'spci'), 1, 'protocol: "spci" is not allowed; did you mean scpi?'],
  ['an id that is none', PARAMETER.replace('acme-tiny', 'Acme'), 2, 'id: "Acme" is not an id'],
  ['a pattern that is none', PARAMETER.replace('^ACME,TINY,', '(ACME'), 5, 'identity: is not a regular expression'],
  ['no connection', PARAMETER.replace('{ tcp: {}, hislip: {} }', '{}'), 6, 'connections: name at least one of tcp, serial, usbtmc, hislip'],
  ['a connection that there is not', PARAMETER.replace('hislip', 'hislop'), 6, 'did you mean hislip?'],
  ['a serial line without its rate', PARAMETER.replace('hislip: {}', 'serial: { parity: odd }'), 6, 'baudRate is missing'],
  ['a port that is none', PARAMETER.replace('tcp: {}', 'tcp: { port: 70000 }'), 6, 'connections.tcp.port: give a whole number from 1 to 65535'],
  ['a time-out below zero', PARAMETER.replace('300', '-1'), 7, 'timeoutMs: give a number from 1 to 600000'],
  ['an error source without a question', PARAMETER.replace('queue: SYST:ERR?', 'queue: SYST:ERR'), 8, 'is not a question'],
  ['a unit that is none', PARAMETER.replace('unit: V', 'unit: Volts'), 13, 'parameters.voltage.unit: "Volts" is not a unit'],
  ['a kind that there is not', PARAMETER.replace('float', 'flaot'), 12, 'kind: "flaot" is not allowed; did you mean float?'],
  ['a question without its mark', PARAMETER.replace('VOLT?', 'VOLT'), 14, 'parameters.voltage.query: "VOLT" is not a question'],
  ['a set without its value', PARAMETER.replace('{value}', '5'), 15, 'write {value} where the value goes'],
  ['braces that stand for nothing', PARAMETER.replace('{value}', '{value},{chanel}'), 15, '{chanel} stands for nothing here; allowed are {value}'],
  ['two commands in one by a line break', PARAMETER.replace('VOLT {value}', '"VOLT {value}\\nOUTP ON"'), 15, 'printable ASCII characters on one line'],
  ['neither question nor set', PARAMETER.replace(/ {4}(query|set).*\n/g, ''), 11, 'give query to read it, set to set it, or both'],
  ['a set that nobody confirms', PARAMETER.replace(/ {4}query.*\n/, '').replace(/errors.*\n/, ''), 13, 'nobody would know whether it was set'],
  ['an empty range', `${PARAMETER}    range: { minimum: 5, maximum: 1 }\n`, 16, 'parameters.voltage.range: 5 to 1 is empty'],
  ['a range that is no question', `${PARAMETER}    range: { maximum: VOLT MAX }\n`, 16, 'is not a question'],
  ['choices of a number', `${PARAMETER}    choices: [a]\n`, 16, 'only kind: enum has choices'],
  ['an enum without choices', PARAMETER.replace('float', 'enum').replace(/ {4}unit.*\n/, ''), 11, 'choices is missing'],
  ['a choice on two names', `${PARAMETER.replace('float', 'enum').replace(/ {4}unit.*\n/, '')}    choices: { a: X, b: x }\n`, 15, 'X stands for two choices'],
  ['words of a number', `${PARAMETER}    words: { 'true': 1, 'false': 0 }\n`, 16, 'only kind: boolean has words'],
  ['a scale of nothing', `${PARAMETER}    scale: 0\n`, 16, '0 would make every value 0'],
  ['decimals and digits', `${PARAMETER}    format: { decimals: 1, significant: 2 }\n`, 16, 'not both'],
  ['a poll without rest', `${PARAMETER}    pollMs: 1\n`, 16, 'pollMs: give a number from 10'],
  ['a readout that there is not', `${PARAMETER}readout: volatge\n`, 16, 'readout: "volatge" is not allowed; did you mean voltage?'],
  ['a shutter that is a number', `${PARAMETER}shutter: voltage\n`, 16, 'shutter: "voltage" is not allowed'],
  ['safe without commands', `${PARAMETER}afterLostStation: make-safe\n`, 16, 'make-safe needs safe'],
  ['a stop that asks', `${PARAMETER}stop: OUTP?\n`, 16, 'is a question, and nobody waits for its answer here'],
  ['a register bit that is none', PARAMETER.replace('queue: SYST:ERR?', "register: '*ESR?', bits: { 3: x }"), 8, '3 is not the value of a bit'],
  ['a name with a capital', PARAMETER.replace('voltage:', 'Voltage:'), 11, 'Voltage is not a name for a parameter'],
  ['a command that asks without a result', `${PARAMETER}commands:\n  test:\n    description: x\n    send: '*TST?'\n`, 19, 'is a question: describe its result'],
  [
    'an argument that is not sent',
    `${PARAMETER}commands:\n  go:\n    description: x\n    send: GO\n    arguments:\n      far:\n        description: x\n        kind: float\n`,
    22,
    '{far} is not in send',
  ],
  ['a set that asks', PARAMETER.replace('VOLT {value}', 'VOLT {value};*OPC?'), 15, 'is a question, and nobody waits for its answer here'],
  [
    'a boolean of which both are one word',
    PARAMETER.replace('float', 'boolean').replace(/ {4}unit.*\n/, '    words: { true: ON, false: on }\n'),
    13,
    'ON stands for two things',
  ],
  ['a deadband of a text', `${PARAMETER.replace('float', 'text').replace(/ {4}unit.*\n/, '')}    deadband: 1\n`, 15, 'only numbers have one'],
  ['a step of nothing', `${PARAMETER}    step: 0\n`, 16, 'step: give a number from 1e-15'],
  ['a channel twice', `${PARAMETER}channels: { values: [1, 2, 1] }\n`, 16, 'channels.values[3]: 1 is named already'],
  ['a question with a star and no quotes', `${PARAMETER}synchronise: *OPC?\n`, 16, "a text that begins with * stands in quotes: '*OPC?'"],
  [
    'a question with a brace and no quotes',
    `${PARAMETER.replace('VOLT?', '{channel}:VOLT?')}channels: { values: [C1] }\n`,
    14,
    'a text with {channel} in it stands in quotes here',
  ],
  [
    'braces in braces and no quotes',
    `${HEAD}parameters:\n  voltage: { description: x, kind: float, query: VOLT?, set: VOLT {value} }\n`,
    10,
    'a text with {value} in it stands in quotes here',
  ],
  ['channels with a name that is taken', `${PARAMETER}channels: { setting: address, values: [1] }\n`, 16, 'address is not a name for a setting'],
])('%s is told with its place and what is allowed', (_what, text, line, words) => {
  const message = refusal(text)
  expect(message).toMatch(new RegExp(`^mine\\.yaml:${line}:\\d+: `))
  expect(message).toContain(words)
  expect(line).toBeLessThanOrEqual(lines(text) + 1)
})

test('a deadband is in the unit, whatever its size: a hundred megahertz are not a time', () => {
  expect(refusal(`${PARAMETER.replace('unit: V', 'unit: Hz')}    deadband: 1.0e+8\n    step: 1.0e+9\n`)).toBe('nothing was refused')
})

test('the column is that of the wrong word', () => {
  expect(refusal(PARAMETER.replace('unit: V', 'unit: Volts'))).toMatch(/^mine\.yaml:13:11: /)
})

test('whatever the text, it is a driver or an InvalidValue with a line', () => {
  const words = PARAMETER.split(/(\s+)/)
  fc.assert(
    fc.property(
      fc.nat(words.length - 1),
      fc.oneof(fc.constantFrom('{}', '[]', '~', '- a', '&a *a', '"', '{value}', '? x', '1e999', '!!set'), fc.string({ maxLength: 12 })),
      (at, other) => {
        const message = refusal(words.with(at, other).join(''))
        expect(message === 'nothing was refused' || /^mine\.yaml:\d+:\d+: ./.test(message)).toBe(true)
      },
    ),
    { numRuns: 300 },
  )
})

describe('what comes with the program', () => {
  const ids = readdirSync(join(import.meta.dirname, '../../../drivers/scpi/instruments')).map((file) => file.replace('.yaml', ''))

  test.each(ids)('%s is good, has a simulator, and its documentation names the manual', (id) => {
    const driver = builtIn(id)
    expect(driver.id).toBe(id)
    expect(driver.capabilities).toEqual(expect.arrayContaining(['READABLE', 'SETTABLE', 'PARAMETERIZED', 'COMMANDABLE']))
    expect(SIMULATIONS.map(({ driverId }) => driverId)).toContain(id)
  })

  test('capabilities are those of what is described', () => {
    const driver = scpiFormat.driverOf(
      `${HEAD.replace('acme-tiny', 'acme-stage')}
parameters:
  position: { description: Where it is, kind: float, unit: mm, query: POS? }
  wavelength: { description: Set, kind: float, unit: nm, query: WAV?, set: 'WAV {value}' }
  open: { description: Shutter, kind: boolean, query: SHUT?, set: 'SHUT {value}' }
  on: { description: Emission, kind: boolean, query: EMIS?, set: 'EMIS {value}' }
shutter: open
emission: on
wavelength: { setpoint: wavelength }
motion: { position: position, move: 'MOVE {value}', stop: STOP, moving: { query: 'BUSY?', pattern: '^1$' }, minimum: 0, maximum: 10 }
`,
      'stage.yaml',
    )
    expect([...driver.capabilities].sort()).toEqual(
      ['EMISSION_CONTROL', 'MOVABLE', 'PARAMETERIZED', 'SETTABLE', 'SHUTTER_CONTROL', 'WAVELENGTH_TUNABLE'].sort(),
    )
  })
})
