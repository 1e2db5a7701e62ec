import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkArguments } from '../../core/command-spec.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { niComedi } from '../../drivers/ni-comedi/driver.ts'
import { lineNumbers, rangeName, rawOf, voltsOf } from '../../drivers/ni-comedi/protocol.ts'
import { simulation } from '../../drivers/ni-comedi/simulator.ts'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { comediSimulatorPath } from '../../native/devices.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const TEN = { minimum: -10, maximum: 10, unit: 'V' } as const
const MAXDATA = 65_535

describe('volts and counts', () => {
  test.each([
    [0, -10],
    [32_768, 0.000_15],
    [65_535, 10],
  ])('%i is %d V on ±10 V', (raw, volts) => {
    expect(voltsOf(raw, TEN, MAXDATA)).toBeCloseTo(volts, 5)
    expect(rawOf(volts, TEN, MAXDATA)).toBe(raw)
  })

  test('every count comes back as itself, in every range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAXDATA }), fc.constantFrom(10, 5, 2, 1, 0.5, 0.2, 0.1), fc.boolean(), (raw, maximum, both) => {
        const range = { minimum: both ? -maximum : 0, maximum, unit: 'V' } as const
        expect(rawOf(voltsOf(raw, range, MAXDATA), range, MAXDATA)).toBe(raw)
      }),
    )
  })

  test('ranges have names, and lines are numbers with commas between', () => {
    expect(rangeName({ minimum: -0.5, maximum: 0.5, unit: 'V' })).toBe('-0.5..0.5 V')
    expect(rangeName({ minimum: -1, maximum: 1, unit: undefined })).toBe('-1..1 external')
    expect(lineNumbers('0, 3,7', 'outputLines')).toEqual([0, 3, 7])
    expect(lineNumbers('', 'outputLines')).toEqual([])
    expect(() => lineNumbers('0, x', 'outputLines')).toThrow('"x" is no line')
  })
})

