import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkValue } from '../../../core/parameter.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { until } from '../../until.ts'
import { type Bench, never, open, openBench, problemOf, readOne } from '../bench.ts'
import { described, HEAD, Scripted, type Served, serve } from './scripted.ts'

const VOLTAGE = `
parameters:
  voltage:
    description: What is set
    kind: float
    unit: V
    query: VOLT?
    set: VOLT {value}
    format: { decimals: 3 }
    range: { minimum: 0, maximum: 'VOLT? MAX' }
`

/** The same on a raw socket and over HiSLIP: the transport is swapped, never the driver. */
describe.each(['tcp', 'hislip'] as const)('a described instrument over %s', (over) => {
  let bench: Bench
  let instrument: Scripted
  let served: Served

  beforeEach(async () => {
    bench = await openBench()
    instrument = new Scripted()
    instrument.answers.set('VOLT?', '+1.00000000E+00')
    instrument.answers.set('VOLT? MAX', '6.18')
    served = await serve(instrument, over)
  })

  afterEach(async () => {
    await served[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  const opened = (lines: string) => open(described(lines), { address: served.address }, bench.context)
  const sets = (device: DeviceHandle, name: string, value: number | string | boolean): Promise<unknown> =>
    device.write?.(name, value, never) ?? Promise.reject(new Error('no write'))

  test('asks for its limits, sets, hears its errors and reads back', async () => {
    await using voltage = await opened(VOLTAGE)
    const [spec] = voltage.device.parameters
    expect(spec).toMatchObject({ minimum: 0, maximum: 6.18, unit: 'V', access: 'READ_WRITE' })
    instrument.told.length = 0
    instrument.answers.set('VOLT?', '1.500')
    expect(await sets(voltage.device, 'voltage', 1.5)).toBe(1.5)
    expect(instrument.told).toEqual(['VOLT 1.500', 'SYST:ERR?', 'VOLT?'])
  })

  test('what is out of range or in another unit never reaches the wire', async () => {
    await using voltage = await opened(VOLTAGE)
    const [spec] = voltage.device.parameters
    if (spec === undefined) throw new Error('no parameter')
    expect(() => checkValue(spec, 6.19)).toThrow('outside')
    expect(() => checkValue(spec, 1, 'A')).toThrow('cannot be converted')
    expect(checkValue(spec, 1500, 'mV')).toBe(1.5)
    expect(instrument.commands).toEqual([])
  })

  test('a set that reads back as something else is a fault that says so', async () => {
    await using voltage = await opened(VOLTAGE)
    expect(await problemOf(sets(voltage.device, 'voltage', 2))).toMatchObject({
      code: 'HARDWARE_FAULT',
      effect: 'DONE',
      message: expect.stringContaining('reads back 1'),
    })
  })

  test('the first error of the queue is the fault, with its code; the queue is emptied', async () => {
    await using voltage = await opened(VOLTAGE)
    instrument.queue.push('-222,"Data out of range"', '-310,"System error"')
    expect(await problemOf(sets(voltage.device, 'voltage', 2))).toMatchObject({
      code: 'HARDWARE_FAULT',
      effect: 'NONE',
      facts: { instrumentCode: '-222' },
      message: expect.stringContaining('Data out of range'),
    })
    expect(instrument.queue).toEqual([])
    instrument.queue.push('+501,"Isolator framing error"')
    expect(await problemOf(sets(voltage.device, 'voltage', 2))).toMatchObject({ effect: 'POSSIBLE', facts: { instrumentCode: '501' } })
  })

  test('errors of before the connection are nobody’s, and told', async () => {
    instrument.queue.push('-113,"Undefined header"')
    await using voltage = await opened(VOLTAGE)
    expect(bench.messages.join()).toContain('-113 Undefined header')
    instrument.answers.set('VOLT?', '1')
    expect(await sets(voltage.device, 'voltage', 1)).toBe(1)
  })

  test('waits until what was set is done', async () => {
    let asked = 0
    instrument.answers.set('*STB?', () => (++asked < 3 ? '0' : '32'))
    await using voltage = await opened(`synchronise: { query: '*STB?', until: '^32$', everyMs: 1 }${VOLTAGE}`)
    await sets(voltage.device, 'voltage', 1)
    expect(asked).toBe(3)
    asked = -1e9
    expect(await problemOf(sets(voltage.device, 'voltage', 1))).toMatchObject({
      code: 'HARDWARE_FAULT',
      effect: 'POSSIBLE',
      message: expect.stringContaining('was not done within 300 ms'),
    })
  })

  test('overload is bad, not a number', async () => {
    await using voltage = await opened(VOLTAGE)
    instrument.answers.set('VOLT?', '+9.90000000E+37')
    expect(await readOne(voltage.device, 'voltage')).toEqual({ bad: expect.stringContaining('overload') })
    instrument.answers.set('VOLT?', '+9.91000000E+37')
    expect(await readOne(voltage.device, 'voltage')).toEqual({ bad: expect.stringContaining('not a number') })
  })

  test('a question that the instrument does not understand is bad with its own word for it', async () => {
    await using voltage = await opened(VOLTAGE)
    instrument.answers.set('VOLT?', () => {
      instrument.queue.push('-113,"Undefined header"')
      return undefined
    })
    expect(await readOne(voltage.device, 'voltage')).toEqual({ bad: expect.stringContaining('reports -113: Undefined header') })
    instrument.answers.set('VOLT?', '2')
    expect(await readOne(voltage.device, 'voltage')).toEqual({ value: 2 })
    expect(await sets(voltage.device, 'voltage', 2)).toBe(2) // and the old error is not the next set's
  })

  test('an error of a question is not the next set’s, even if nobody could be told of it then', async () => {
    await using voltage = await opened(VOLTAGE)
    instrument.answers.set('VOLT?', () => {
      instrument.queue.push('-113,"Undefined header"')
      return undefined
    })
    instrument.silentOnce.add('SYST:ERR?')
    expect(await readOne(voltage.device, 'voltage')).toEqual({ bad: expect.stringContaining('was not answered') })
    instrument.answers.set('VOLT?', '2')
    expect(await sets(voltage.device, 'voltage', 2)).toBe(2)
    expect(instrument.queue).toEqual([])
  })

  test('a late answer is never taken for another’s', async () => {
    const both = described(
      `parameters:
  voltage: { description: What is set, kind: float, unit: V, query: VOLT? }
  current: { description: What flows, kind: float, unit: A, query: CURR? }`,
      HEAD.replace(/errors.*/, ''),
    )
    await using opened = await open(both, { address: served.address }, bench.context)
    instrument.answers.set('CURR?', '7')
    for (const byMs of [320, 400, 590]) {
      served.line.inject({ kind: 'late', byMs })
      const late = await readOne(opened.device, 'voltage')
      expect(late === undefined || 'bad' in late || late.value === 1).toBe(true)
      for (let round = 0; round < 3; round += 1) {
        const current = await readOne(opened.device, 'current')
        expect(current === undefined || 'bad' in current || current.value === 7).toBe(true)
      }
      await until(async () => 'value' in ((await readOne(opened.device, 'voltage')) ?? {}))
    }
  })

  test.each(['silent', 'foreign', 'garbage', 'cut'] as const)('an answer that is %s is bad, and the next one is right', async (kind) => {
    await using voltage = await opened(`${VOLTAGE}
  name: { description: A name, kind: text, query: NAME?, quoted: true }`)
    instrument.answers.set('NAME?', '"me"')
    served.line.inject({ kind })
    expect(await readOne(voltage.device, 'name')).toHaveProperty('bad')
    await until(async () => 'value' in ((await readOne(voltage.device, 'name')) ?? {}))
    expect(await readOne(voltage.device, 'name')).toEqual({ value: 'me' })
    expect(await readOne(voltage.device, 'voltage')).toEqual({ value: 1 })
  })

  test('a choice, a flag, a text, a list, a guard, and a parameter that is set beside another', async () => {
    for (const [question, answer] of Object.entries({ 'FUNC?': '"RES"', 'OUTP?': 'ON', 'TRAC?': '1,2,3', 'RAMP?': '1,+10.0', 'NAME?': '"x"' }))
      instrument.answers.set(question, answer)
    await using many = await opened(`
parameters:
  function: { description: x, kind: enum, query: FUNC?, set: 'FUNC {value}', quoted: true, choices: { volts: VOLT, ohms: RES } }
  'on': { description: x, kind: boolean, query: OUTP?, set: 'OUTP {value}', words: { 'true': 'ON', 'false': 'OFF' } }
  trace: { description: x, kind: list, query: TRAC? }
  volts: { description: x, kind: float, query: READ?, goodWhile: { query: FUNC?, pattern: '^"VOLT"$', otherwise: it measures something else } }
  ramping: { description: x, kind: boolean, query: RAMP?, set: 'RAMP {value},{rate}', reply: { element: 1 } }
  rate: { description: x, kind: float, query: RAMP?, set: 'RAMP {ramping},{value}', reply: { element: 2 } }
  name: { description: x, kind: text, query: NAME?, set: 'NAME {value}', quoted: true }
  gain: { description: x, kind: integer, set: 'GAIN {value}' }
`)
    const { device } = many
    const readings = await device.read(['function', 'on', 'trace', 'volts', 'ramping', 'rate', 'gain'], never)
    expect(Object.fromEntries(readings)).toEqual({
      function: { value: 'ohms' },
      on: { value: true },
      trace: { value: [1, 2, 3] },
      volts: { bad: 'it measures something else (FUNC? is answered by "RES")' },
      ramping: { value: true },
      rate: { value: 10 },
      gain: { bad: 'it can only be set' },
    })
    instrument.told.length = 0
    instrument.answers.set('RAMP?', '0,10')
    expect(await sets(device, 'ramping', false)).toBe(false)
    await sets(device, 'function', 'ohms')
    await sets(device, 'on', true)
    await sets(device, 'name', 'x')
    expect(await sets(device, 'gain', 3)).toBe(3)
    expect(instrument.commands).toEqual(['RAMP 0,10', 'FUNC "RES"', 'OUTP ON', 'NAME "x"', 'GAIN 3'])
    expect(await problemOf(sets(device, 'name', 'x"\nOUTP OFF'))).toMatchObject({ code: 'INVALID_VALUE', effect: 'NONE' })
    expect(device.parameters.find(({ name }) => name === 'gain')?.access).toBe('WRITE_ONLY')
  })

  test('commands of its own, with arguments and results', async () => {
    await using voltage = await opened(`${VOLTAGE}
commands:
  beep: { description: Sounds, send: 'SYST:BEEP {seconds}', arguments: { seconds: { description: How long, kind: float, unit: s, minimum: 0, maximum: 5, default: 1 } } }
  self_test: { description: Tests itself, send: '*TST?', result: { kind: integer } }
`)
    const { commands } = voltage.device
    expect(commands?.specs.map(({ name, result }) => [name, result])).toEqual([
      ['beep', undefined],
      ['self_test', 'INTEGER'],
    ])
    expect(await commands?.invoke('beep', { seconds: 2 }, never)).toBeUndefined()
    instrument.answers.set('*TST?', '+0')
    expect(await commands?.invoke('self_test', {}, never)).toBe(0)
    expect(instrument.commands).toEqual(['SYST:BEEP 2'])
    instrument.queue.push('-113,"Undefined header"')
    expect(await problemOf(commands?.invoke('beep', { seconds: 2 }, never) ?? Promise.resolve())).toMatchObject({
      effect: 'NONE',
      facts: { instrumentCode: '-113' },
    })
  })

  test('an emergency stop overtakes a question that hangs, voids what waits, and is confirmed', async () => {
    const lines = `${VOLTAGE}
stop: { send: OUTP OFF, confirm: { query: 'OUTP?', pattern: '^0$' } }
safe: OUTP OFF
afterLostStation: make-safe
`
    const timeoutMs = 10_000
    await using voltage = await open(described(lines, HEAD.replace('300', String(timeoutMs))), { address: served.address }, bench.context)
    instrument.answers.set('OUTP?', '0')
    served.line.inject({ kind: 'silent' })
    const hanging = readOne(voltage.device, 'voltage')
    await until(() => served.line.faultsLeft === 0)
    const waiting = problemOf(sets(voltage.device, 'voltage', 3))
    const stop = await voltage.device.emergencyStop?.(never)
    await until(() => instrument.commands.includes('OUTP OFF'), { everyMs: 1 })
    expect(await hanging).toEqual({ bad: expect.stringContaining('emergency stop') }) // not its time-out
    expect(await waiting).toMatchObject({ code: 'EMERGENCY_STOPPED', effect: 'NONE' })
    expect(await stop?.confirmed).toBe(true)
    expect(instrument.commands.filter((command) => command.startsWith('VOLT'))).toEqual([])
    await voltage.device.makeSafe?.(never)
  })

  test('another instrument is refused by name', async () => {
    instrument.answers.set('*IDN?', 'ACME,HUGE,1,1.0')
    expect(await problemOf(opened(VOLTAGE))).toMatchObject({
      code: 'HARDWARE_FAULT',
      effect: 'NONE',
      message: expect.stringContaining('"ACME,HUGE,1,1.0", which is not a ACME Tiny'),
    })
  })

  test('a limit that is not answered by a number is a fault, not no limit', async () => {
    instrument.answers.set('VOLT? MAX', '9.9E37')
    expect(await problemOf(opened(VOLTAGE))).toMatchObject({ code: 'HARDWARE_FAULT', message: expect.stringContaining('a limit of voltage') })
  })

  test('a lost connection is told, and can be opened again', async () => {
    {
      await using voltage = await opened(VOLTAGE)
      await served.line.unplug()
      await until(() => voltage.port.lost.aborted)
      expect(await problemOf(voltage.device.read(['voltage'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    }
    expect(await problemOf(opened(VOLTAGE))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    await served.line.plugIn()
    await using again = await opened(VOLTAGE)
    expect(await readOne(again.device, 'voltage')).toEqual({ value: 1 })
  })

  test('an instrument that never answers again is given up', async () => {
    await using voltage = await open(described(VOLTAGE, HEAD.replace('300', '30')), { address: served.address }, bench.context)
    served.line.inject(...Array.from({ length: 100 }, () => ({ kind: 'silent' }) as const))
    const read = (): Promise<boolean> =>
      voltage.device.read(['voltage'], never).then(
        () => voltage.port.lost.aborted,
        () => true,
      )
    if (over === 'tcp') await until(read)
    else expect(await readOne(voltage.device, 'voltage')).toHaveProperty('bad') // it still answers the protocol
    expect(voltage.port.lost.aborted).toBe(over === 'tcp')
    if (over === 'tcp')
      expect(voltage.port.lost.reason).toMatchObject({ code: 'DEVICE_OFFLINE', message: expect.stringContaining('did not answer 10 times in a row') })
  })

  test('is found by who asks for it, and nothing else is asked', async () => {
    const driver = described(VOLTAGE, undefined)
    const context = { ...bench.context, resolve: async () => ({ ...(await bench.context.resolve(served.address)), simulated: true }) }
    expect(await driver.probe?.(served.address, context, never)).toEqual([{ identity: 'ACME,TINY,1,1.0', settings: { address: served.address } }])
    expect(instrument.told).toEqual(['*IDN?'])
    instrument.answers.set('*IDN?', 'ACME,HUGE,1,1.0')
    expect(await driver.probe?.(served.address, context, never)).toEqual([])
  })
})

test('a stage: moves, knows when it stands, stops, and keeps its limits', async () => {
  await using bench = await openBench()
  const instrument = new Scripted()
  for (const [question, answer] of Object.entries({ 'POS?': '0', 'BUSY?': '1', 'POS:MAX?': '25' })) instrument.answers.set(question, answer)
  await using served = await serve(instrument, 'tcp')
  const driver = described(`
parameters:
  position: { description: Where it is, kind: float, unit: mm, query: POS?, format: { decimals: 4 } }
motion:
  position: position
  move: 'MOVE {value}'
  home: HOME
  stop: STOP
  moving: { query: BUSY?, pattern: '^1$' }
  minimum: 0
  maximum: POS:MAX?
`)
  await using stage = await open(driver, { address: served.address }, bench.context)
  const { motion } = stage.device
  expect(motion?.limits()).toEqual({ minimum: 0, maximum: 25 })
  expect(await problemOf(motion?.moveTo(25.1, never) ?? Promise.resolve())).toMatchObject({ code: 'LIMIT_VIOLATION' })
  await motion?.home(never)
  expect(motion?.homed()).toBe(false)
  expect(await motion?.isMoving(never)).toBe(true)
  instrument.answers.set('BUSY?', '0')
  expect(await motion?.isMoving(never)).toBe(false)
  expect(motion?.homed()).toBe(true)
  await motion?.moveTo(5, never)
  await motion?.stop(never)
  expect(instrument.commands).toEqual(['HOME', 'MOVE 5.0000', 'STOP'])
  instrument.queue.push('+7,"Following error"')
  expect(await problemOf(motion?.isMoving(never) ?? Promise.resolve())).toMatchObject({ facts: { instrumentCode: '7' } })
})

test('settings are checked before anything is opened', () => {
  const driver = described(`${VOLTAGE}channels: { setting: output, values: [1, 2] }\n`)
  expect(driver.locate({ address: 'tcp://10.0.0.1:5025', output: 2 })).toEqual({ address: 'tcp://10.0.0.1:5025', subAddress: '2' })
  expect(driver.locate({ address: 'hislip://10.0.0.1', output: '1' })).toMatchObject({ subAddress: '1' })
  expect(() => driver.locate({ address: 'tcp://10.0.0.1:5025', output: 3 })).toThrow('choose one of 1, 2')
  expect(() => driver.locate({ address: 'tcp://10.0.0.1:5025' })).toThrow('output: is missing')
  expect(() => driver.locate({ address: 'serial:///dev/ttyUSB0', output: 1 })).toThrow('needs a tcp or hislip address')
  expect(() => driver.locate({ address: 'tcp://10.0.0.1:5025', output: 1, baudRate: 9600 })).toThrow('baudRate is not a setting')
})
