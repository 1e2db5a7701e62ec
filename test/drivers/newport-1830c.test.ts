import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newport1830c } from '../../drivers/newport-1830c/driver.ts'
import * as protocol from '../../drivers/newport-1830c/protocol.ts'
import { Newport1830cSimulator } from '../../drivers/newport-1830c/simulator.ts'
import { SimulatedTerminal } from '../../drivers/simulated-terminal.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

describe('the protocol', () => {
  test.each([
    ['+.11E-9', 1.1e-10],
    ['+.75E-9', 7.5e-10],
    ['5E-9', 5e-9],
    ['9E-9', 9e-9],
    ['1E-9', 1e-9],
  ])('%s, as it was recorded, is %d W', (reply, watts) => {
    expect(protocol.parsePower(reply)).toEqual({ watts })
  })

  test('what is not in watts is not a power', () => {
    expect(protocol.parsePower('-15.24')).toEqual({ bad: '-15.24 is not in watts' })
    for (const word of ['OVER', 'UNDER', 'SAT', 'ERR']) expect(protocol.parsePower(word)).toHaveProperty('bad')
    expect(protocol.parsePower('')).toHaveProperty('bad')
  })

  test('wavelengths, digits and the status byte', () => {
    expect(protocol.parseWavelength('0800')).toBe(800)
    expect(protocol.parseWavelength('0200')).toBeUndefined()
    expect(protocol.command.wavelength(820)).toBe('W0820')
    expect(protocol.command.filter('fast')).toBe('F3')
    expect(protocol.command.range('auto')).toBe('R0')
    expect([...(protocol.parseStatus('5') ?? [])]).toEqual(['parameterError', 'saturated'])
    expect(protocol.parseStatus('256')).toBeUndefined()
  })

  test('no text becomes a power that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.E\d]{0,10}$/)), (text) => {
        const power = protocol.parsePower(text)
        expect('bad' in power || (Number.isFinite(power.watts) && power.watts === Number(text) && text.includes('E'))).toBe(true)
        const wavelength = protocol.parseWavelength(text)
        expect(wavelength === undefined || (wavelength >= 300 && wavelength <= 1100)).toBe(true)
        for (const parse of [protocol.parseFilter, protocol.parseRange, protocol.parseSwitch, protocol.parseStatus]) expect(() => parse(text)).not.toThrow()
      }),
    )
  })

  test('a setting is never taken for a power, nor a power for a setting', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9999 }), (number) => {
        expect(protocol.POWER_REPLY.test(String(number).padStart(4, '0'))).toBe(false)
        expect(protocol.WAVELENGTH.test(`+${number}E-9`)).toBe(false)
      }),
    )
  })
})

