import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkArguments } from '../../core/command-spec.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { niComedi } from '../../drivers/ni-comedi/driver.ts'
import { FASTEST_WAVE_HZ, listTiming, SHAPES, SLOWEST_WAVE_HZ, shapeAt, waveTiming } from '../../drivers/ni-comedi/shapes.ts'
import { simulation } from '../../drivers/ni-comedi/simulator.ts'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

describe('shapes', () => {
  test.each([
    ['sine', [0, 1, 0, -1]],
    ['triangle', [0, 1, 0, -1]],
    ['square', [1, 1, -1, -1]],
    ['ramp', [-1, -0.5, 0, 0.5]],
  ] as const)('%s', (shape, quarters) => {
    for (const [at, value] of quarters.entries()) expect(shapeAt(shape, at / 4)).toBeCloseTo(value, 12)
  })

  test('stay between their ends', () => {
    fc.assert(fc.property(fc.constantFrom(...SHAPES), fc.double({ min: 0, max: 1, noNaN: true }), (shape, phase) => Math.abs(shapeAt(shape, phase)) <= 1))
  })

  test('are fitted to the board’s clock: a tenth of a percent off at most, and never faster than the outputs', () => {
    fc.assert(
      fc.property(fc.double({ min: SLOWEST_WAVE_HZ, max: FASTEST_WAVE_HZ, noNaN: true }), (frequencyHz) => {
        const { samples, intervalNs } = waveTiming(frequencyHz, undefined)
        expect(intervalNs % 50).toBe(0)
        expect(intervalNs).toBeGreaterThanOrEqual(10_000)
        expect(samples).toBeGreaterThanOrEqual(10)
        expect(Math.abs(1e9 / (samples * intervalNs) / frequencyHz - 1)).toBeLessThan(0.0026) // half a tick of the shortest interval
      }),
    )
    expect(waveTiming(100, undefined)).toEqual({ samples: 1000, intervalNs: 10_000 })
    expect(waveTiming(1, 600).samples * 600).toBeLessThanOrEqual(0xff_ffff)
    expect(() => waveTiming(10_000, 2_000_000)).toThrow(/periods: the board counts 1677721 at most/)
    expect(listTiming(4, 1000, 3)).toEqual({ samples: 4, intervalNs: 250_000 })
    expect(() => listTiming(1000, 101, undefined)).toThrow(/frequency: a period of 1000 values/)
  })
})

