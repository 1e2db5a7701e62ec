import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkValue } from '../../../core/parameter.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import type { DeviceHandle, Driver } from '../../../drivers/driver.ts'
import { multimeter, powerSupply, temperatureController } from '../../../drivers/scpi/simulated/simulations.ts'
import type { RunningSimulation, Simulation } from '../../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../../local/lab/book.ts'
import { until } from '../../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from '../bench.ts'
import { builtIn } from './scripted.ts'

let bench: Bench
let running: RunningSimulation
let driver: Driver
let accepted: string[]

async function start(simulation: Simulation): Promise<void> {
  bench = await openBench()
  accepted = []
  driver = builtIn(simulation.driverId)
  running = await simulation.start({ folder: bench.folder, name: 'x', seed: 7, lineFactor: 20, timeFactor: 100, accepted: (command) => accepted.push(command) })
  await writeEntry(bench.folder, 'x', running.entry)
}

afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

const opened = (settings = {}) => open(driver, { address: 'sim://x', ...settings }, bench.context)

/** As the station does it. */
async function set(device: DeviceHandle, name: string, value: ParameterValue, unit?: string): Promise<ParameterValue | undefined> {
  const spec = device.parameters.find((parameter) => parameter.name === name)
  if (spec === undefined) throw new Error(`no ${name}`)
  return await device.write?.(name, checkValue(spec, value, unit), never)
}

describe('the multimeter', () => {
  beforeEach(async () => await start(multimeter))

  test('measures what its function says, and only that', async () => {
    await using meter = await opened()
    expect(meter.device.identity).toBe('Keysight Technologies,34461A,MY53212931,A.02.08-02.37-02.08-00.49-01-01')
    expect(await goodValue(meter.device, 'dc_voltage')).toBeCloseTo(9.9987, 2)
    expect(await readOne(meter.device, 'resistance')).toHaveProperty('bad')
    expect(await set(meter.device, 'function', '2-wire resistance')).toBe('2-wire resistance')
    expect(await goodValue(meter.device, 'resistance')).toBeCloseTo(1000.12, 0)
    expect(await readOne(meter.device, 'dc_voltage')).toEqual({ bad: expect.stringContaining('measures something else') })
  })

  test('10 V in the range of 100 mV is an overload: bad, never 9.9E37', async () => {
    await using meter = await opened()
    await set(meter.device, 'dc_voltage_range', '100 mV')
    expect(await goodValue(meter.device, 'dc_voltage_autorange')).toBe(false)
    expect(await readOne(meter.device, 'dc_voltage')).toEqual({ bad: expect.stringContaining('overload') })
    await set(meter.device, 'dc_voltage_autorange', true)
    expect(await goodValue(meter.device, 'dc_voltage')).toBeCloseTo(9.9987, 2)
  })

  test('takes the time that it integrates', async () => {
    await using meter = await opened()
    await set(meter.device, 'dc_voltage_nplc', '100')
    const startMs = performance.now()
    await goodValue(meter.device, 'dc_voltage')
    expect(performance.now() - startMs).toBeGreaterThan(4000 / 20) // twice 100 cycles of 50 Hz, twenty times as fast
  })

  test('shows a text, tests itself, and tells its errors', async () => {
    await using meter = await opened()
    expect(await set(meter.device, 'display_text', 'say "hi"; *RST')).toBe('say "hi"; *RST')
    expect(await meter.device.commands?.invoke('self_test', {}, never)).toBe(0)
    running.inject({ kind: 'error', code: '-330' })
    expect(await problemOf(set(meter.device, 'display_text', ''))).toMatchObject({
      facts: { instrumentCode: '-330' },
      message: expect.stringContaining('Self-test failed'),
    })
  })
})

