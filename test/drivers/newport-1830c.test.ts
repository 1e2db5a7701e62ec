import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ParameterValue } from '../../core/reading.ts'
import { isUnit } from '../../core/unit.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { newport1830c } from '../../drivers/newport-1830c/driver.ts'
import { lineProtocol } from '../../drivers/newport-1830c/line.ts'
import * as protocol from '../../drivers/newport-1830c/protocol.ts'
import { type Newport1830cOptions, Newport1830cSimulator, simulation } from '../../drivers/newport-1830c/simulator.ts'
import { METER_UNITS } from '../../drivers/newport-1830c/units.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import { SerialLine } from '../../drivers/transport/serial-line.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { expectBadAfter } from './bad-after.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'
import { memoryLine, tooEarly } from './memory-line.ts'

describe('the protocol', () => {
  test.each([
    ['+.11E-9', 1.1e-10],
    ['+.75E-9', 7.5e-10],
    ['5E-9', 5e-9],
    ['9E-9', 9e-9],
    ['1E-9', 1e-9],
  ])('%s, as it was recorded, is %d W', (reply, watts) => {
    expect(protocol.parsePower(reply, 'W')).toEqual({ value: watts })
  })

  test('what is in another unit is not a power', () => {
    expect(protocol.parsePower('-15.24', 'W')).toEqual({ bad: '-15.24 is not in W' })
    expect(protocol.parsePower('-15.24', 'dBm')).toEqual({ value: -15.24 })
    expect(protocol.parsePower('+.11E-9', 'dBm')).toEqual({ bad: '+.11E-9 is not in dBm' })
    for (const unit of METER_UNITS)
      for (const word of ['OVER', 'UNDER', 'SAT', 'ERR', '', 'toString', '0800']) expect(protocol.parsePower(word, unit)).toHaveProperty('bad')
  })

  test('wavelengths, digits and the status byte', () => {
    expect(protocol.parseWavelength('0800')).toBe(800)
    expect(protocol.parseWavelength('0200')).toBeUndefined()
    expect(protocol.command.wavelength(820)).toBe('W0820')
    expect(protocol.command.filter('fast')).toBe('F3')
    expect(protocol.command.range('auto')).toBe('R0')
    expect([...(protocol.parseStatus('5') ?? [])]).toEqual(['parameterError', 'saturated'])
    expect(protocol.parseStatus('256')).toBeUndefined()
    expect(protocol.STATUS_BITS).toEqual({
      parameterError: 1,
      commandError: 2,
      saturated: 4,
      outOfRange: 8,
      messageAvailable: 16,
      busy: 32,
      serviceRequest: 64,
      newReading: 128,
    })
  })

  test('no text becomes a power that it is not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.E\d]{0,10}$/)), (text) => {
        for (const unit of METER_UNITS) {
          const power = protocol.parsePower(text, unit)
          expect('bad' in power || (Number.isFinite(power.value) && power.value === Number(text) && text.includes('E') === (unit === 'W'))).toBe(true)
        }
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
    await serve({})
  })

  async function serve(options: Partial<Newport1830cOptions>): Promise<void> {
    simulator = new Newport1830cSimulator({ random: () => 0.5, accepted: (command) => accepted.push(command) }, { light: () => light, ...options })
    const linkPath = join(bench.folder, 'power-meter.tty')
    line = new SimulatedTerminal({ instrument: simulator, baudRate: 115_200, linkPath, seconds: () => performance.now() / 1000 })
    await line.plugIn()
    await writeEntry(bench.folder, 'power-meter', { kind: 'serial', path: linkPath })
  }

  const write = (meter: { readonly device: DeviceHandle }, name: string, value: ParameterValue): Promise<ParameterValue> =>
    meter.device.write?.(name, value, never) ?? Promise.reject(new Error('nothing can be set'))
  const invoke = (meter: { readonly device: DeviceHandle }, name: string): Promise<unknown> =>
    meter.device.commands?.invoke(name, {}, never) ?? Promise.resolve()

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
      meter.device.parameters.filter(({ access }) => access !== 'WRITE_ONLY').map(({ name }) => name),
      never,
    )
    expect([...readings.values()].filter((reading) => 'bad' in reading)).toEqual([])
    expect(readings.get('wavelength')).toEqual({ value: 800 })
    expect(readings.get('shown_units')).toEqual({ value: 'W' })
    expect(readings.get('status_saturated')).toEqual({ value: false })
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

  test('after each set it has its time, while it is connected too', async () => {
    const { transport, written } = memoryLine(simulator)
    await using line = new SerialLine(transport, lineProtocol(500))
    const port = { line, address: 'sim://power-meter', lost: line.lost, [Symbol.asyncDispose]: async () => undefined }
    const device = await newport1830c.openDevice(port, settings, bench.context, never)
    await device.write?.('filter', 'slow', never)
    simulator.provoke('parameterError') // before, and not of the next set
    expect(await device.write?.('filter', 'fast', never)).toBe('fast')
    await problemOf(device.write?.('wavelength', 200, never) ?? Promise.resolve())
    await device.write?.('range', '8', never)
    expect(accepted).toEqual(['E0', 'CS', 'U1', 'F1', 'CS', 'F3', 'CS', 'R8'])
    expect(tooEarly(written, 100)).toEqual([])
  })

  test('what the meter does not tell is set all the same, and an echo confuses nobody', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    for (const [name, value] of [
      ['beep', true],
      ['lock_out', true],
      ['echo', true],
    ] as const)
      expect(await write(meter, name, value)).toBe(value)
    expect(await goodValue(meter.device, 'power')).toBeGreaterThan(0.9e-3)
    expect(await goodValue(meter.device, 'wavelength')).toBe(800)
    expect(await write(meter, 'wavelength', 633)).toBe(633)
    await write(meter, 'echo', false)
    await write(meter, 'running', false)
    expect(accepted.slice(3)).toEqual(['B1', 'L1', 'E1', 'W0633', 'E0', 'G0'])
    const held = await goodValue(meter.device, 'power')
    light = 5e-3
    expect(await goodValue(meter.device, 'power')).toBe(held)
  })

  test('its commands: reference, status and units', async () => {
    await using meter = await open(newport1830c, { ...settings, units: 'dB' }, bench.context)
    await invoke(meter, 'store_reference')
    light = 1e-2
    expect(await goodValue(meter.device, 'power')).toBeCloseTo(10, 1)
    simulator.provoke('serviceRequest')
    expect(await goodValue(meter.device, 'status_service_request')).toBe(true)
    await invoke(meter, 'clear_status')
    expect(await goodValue(meter.device, 'status_service_request')).toBe(false)
    simulator.turnUnits('W')
    expect(await readOne(meter.device, 'power')).toEqual({ bad: 'the meter shows W instead of dB; set it at its front panel, or by restore_units' })
    await invoke(meter, 'restore_units')
    expect(await goodValue(meter.device, 'power')).toBeCloseTo(10, 1)
    expect(await problemOf(invoke(meter, 'explode'))).toMatchObject({ code: 'NOT_FOUND' })
  })

  test.each([
    ['W', 'W-dBm-dB-REL', 'U1', 'W'],
    ['dBm', 'W-dBm-dB-REL', 'U2', '{dBm}'],
    ['dBm', 'W-dB-dBm-REL', 'U3', '{dBm}'],
    ['dB', 'W-dB-dBm-REL', 'U2', '{dB}'],
    ['REL', 'W-dBm-dB-REL', 'U4', '1'],
  ] as const)('%s by the table %s is pinned by %s', async (units, unitCodes, sent, ucum) => {
    await line[Symbol.asyncDispose]()
    await serve({ unitCodes })
    await using meter = await open(newport1830c, { ...settings, units, unitCodes }, bench.context)
    expect(accepted).toContain(sent)
    expect(meter.device.parameters.find(({ name }) => name === 'power')?.unit).toBe(ucum)
    expect(isUnit(ucum)).toBe(true)
    expect(await readOne(meter.device, 'power')).toHaveProperty('value')
  })

  test('a meter that is set at its front panel only is not set, and refused while it shows something else', async () => {
    await line[Symbol.asyncDispose]()
    await serve({ unitCodes: 'from-zero' })
    const fromZero = { ...settings, units: 'dBm', unitCodes: 'from-zero' }
    expect((await problemOf(open(newport1830c, fromZero, bench.context))).message).toContain('does not show dBm (U? answers 0, expected 1')
    simulator.turnUnits('dBm')
    await using meter = await open(newport1830c, fromZero, bench.context)
    expect(accepted.filter((command) => command.startsWith('U'))).toEqual([])
    expect(await goodValue(meter.device, 'power')).toBeCloseTo(0, 0)
    expect(await problemOf(invoke(meter, 'restore_units'))).toMatchObject({ code: 'NOT_SUPPORTED', effect: 'NONE' })
  })

  test('the unit is asked for with every reading: the same digits in another unit are bad', async () => {
    await using meter = await open(newport1830c, { ...settings, units: 'dBm' }, bench.context)
    expect(await goodValue(meter.device, 'power')).toBeCloseTo(0, 0)
    simulator.turnUnits('dB') // plain decimals too: nothing in them tells
    expect(await readOne(meter.device, 'power')).toEqual({ bad: 'the meter shows dB instead of dBm; set it at its front panel, or by restore_units' })
    simulator.turnUnits('REL')
    expect(await readOne(meter.device, 'power')).toHaveProperty('bad')
    simulator.turnUnits('dBm')
    expect(await readOne(meter.device, 'power')).toHaveProperty('value')
  })

  test('bad values never reach the wire', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    const before = accepted.length
    for (const [name, value] of [
      ['wavelength', 'red'],
      ['range', '9'],
      ['filter', 1],
      ['beep', 'loud'],
      ['power', 1],
      ['status', 'ok'],
      ['toString', true],
    ] as const)
      expect(await problemOf(write(meter, name, value))).toMatchObject({ code: 'INVALID_VALUE', effect: 'NONE' })
    expect(accepted.length).toBe(before)
    expect(() => newport1830c.locate({ ...settings, units: 'mW' })).toThrow('choose one of W, dBm, dB, REL')
    expect(() => newport1830c.locate({ ...settings, units: 'REL', unitCodes: 'from-zero' })).toThrow('REL has no code')
  })

  test.each(['parameterError', 'commandError'])('%s after a set is a fault without effect', async (code) => {
    await using meter = await open(newport1830c, settings, bench.context)
    line.inject({ kind: 'late', byMs: 0 }, { kind: 'error', code }) // Q? is answered, and then it gets into the error
    expect(await problemOf(write(meter, 'filter', 'slow'))).toMatchObject({ code: 'HARDWARE_FAULT', effect: 'NONE' })
    expect(await write(meter, 'filter', 'medium')).toBe('medium')
  })

  test('another reply in its place is not taken', async () => {
    await using meter = await open(newport1830c, settings, bench.context)
    line.inject({ kind: 'foreign' })
    expect(await readOne(meter.device, 'power')).toHaveProperty('bad')
    expect(await readOne(meter.device, 'power')).toHaveProperty('value')
  })

  test('an unplugged line is lost, and can be opened again', async () => {
    {
      await using meter = await open(newport1830c, settings, bench.context)
      await line.unplug()
      await until(() => meter.port.lost.aborted)
      expect(await problemOf(meter.device.read(['power'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    }
    await line.plugIn()
    await using again = await open(newport1830c, settings, bench.context)
    expect(await readOne(again.device, 'power')).toHaveProperty('value')
  })

  test('is found by what it answers, and nothing else is taken for it', async () => {
    expect(await newport1830c.probe?.('sim://power-meter', bench.context, never)).toEqual([
      { identity: 'Newport 1830-C at 800 nm, showing W', settings: { address: 'sim://power-meter' } },
    ])
    expect(accepted).toEqual([])
    line.inject({ kind: 'garbage' })
    expect(await newport1830c.probe?.('sim://power-meter', bench.context, never)).toEqual([])
    await line[Symbol.asyncDispose]()
    await serve({ unitCodes: 'from-zero' })
    expect((await newport1830c.probe?.('sim://power-meter', bench.context, never))?.[0]?.settings).toEqual({
      address: 'sim://power-meter',
      unitCodes: 'from-zero',
    })
  })

  test.each(Object.keys(simulation.variants ?? {}))('its simulation with the units %s opens', async (variant) => {
    await using running = await simulation.start({ folder: bench.folder, name: 'another', seed: 1, variant })
    await writeEntry(bench.folder, 'another', running.entry)
    await using meter = await open(newport1830c, { address: 'sim://another', ...running.devices[0] }, bench.context)
    expect(await goodValue(meter.device, 'power')).toBeCloseTo(1e-3, 3)
    expect(running.devices[0]?.unitCodes).toBe(variant)
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
    simulator.turnUnits('dBm')
    expect(await readOne(meter.device, 'power')).toEqual({ bad: 'the meter shows dBm instead of W; set it at its front panel, or by restore_units' })
    expect(await goodValue(meter.device, 'shown_units')).toBe('dBm')
    simulator.turnUnits('W')
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
    const late = { kind: 'late', byMs: 520 } as const
    const before = await goodValue(meter.device, 'power')
    line.inject(late)
    expectBadAfter(late, await readOne(meter.device, 'power'), expect.closeTo(Number(before), 4))
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