describe('waveforms of the simulated board', () => {
  const settings = { address: 'sim://daq' }
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
  const command = async (device: DeviceHandle, name: string, given: Readonly<Record<string, ParameterValue>> = {}) => {
    const spec = device.commands?.specs.find((each) => each.name === name)
    if (spec === undefined) throw new Error(`the board has no command ${name}`)
    return await device.commands?.invoke(name, checkArguments(spec, given), never)
  }
  const refused = (device: DeviceHandle, given: Readonly<Record<string, ParameterValue>>) =>
    problemOf(command(device, 'play_waveform', { frequency: 100, ...given }))
  /** V of the loop from DAC0 to ACH0, without its offset. */
  const loop = async (device: DeviceHandle, given: Readonly<Record<string, ParameterValue>>): Promise<readonly number[]> => {
    const taken = await command(device, 'acquire', given)
    if (!Array.isArray(taken)) throw new Error('no samples')
    return taken.map((volts: number) => volts + 0.0496)
  }

  test('a sine plays until it is stopped, and then its output is at rest', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const { device } = board
    await set(device, 'dac1', 2)
    expect(await command(device, 'play_waveform', { frequency: 100, amplitude: 3, offset: 1, rest: 0.5 })).toBe(100)
    expect(await device.underWay?.(never)).toBe(false) // it would never be done: the command is
    expect(await goodValue(device, 'dac0_playing')).toBe(true)
    expect(await goodValue(device, 'dac1_playing')).toBe(false)
    const volts = await loop(device, { rate: 100_000, samples: 1000 }) // one period
    expect(Math.max(...volts)).toBeCloseTo(4, 1)
    expect(Math.min(...volts)).toBeCloseTo(-2, 1)
    expect(volts.reduce((sum, each) => sum + each, 0) / volts.length).toBeCloseTo(1, 2)
    const steepest = Math.max(...volts.slice(1).map((each, at) => Math.abs(each - (volts[at] ?? 0))))
    expect(steepest).toBeLessThan(3 * 2 * Math.PI * 0.001 + 0.005) // no seam, no sample left out; and noise
    await command(device, 'stop_waveform')
    expect(await goodValue(device, 'dac0_playing')).toBe(false)
    expect(await goodValue(device, 'dac0')).toBeCloseTo(0.5, 3)
    expect(await goodValue(device, 'ach0')).toBeCloseTo(0.45, 2)
    expect(await goodValue(device, 'dac1')).toBeCloseTo(2, 3)
  })

  test('a number of periods is under way until the last has been played', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const { device } = board
    expect(await command(device, 'play_waveform', { shape: 'values', values: [1, 2, 3, 4], frequency: 20, periods: 20, rest: -1 })).toBe(20)
    expect(await device.underWay?.(never)).toBe(true)
    const volts = (await loop(device, { rate: 1000, samples: 120 })).map(Math.round)
    await until(async () => (await device.underWay?.(never)) === false)
    expect(await goodValue(device, 'dac0')).toBeCloseTo(-1, 3)
    const steps = volts.filter((each, at) => each !== volts[at - 1])
    expect(steps.length).toBeGreaterThan(4)
    for (const [at, each] of steps.slice(1).entries()) expect(each).toBe(((steps[at] ?? 0) % 4) + 1) // in order, from wherever it was met
  })

  test('while one plays its output has no value, the others keep theirs, and none can be set', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const { device } = board
    await set(device, 'dac1', 2)
    await command(device, 'play_waveform', { frequency: 10 })
    expect(await readOne(device, 'dac0')).toEqual({ bad: 'dac0 plays a waveform' })
    expect(await goodValue(device, 'dac1')).toBeCloseTo(2, 3)
    for (const output of ['dac0', 'dac1'])
      expect(await problemOf(Promise.resolve(set(device, output, 1)))).toMatchObject({ code: 'DEVICE_BUSY', message: 'dac0 plays a waveform: stop it first' })
    expect(await refused(device, { output: 1 })).toMatchObject({ code: 'DEVICE_BUSY' })
    await command(device, 'stop_waveform')
    await command(device, 'stop_waveform') // of none: nothing
    expect(await set(device, 'dac0', 1)).toBeCloseTo(1, 3)
  })

  test.each<[Readonly<Record<string, ParameterValue>>, string, RegExp]>([
    [{ amplitude: 6, offset: 5 }, 'LIMIT_VIOLATION', /11/],
    [{ frequency: 20_000 }, 'LIMIT_VIOLATION', /frequency/],
    [{ rest: 11 }, 'LIMIT_VIOLATION', /rest/],
    [{ output: 2 }, 'LIMIT_VIOLATION', /output/],
    [{ shape: 'values' }, 'INVALID_VALUE', /values: give them/],
    [{ values: [1, 2] }, 'INVALID_VALUE', /values: give them/],
    [{ shape: 'values', values: [1] }, 'INVALID_VALUE', /at least two/],
    [{ shape: 'values', values: [1, 12] }, 'LIMIT_VIOLATION', /values/],
    [{ periods: 60_001 }, 'INVALID_VALUE', /periods: 600 s/],
    [{ periods: 0 }, 'LIMIT_VIOLATION', /periods/],
  ])('%j is refused before the board hears of it', async (given, code, message) => {
    await using board = await open(niComedi, settings, bench.context)
    expect(await refused(board.device, given)).toMatchObject({ code, effect: 'NONE', message: expect.stringMatching(message) })
    expect(await goodValue(board.device, 'dac0_playing')).toBe(false)
  })

  test('an underrun is told: by what follows the command, and by the output, until it is set', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const { device } = board
    await writeFile(`${simulated.entry.kind === 'library' ? simulated.entry.path : ''}.bench`, 'pace 20\nbuffer 200\n')
    await command(device, 'play_waveform', { frequency: 100, periods: 1000 })
    await until(async () => (await goodValue(device, 'dac0_playing')) === false)
    await expect(device.underWay?.(never)).rejects.toThrow(expect.objectContaining({ code: 'HARDWARE_FAULT', message: expect.stringContaining('underrun') }))
    expect(await device.underWay?.(never)).toBe(false) // once
    expect(await readOne(device, 'dac0')).toEqual({ bad: expect.stringContaining('underrun') })
    expect(await set(device, 'dac0', 1)).toBeCloseTo(1, 3)
    expect(await goodValue(device, 'dac0')).toBeCloseTo(1, 3)
  })

  test.each(['makeSafe', 'emergencyStop'] as const)(
    '%s ends the waveform and the pulses, and brings every output to 0 V; a counter that counts goes on',
    async (how) => {
      await using board = await open(niComedi, settings, bench.context)
      const { device } = board
      await set(device, 'dac1', 4)
      await command(device, 'start_pulses', { counter: 0, frequency: 1000 })
      await command(device, 'start_counter', { counter: 1 })
      await command(device, 'play_waveform', { frequency: 100, amplitude: 1, offset: 5, rest: 5 })
      const stopped = how === 'makeSafe' ? await device.makeSafe?.(never) : await device.emergencyStop?.(never)
      if (how === 'emergencyStop') expect(await stopped?.confirmed).toBe(true)
      for (const name of ['dac0_playing', 'counter0_running']) expect(await goodValue(device, name), name).toBe(false)
      for (const name of ['dac0', 'dac1']) expect(await goodValue(device, name), name).toBeCloseTo(0, 3)
      expect(await goodValue(device, 'ach0')).toBeCloseTo(-0.05, 2)
      expect(await goodValue(device, 'counter1_running')).toBe(true)
    },
  )

  test('pulses of a station that is gone are stopped too: nobody knows what made the counter run', async () => {
    {
      await using board = await open(niComedi, settings, bench.context)
      await command(board.device, 'start_pulses', { frequency: 1000 })
    }
    await using board = await open(niComedi, settings, bench.context)
    expect(await goodValue(board.device, 'counter0_running')).toBe(true)
    await board.device.makeSafe?.(never)
    expect(await goodValue(board.device, 'counter0_running')).toBe(false)
  })

  test('a stop that comes while one begins ends it', async () => {
    await using board = await open(niComedi, settings, bench.context)
    const { device } = board
    const begun = command(device, 'play_waveform', { frequency: 100, offset: 3 })
    await device.makeSafe?.(never)
    await begun
    expect(await goodValue(device, 'dac0_playing')).toBe(false)
    expect(await goodValue(device, 'dac0')).toBeCloseTo(0, 3)
  })

  test('a device that is closed leaves its output at rest', async () => {
    {
      await using board = await open(niComedi, settings, bench.context)
      await command(board.device, 'play_waveform', { frequency: 100, offset: 3, rest: 1.5 })
    }
    await using board = await open(niComedi, settings, bench.context)
    expect(await goodValue(board.device, 'dac0')).toBeCloseTo(1.5, 3)
  })
})
