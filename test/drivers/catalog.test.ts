import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtInDriver } from '../../drivers/catalog/built-in.ts'
import { DRIVERS } from '../../drivers/catalog.ts'
import { SIMULATED_DEVICES } from '../../local/lab/devices.ts'

const folder = join(import.meta.dirname, '../../drivers')

test('the list of drivers is the list of folders named <vendor>-<model>', async () => {
  const entries = await readdir(folder, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && entry.name.includes('-')).map((entry) => entry.name)
  expect(DRIVERS.map((driver) => driver.id).sort()).toEqual(folders.sort())
})

test.each(DRIVERS.map((driver) => driver.id))('%s has its protocol, driver and simulator', async (id) => {
  for (const file of ['protocol.ts', 'driver.ts', 'simulator.ts']) expect((await stat(join(folder, id, file))).isFile()).toBe(true)
})

test('every device of the simulated lab has a driver that takes its settings', () => {
  for (const device of SIMULATED_DEVICES) expect(builtInDriver(device.driverId)?.locate(device.settings).address).toBe(device.settings.address)
})