describe('settings', () => {
  const address = 'comedi:///dev/comedi0'
  test('name a board', () => {
    expect(niComedi.locate({ address })).toEqual({ address })
    expect(niComedi.locate({ address: 'sim://daq', outputLines: '1' })).toEqual({ address: 'sim://daq' })
  })

  test.each([
    { address: 'serial:///dev/ttyS0' },
    { address: 'comedi://comedi0' },
    { address, inputReference: 'OTHER' },
    { address, outputRange: '-5..5 V' },
    { address, outputLines: 'all' },
    { address, misspelt: 1 },
  ])('%j is refused', (settings) => {
    expect(() => niComedi.locate(settings)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
  })
})

describe('the driver with the simulated library', () => {
  const settings = { address: 'sim://daq', outputLines: '1, 2' }
  let bench: Bench
  let simulated: RunningSimulation
  beforeEach(async () => {
    bench = await openBench()
    simulated = await simulation.start({ folder: bench.folder, name: 'daq', seed: 1 })
    await writeEntry(bench.folder, 'daq', simulated.entry)
  })
  afterEach(async () => {
    await simulated[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })
  const set = async (device: DeviceHandle, name: string, value: ParameterValue) => await device.write?.(name, value, never)

  test('says what it is and reads every parameter', async () => {
    await using board = await open(niComedi, settings, bench.context)
    expect(board.device.identity).toBe('pci-mio-16xe-10, ni_pcimio, Comedi 0.11.0')
    const names = board.device.parameters.map(({ name }) => name)
    expect(names).toHaveLength(2 * 2 + 16 * 3 + 1 + 8 + 2 * 2)
    const readings = await board.device.read(names, never)
    expect([...readings].filter(([, reading]) => 'bad' in reading)).toEqual([])
    expect(readings.get('ach0')).toMatchObject({ value: expect.closeTo(-0.0496, 2) })
    expect(readings.get('ach1')).toMatchObject({ value: expect.closeTo(4.7814, 2) })
    expect(readings.get('dio0')).toEqual({ value: true })
    expect(readings.get('dio1')).toEqual({ value: false })
  })

  test('an output comes back on the input that it is wired to, and its limits are its range’s', async () => {
    {
      await using board = await open(niComedi, settings, bench.context)
      expect(board.device.parameters.find(({ name }) => name === 'dac0')).toMatchObject({ minimum: -10, maximum: 10, unit: 'V' })
      expect(await set(board.device, 'dac0', -3.3)).toBeCloseTo(-3.3, 3)
      expect(await goodValue(board.device, 'ach0')).toBeCloseTo(-3.35, 2)
    }
    await using board = await open(niComedi, { ...settings, outputRange: '0..10 V' }, bench.context)
    expect(board.device.parameters.find(({ name }) => name === 'dac1')).toMatchObject({ minimum: 0, maximum: 10 })
    expect(await set(board.device, 'dac0', 2.5)).toBeCloseTo(2.5, 3)
    expect(await goodValue(board.device, 'ach0')).toBeCloseTo(2.45, 2)
  })

  test('a sweep of the modulator finds the least and the most light where they are', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const light: number[] = []
    for (let step = 0; step <= 55; step += 1) {
      await set(board.device, 'dac1', step / 10)
      light.push(Number(await goodValue(board.device, 'ach2')))
    }
    expect(light.indexOf(Math.min(...light)) / 10).toBeCloseTo(0.7, 0)
    expect(light.indexOf(Math.max(...light)) / 10).toBeCloseTo(4.8, 0)
    expect([Math.min(...light), Math.max(...light)]).toEqual([expect.closeTo(2.25 / 2, 2), expect.closeTo(15.9 / 2, 2)])
  })

  test('a value at the end of its range is doubtful, and a wider range tells it', async () => {
    await using board = await open(niComedi, { ...settings, inputRange: '0..0.1 V' }, bench.context)
    expect(await readOne(board.device, 'ach1')).toEqual({ value: 0.1, quality: 'UNCERTAIN' })
    expect(await set(board.device, 'ach1_range', '0..5 V')).toBe('0..5 V')
    expect(await readOne(board.device, 'ach1')).toEqual({ value: expect.closeTo(4.78, 2) })
    expect(await goodValue(board.device, 'ach0_range')).toBe('0..0.1 V')
  })

  test('an input is measured against the reference that is set; only the first half can be differential', async () => {
    await using board = await open(niComedi, { ...settings, inputReference: 'DIFFERENTIAL' }, bench.context)
    expect(await goodValue(board.device, 'ach7_reference')).toBe('DIFFERENTIAL')
    expect(await goodValue(board.device, 'ach8_reference')).toBe('GROUND')
    expect(board.device.parameters.find(({ name }) => name === 'ach8_reference')?.choices).not.toContain('DIFFERENTIAL')
    await set(board.device, 'ach1_reference', 'OTHER') // the board's own ground
    expect(await goodValue(board.device, 'ach1')).toBeCloseTo(0, 2)
  })

  test('the lines that the settings name are outputs, the others are not set', async () => {
    await using board = await open(niComedi, settings, bench.context)
    expect(board.device.parameters.filter(({ name, access }) => name.startsWith('dio') && access === 'READ_WRITE').map(({ name }) => name)).toEqual([
      'dio1',
      'dio2',
    ])
    expect(await set(board.device, 'dio2', true)).toBe(true)
    expect(await goodValue(board.device, 'dio2')).toBe(true)
    expect(await problemOf(Promise.resolve(set(board.device, 'dio3', false)))).toMatchObject({ code: 'HARDWARE_FAULT' }) // it stays high: told, not believed
    expect(await problemOf(open(niComedi, { ...settings, outputLines: '8' }, bench.context))).toMatchObject({ code: 'INVALID_VALUE' })
  })

  test('a counter is loaded, counts, and is reset', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const command = async (name: string) => await board.device.commands?.invoke(name, { counter: 1 }, never)
    expect(await set(board.device, 'counter1', 12_345)).toBe(12_345)
    await command('start_counter')
    await until(async () => Number(await goodValue(board.device, 'counter1')) > 0)
    expect(await goodValue(board.device, 'counter1_running')).toBe(true)
    await command('stop_counter')
    expect(await goodValue(board.device, 'counter1_running')).toBe(false)
    expect(Number(await goodValue(board.device, 'counter1'))).toBeGreaterThan(0)
    await command('reset_counter')
    expect(await goodValue(board.device, 'counter1')).toBe(0)
  })

  const command = async (device: DeviceHandle, name: string, given: Readonly<Record<string, ParameterValue>>) => {
    const spec = device.commands?.specs.find((each) => each.name === name)
    if (spec === undefined) throw new Error(`the board has no command ${name}`)
    return await device.commands?.invoke(name, checkArguments(spec, given), never)
  }

  test('a counter counts the edges of a line, while its gate is high', async () => {
    await using board = await open(niComedi, { ...settings, outputLines: '0, 1' }, bench.context)
    await command(board.device, 'start_counter', { counter: 0, source: 'PFI0 falling', gate: 'PFI9' }) // DIO0 leads to PFI0, DIO1 to PFI9
    for (const open of [true, false, true]) {
      await set(board.device, 'dio1', open)
      for (let edge = 0; edge < 4; edge += 1) {
        await set(board.device, 'dio0', true)
        await set(board.device, 'dio0', false)
      }
    }
    expect(await goodValue(board.device, 'counter0')).toBe(8)
    await expect(command(board.device, 'start_counter', { source: 'PFI10' })).rejects.toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
  })

  test('pulses and the frequency output come as near as the board can, and say so', async () => {
    await using board = await open(niComedi, settings, bench.context)
    expect(await command(board.device, 'start_pulses', { frequency: 30_000, duty: 0.25 })).toBeCloseTo(20e6 / 667, 6)
    expect(await goodValue(board.device, 'counter0_running')).toBe(true)
    expect(await command(board.device, 'set_frequency_output', { frequency: 1.1e6 })).toBeCloseTo(10e6 / 9, 6)
    expect(await command(board.device, 'set_frequency_output', { frequency: 30_000 })).toBeCloseTo(100e3 / 3, 6)
    await command(board.device, 'start_counter', { counter: 1, source: 'PFI8' }) // the frequency output leads to it
    await until(async () => Number(await goodValue(board.device, 'counter1')) > 100)
    await expect(command(board.device, 'start_pulses', { frequency: 6e6 })).rejects.toThrow(expect.objectContaining({ code: 'LIMIT_VIOLATION' }))
  })

  test('samples at an even rate come in volts, as many as were asked for, and the inputs are free afterwards', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const { commands } = board.device
    const spec = commands?.specs.find(({ name }) => name === 'acquire')
    if (spec === undefined) throw new Error('the board acquires nothing')
    const taken = await commands?.invoke('acquire', checkArguments(spec, { channel: 1, rate: 50_000, samples: 500 }), never)
    expect(taken).toHaveLength(500)
    for (const volts of Array.isArray(taken) ? taken : []) expect(volts).toBeCloseTo(4.78, 1)
    expect(new Set(Array.isArray(taken) ? taken : []).size).toBeGreaterThan(1) // noise: they are measured
    expect(await goodValue(board.device, 'ach1')).toBeCloseTo(4.78, 2)
    expect(() => checkArguments(spec, { rate: 200_000 })).toThrow(expect.objectContaining({ code: 'LIMIT_VIOLATION' }))
  })

  test('an acquisition that is given up leaves the inputs free', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const caller = new AbortController()
    const taking = board.device.commands?.invoke('acquire', { channel: 0, rate: 2, samples: 1000 }, caller.signal)
    await until(async () => 'bad' in ((await readOne(board.device, 'ach0')) ?? {})) // busy: it is under way
    caller.abort()
    await expect(taking).rejects.toThrow()
    expect(await goodValue(board.device, 'ach0')).toBeCloseTo(-0.05, 2)
  })

  test('a read-back that fails after a set says that it may have acted', async () => {
    await using board = await open(niComedi, settings, bench.context)
    simulated.inject({ kind: 'late', byMs: 0 }, { kind: 'error', code: '5' })
    expect(await problemOf(Promise.resolve(set(board.device, 'dac0', 1)))).toMatchObject({ effect: 'POSSIBLE', facts: { instrumentCode: '5' } })
    expect(await goodValue(board.device, 'dac0')).toBeCloseTo(1, 3)
  })

  test('a real board is opened through the library that the settings name', async () => {
    const place = { ...settings, address: 'comedi:///dev/comedi0', library: comediSimulatorPath() }
    await using board = await open(niComedi, place, bench.context)
    expect(board.device.identity).toContain('pci-mio-16xe-10')
    expect(await problemOf(open(niComedi, { ...place, address: 'comedi:///dev/comedi7' }, bench.context))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    const other = `${bench.folder}/no-library.so`
    await writeFile(other, 'text')
    expect(await problemOf(open(niComedi, { ...place, library: other }, bench.context))).toMatchObject({ code: 'DEVICE_OFFLINE' })
  })
})