describe('the driver on a pseudo-terminal', () => {
  let bench: Bench
  let light = 1e-3
  let simulator: Newport1830cSimulator
  let line: SimulatedTerminal
  let accepted: string[]
  const settings = { address: 'sim://power-meter' }

  beforeEach(async () => {
    bench = await openBench()
    light = 1e-3
    accepted = []
    simulator = new Newport1830cSimulator({ random: () => 0.5, accepted: (command) => accepted.push(command) }, { light: () => light })
    const linkPath = join(bench.folder, 'power-meter.tty')
    line = new SimulatedTerminal({ instrument: simulator, baudRate: 9600, linkPath, seconds: () => performance.now() / 1000 })
    await line.plugIn()
    await writeEntry(bench.folder, 'power-meter', { kind: 'serial', path: linkPath })
  })

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  test('reads watts and every setting', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    const power = await goodValue(meter.device, 'power')
    expect(power).toBeGreaterThan(0.95e-3)
    expect(power).toBeLessThan(1.05e-3)
    const readings = await meter.device.read(
      meter.device.parameters.map((parameter) => parameter.name),
      never,
    )
    expect([...readings.values()].filter((reading) => 'bad' in reading)).toEqual([])
    expect(readings.get('wavelength')).toEqual({ value: 800 })
    expect(readings.get('in_watts')).toEqual({ value: true })
    expect(readings.get('status')).toEqual({ value: 'ok' })
    expect(accepted.slice(0, 3)).toEqual(['E0', 'CS', 'U1'])
  })

  test('sets are read back', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    expect(await meter.device.write?.('wavelength', 633, never)).toBe(633)
    expect(await meter.device.write?.('filter', 'slow', never)).toBe('slow')
    expect(await meter.device.write?.('range', '8', never)).toBe('8')
    expect(await meter.device.write?.('attenuator', true, never)).toBe(true)
    expect(await meter.device.write?.('background_subtraction', true, never)).toBe(true)
    expect(accepted.slice(3)).toEqual(['W0633', 'F1', 'R8', 'A1', 'Z1'])
    expect(await goodValue(meter.device, 'power')).toBeCloseTo(0, 4)
  })

  test('a value that the meter refuses is a fault without effect', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    expect(await problemOf(meter.device.write?.('wavelength', 200, never) ?? Promise.resolve())).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'NONE' })
    expect(await goodValue(meter.device, 'wavelength')).toBe(800)
  })

  test('saturation, over range and other units are bad, never a number', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    light = 1
    expect(await readOne(meter.device, 'power')).toEqual({ bad: 'the detector is saturated' })
    light = 1e-3
    await meter.device.write?.('range', '1', never)
    expect(await readOne(meter.device, 'power')).toEqual({ bad: 'over range' })
    await meter.device.write?.('range', 'auto', never)
    simulator.turnUnits(2)
    expect((await readOne(meter.device, 'power')) ?? {}).toMatchObject({ bad: expect.stringContaining('is not in watts') })
    expect(await goodValue(meter.device, 'in_watts')).toBe(false)
    simulator.turnUnits(1)
    expect(await readOne(meter.device, 'power')).toHaveProperty('bad') // until the meter itself says watts again
    expect(await goodValue(meter.device, 'in_watts')).toBe(true)
    expect(await readOne(meter.device, 'power')).toHaveProperty('value')
  })

  test('a reply that does not come is bad, and the next reading is good', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    line.inject({ kind: 'silent' })
    expect(await readOne(meter.device, 'power')).toEqual({ bad: 'D? was not answered within 500 ms' })
    expect(await readOne(meter.device, 'power')).toHaveProperty('value')
  })

  test('a late reply is not taken for the next one', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    line.inject({ kind: 'late', byMs: 520 })
    expect(await readOne(meter.device, 'power')).toHaveProperty('bad')
    light = 2e-3
    const next = await goodValue(meter.device, 'power')
    expect(next).toBeGreaterThan(1.8e-3)
  })

  test('garbage and half a reply are bad', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    line.inject({ kind: 'garbage' })
    expect(await readOne(meter.device, 'power')).toHaveProperty('bad')
    line.inject({ kind: 'cut' })
    expect(await readOne(meter.device, 'power')).toHaveProperty('bad')
    expect(await readOne(meter.device, 'power')).toHaveProperty('value')
  })

  test('something else on the line is refused', async () => {
    await line[Symbol.asyncDispose]()
    const other = new SimulatedTerminal({
      instrument: {
        receive: (bytes) => (Buffer.from(bytes).includes('?') ? Buffer.from('KEITHLEY 2000\n') : new Uint8Array()),
        foreign: () => new Uint8Array(),
        errors: [],
        provoke: () => undefined,
      },
      baudRate: 9600,
      linkPath: join(bench.folder, 'power-meter.tty'),
      seconds: () => 0,
    })
    await other.plugIn()
    try {
      const refused = await problemOf(open(newport1830c, settings, bench.context))
      expect(refused.message).toContain('"KEITHLEY 2000", which is not a Newport 1830-C')
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })
})