describe('the power supply', () => {
  beforeEach(async () => await start(powerSupply))

  test('each output is a device with limits of its own, on one connection', async () => {
    await using one = await opened({ output: '1' })
    const two = await driver.openDevice(one.port, { address: 'sim://x', output: '2' }, bench.context, never)
    const limits = (device: DeviceHandle) => device.parameters.find(({ name }) => name === 'voltage')?.maximum
    expect([limits(one.device), limits(two)]).toEqual([6.18, 25.75])
    expect(await set(two, 'voltage', 20)).toBe(20)
    expect(await goodValue(one.device, 'voltage')).toBe(0)
    await expect(set(one.device, 'voltage', 7)).rejects.toMatchObject({ code: 'LIMIT_VIOLATION' })
    await expect(set(one.device, 'voltage', 1, 'A')).rejects.toMatchObject({ code: 'INCOMPATIBLE_UNIT' })
    expect(accepted).toEqual(['VOLT 20.0000,(@2)'])
  })

  test('5 V on 10 Ohm are half an ampere, or what the current limit lets through', async () => {
    await using one = await opened({ output: '1' })
    const { device } = one
    await set(device, 'current', 1)
    await set(device, 'voltage', 5000, 'mV')
    await set(device, 'output_on', true)
    await until(async () => Math.abs(Number(await goodValue(device, 'voltage_measured')) - 5) < 0.01)
    expect(await goodValue(device, 'current_measured')).toBeCloseTo(0.5, 2)
    await set(device, 'current', 0.1)
    await until(async () => Math.abs(Number(await goodValue(device, 'voltage_measured')) - 1) < 0.01)
  })

  test('the over-voltage protection trips, is told, and has to be cleared', async () => {
    await using one = await opened({ output: '1' })
    const { device } = one
    await set(device, 'current', 1)
    await set(device, 'over_voltage_protection', 3)
    await set(device, 'output_on', true)
    await set(device, 'voltage', 5)
    expect(await goodValue(device, 'over_voltage_tripped')).toBe(true)
    expect(await goodValue(device, 'output_on')).toBe(false)
    expect(await problemOf(set(device, 'output_on', true))).toMatchObject({ facts: { instrumentCode: '333' } })
    await set(device, 'voltage', 2)
    await device.commands?.invoke('clear_protection', {}, never)
    expect(await set(device, 'output_on', true)).toBe(true)
  })

  test('an emergency stop switches the output off, and so does making it safe', async () => {
    await using one = await opened({ output: '1' })
    const { device } = one
    await set(device, 'output_on', true)
    const stop = await device.emergencyStop?.(never)
    expect(await stop?.confirmed).toBe(true)
    expect(await goodValue(device, 'output_on')).toBe(false)
    await set(device, 'output_on', true)
    await device.makeSafe?.(never)
    expect(await goodValue(device, 'output_on')).toBe(false)
  })
})

describe('the temperature controller, on seven data bits and odd parity', () => {
  beforeEach(async () => await start(temperatureController))

  test('heats to its setpoint, at the rate of its ramp, and knows when it is there', async () => {
    await using controller = await opened()
    const { device } = controller
    expect(device.identity).toBe('LSCI,MODEL336,LSA2CMQ/LSA2C8R,2.9')
    const before = Number(await goodValue(device, 'temperature_a'))
    await set(device, 'ramp_rate_1', 60)
    expect(await set(device, 'ramp_1', true)).toBe(true)
    expect(await set(device, 'heater_range_1', 'high')).toBe('high')
    expect(await set(device, 'setpoint_1', -193.15, 'Cel')).toBe(80)
    await until(async () => Number(await goodValue(device, 'temperature_a')) > before + 1)
    await until(async () => !(await device.underWay?.(never)))
    await until(async () => Math.abs(Number(await goodValue(device, 'temperature_a')) - 80) < 0.2)
    expect(accepted).toContain('RAMP 1,0,60.0')
    expect(accepted).toContain('RAMP 1,1,60.0')
  })

  test('a term of the control loop is set without touching its neighbours', async () => {
    await using controller = await opened()
    await set(controller.device, 'i_1', 35)
    expect(accepted).toEqual(['PID 1,50.0,35.0,0.0'])
    await expect(set(controller.device, 'p_1', 2000)).rejects.toMatchObject({ code: 'LIMIT_VIOLATION' })
  })

  test('an input without a sensor is bad with its status', async () => {
    await using controller = await opened()
    expect(await readOne(controller.device, 'temperature_d')).toEqual({ bad: 'the input has no valid reading (RDGST? D is answered by 128)' })
  })

  test('what it refuses is told by its event register', async () => {
    await using controller = await opened()
    running.inject({ kind: 'error', code: '16' })
    expect(await problemOf(set(controller.device, 'setpoint_1', 90))).toMatchObject({
      facts: { instrumentCode: '16' },
      message: expect.stringContaining('execution error'),
    })
  })

  test('an emergency stop switches both heaters off', async () => {
    await using controller = await opened()
    const { device } = controller
    await set(device, 'heater_range_1', 'low')
    const stop = await device.emergencyStop?.(never)
    expect(await stop?.confirmed).toBe(true)
    expect(await goodValue(device, 'heater_range_1')).toBe('off')
  })
})
