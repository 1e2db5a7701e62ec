import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { builtInModbusDriver } from '../../../../drivers/modbus/built-in.ts'
import { ProfileSimulator } from '../../../../drivers/modbus/profile-simulator.ts'
import { readProfile } from '../../../../drivers/modbus/read-profile.ts'
import { serveRtu } from '../../../../drivers/simulation/simulated-rtu.ts'
import type { RunningSimulation } from '../../../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../../../local/lab/book.ts'
import { PortPool } from '../../../../workers/station/host/port-pool.ts'
import { type Bench, goodValue, never, openBench } from '../../../drivers/bench.ts'

const PROFILES = join(import.meta.dirname, '../../../../drivers/modbus/profiles')
const IDS = ['omron-e5cc', 'eastron-sdm230'] as const

let bench: Bench
let line: RunningSimulation

beforeEach(async () => {
  bench = await openBench()
  const units = await Promise.all(
    IDS.map(async (id, index) => {
      const profile = readProfile(await readFile(join(PROFILES, `${id}.yaml`), 'utf8'), id).profile({})
      return [index + 1, new ProfileSimulator(profile, { random: () => 0.5, accepted: () => undefined })] as const
    }),
  )
  line = await serveRtu(
    { units: new Map(units), baudRate: 9600, bitsPerCharacter: 11, answerMs: 1, devices: [{}] },
    { folder: bench.folder, name: 'line', seed: 1, lineFactor: 20 },
  )
  await writeEntry(bench.folder, 'line', line.entry)
})

afterEach(async () => {
  await line[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

test('devices of two profiles share one line, opened once', async () => {
  const pool = new PortPool()
  const [oven, meter] = IDS.map((id, index) => ({
    driver: builtInModbusDriver(id) ?? expect.fail(id),
    settings: { address: 'sim://line', unit: index + 1, parity: 'even' },
  }))
  if (oven === undefined || meter === undefined) expect.fail('two drivers')
  await using first = await pool.share(oven.driver, oven.settings, bench.context, never)
  await using second = await pool.share(meter.driver, meter.settings, bench.context, never)
  expect(second.port).toBe(first.port)
  await using controller = await oven.driver.openDevice(first.port, oven.settings, bench.context, never)
  await using counter = await meter.driver.openDevice(second.port, meter.settings, bench.context, never)
  await controller.write?.('setpoint', 55, never)
  expect(await Promise.all([goodValue(controller, 'setpoint'), goodValue(counter, 'voltage')])).toEqual([55, 0])
})
