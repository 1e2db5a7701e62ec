import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { builtInDriver } from '../../../drivers/catalog/built-in.ts'
import { capabilitiesOf, type DriverPort } from '../../../drivers/driver.ts'
import { newport1830c } from '../../../drivers/newport-1830c/driver.ts'
import { newportEsp300 } from '../../../drivers/newport-esp300/driver.ts'
import { CommandLog } from '../../../local/lab/command-log.ts'
import { type LabConfig, readLabConfig } from '../../../local/lab/config.ts'
import { SIMULATED_DEVICES } from '../../../local/lab/devices.ts'
import { startLab } from '../../../local/lab/lab.ts'
import { BEAM } from '../../../local/lab/world.ts'
import { type Bench, goodValue, never, open, openBench } from '../../drivers/bench.ts'
import { until } from '../../until.ts'

/** Before the first search for home, the first set, the first move, a dome's first calibration, and a camera's first frame. */
const NOT_KNOWN_YET = /\.(homed|obeys|target|last_calibration_at|calibration_duration|point_in_bounds|frame_\w+)$/
/** What the multimeter is not switched to, and an open input. */
const NOT_MEASURED = /^multimeter\.(ac_voltage|dc_current|ac_current|resistance|frequency|capacitance)$|^cryostat\.temperature_d$/

let bench: Bench
let config: LabConfig

beforeEach(async () => {
  bench = await openBench()
  config = { folder: bench.folder, sawPort: undefined, seed: 1, operator: false }
})

afterEach(async () => {
  await bench[Symbol.asyncDispose]()
})

test('every device of a new installation opens and answers', async () => {
  await using lab = await startLab(config)
  const addresses = SIMULATED_DEVICES.flatMap(({ settings }) => Object.values(settings).filter((value) => String(value).startsWith('sim://')))
  expect(Object.keys(lab.book).map((name) => `sim://${name}`)).toEqual([...new Set(addresses)])
  const ports = new Map<string, DriverPort>()
  for (const { name, driverId, settings } of SIMULATED_DEVICES) {
    const driver = builtInDriver(driverId) ?? expect.fail(driverId)
    const { address } = driver.locate(settings)
    const port = ports.get(address) ?? (await driver.openPort(settings, bench.context, never))
    ports.set(address, port)
    await using device = await driver.openDevice(port, settings, bench.context, never)
    expect(driver.capabilities).toEqual(expect.arrayContaining([...capabilitiesOf(device)]))
    const readings = await device.read(
      device.parameters.filter(({ access }) => access !== 'WRITE_ONLY').map(({ name: parameter }) => parameter),
      never,
    )
    const bad = [...readings].filter(([, reading]) => 'bad' in reading).map(([parameter]) => `${name}.${parameter}`)
    expect(bad.filter((parameter) => !NOT_KNOWN_YET.test(parameter) && !NOT_MEASURED.test(parameter))).toEqual([])
  }
  for (const port of ports.values()) await port[Symbol.asyncDispose]()
})

test('the meter sees the stage', async () => {
  await using lab = await startLab(config)
  await using stage = await open(newportEsp300, SIMULATED_DEVICES[0]?.settings ?? {}, bench.context)
  await using meter = await open(newport1830c, { address: 'sim://power-meter' }, bench.context)
  expect(await goodValue(meter.device, 'power')).toBeLessThan(BEAM.peakWatts / 100)
  await stage.device.write?.('velocity', 50, never)
  await stage.device.write?.('acceleration', 400, never)
  await stage.device.motion?.moveTo(BEAM.centreMm, never)
  await until(async () => !(await stage.device.motion?.isMoving(never)))
  const power = Number(await goodValue(meter.device, 'power'))
  expect(Math.abs(power / BEAM.peakWatts - 1)).toBeLessThan(0.06) // noise of 1 %
  expect(lab.esp300.instrument.position(1, performance.now() / 1000)).toBe(BEAM.centreMm)
  const log = await readFile(join(bench.folder, 'esp300.log'), 'utf8')
  expect(log.split('\n').filter((line) => line.endsWith('1PA12.500000'))).toHaveLength(1)
})

test('the saw keeps its port over a restart, and a taken one is said in a sentence', async () => {
  let port: number
  {
    await using lab = await startLab(config)
    port = lab.saw.port.port
  }
  {
    await using lab = await startLab(config)
    expect(lab.saw.port.port).toBe(port)
  }
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  try {
    await expect(startLab(config)).rejects.toThrow(`the simulated saw cannot listen on 127.0.0.1:${port}`)
    expect((await readdir(bench.folder)).filter((name) => name.endsWith('.tty'))).toEqual([])
  } finally {
    other.close()
  }
})

test('the log of commands is bounded', async () => {
  const path = join(bench.folder, 'many.log')
  const log = new CommandLog(path)
  for (let count = 0; count < 12_000; count += 1) log.append(`1PA${count}`.padEnd(180))
  expect((await stat(path)).size).toBeLessThanOrEqual(1024 * 1024)
  expect((await readFile(path, 'utf8')).trimEnd()).toMatch(/1PA11999$/)
  expect((await readdir(bench.folder)).filter((name) => name.startsWith('many.log'))).toEqual(['many.log', 'many.log.1'])
})

test('the environment is checked', () => {
  expect(readLabConfig({ LAB_DIR: bench.folder, LAB_SAW_PORT: '1502' })).toMatchObject({ folder: bench.folder, sawPort: 1502, seed: 1 })
  expect(() => readLabConfig({})).toThrow('LAB_DIR is not set')
  expect(() => readLabConfig({ LAB_DIR: bench.folder, LAB_SAW_PORT: '0' })).toThrow('LAB_SAW_PORT is "0"')
})

test('the process says ready, serves, leaves Ctrl-C to its supervisor, and ends when the supervisor is gone', async () => {
  const child = fork('dist/local/lab/main.js', { env: { ...process.env, LAB_DIR: bench.folder }, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    expect((await once(child, 'message'))[0]).toMatchObject({ type: 'ready' })
    await using stage = await open(newportEsp300, SIMULATED_DEVICES[0]?.settings ?? {}, bench.context)
    child.kill('SIGINT')
    expect(await goodValue(stage.device, 'position')).toBeCloseTo(0, 2)
    child.disconnect()
    expect(await ended(child)).toBe(0)
    await until(() => stage.port.lost.aborted)
  } finally {
    child.kill('SIGKILL')
  }
})

async function ended(child: ChildProcess): Promise<number | null> {
  return child.exitCode ?? ((await once(child, 'exit'))[0] as number | null)
}
