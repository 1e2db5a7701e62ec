import { expect, test } from 'vitest'
import { DRIVERS } from '../../../../drivers/catalog.ts'
import { SIMULATIONS } from '../../../../drivers/simulations.ts'
import { until } from '../../../until.ts'
import { never, openHostBench, record } from './bench.ts'
import { startSimulations } from './simulated-lab.ts'

test('every driver finds its own instruments on the ports of a whole lab, and none takes those of another for its own', { timeout: 90_000 }, async () => {
  const own = SIMULATIONS.filter(({ driverId }) => DRIVERS.some(({ id, probe }) => id === driverId && probe !== undefined))
  expect(own.length).toBeGreaterThan(4)
  await using lab = await startSimulations(Object.fromEntries(own.map((simulation) => [simulation.driverId, simulation])))
  await using bench = await openHostBench(DRIVERS, [], lab.folder)
  // A probe has little patience, and the machine of a test does other things: a person would look again, too. What is wrong once is wrong.
  const found = await until(
    async () => {
      const seen = await bench.host.discover(never)
      for (const { address, driverId } of seen) if (driverId !== undefined) expect(address).toBe(`sim://${driverId}`)
      return own.every(({ driverId }) => seen.some((one) => one.driverId === driverId && one.identity !== undefined)) && seen
    },
    { deadlineMs: 50_000, what: 'every instrument is found' },
  )

  // What answered can be registered as it answered, and is then known.
  const registered = found.map(({ driverId = '', settings = {} }, at) => record(`device-${at}`, driverId, settings))
  bench.registry = registered
  await bench.host.syncDevices()
  await bench.connected(...registered.map(({ id }) => id))
  const again = await bench.host.discover(never)
  expect(again.map(({ deviceId }) => deviceId).sort()).toEqual(registered.map(({ id }) => id).sort())
})
