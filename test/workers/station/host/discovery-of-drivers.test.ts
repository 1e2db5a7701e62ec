import { expect, test } from 'vitest'
import { DRIVERS } from '../../../../drivers/catalog.ts'
import { SIMULATIONS } from '../../../../drivers/simulations.ts'
import { never, openHostBench, record } from './bench.ts'
import { startSimulations } from './simulated-lab.ts'

test('every driver finds its own instruments on the ports of a whole lab, and none takes those of another for its own', { timeout: 60_000 }, async () => {
  const own = SIMULATIONS.filter(({ driverId }) => DRIVERS.some(({ id, probe }) => id === driverId && probe !== undefined))
  expect(own.length).toBeGreaterThan(4)
  await using lab = await startSimulations(Object.fromEntries(own.map((simulation) => [simulation.driverId, simulation])))
  await using bench = await openHostBench(DRIVERS, [], lab.folder)
  const found = await bench.host.discover(never)
  const byPort = Object.fromEntries(own.map(({ driverId }) => [driverId, found.filter(({ address }) => address === `sim://${driverId}`)]))
  for (const { driverId } of own) {
    expect
      .soft(
        byPort[driverId]?.map((one) => one.driverId),
        `who answers as ${driverId}`,
      )
      .toEqual(byPort[driverId]?.map(() => driverId))
    expect.soft(byPort[driverId]?.[0]?.identity, `the identity of ${driverId}`).toEqual(expect.any(String))
  }

  // What answered can be registered as it answered, and is then known.
  const registered = found.map(({ driverId = '', settings = {} }, at) => record(`device-${at}`, driverId, settings))
  bench.registry = registered
  await bench.host.syncDevices()
  await bench.connected(...registered.map(({ id }) => id))
  const again = await bench.host.discover(never)
  expect(again.map(({ deviceId }) => deviceId).sort()).toEqual(registered.map(({ id }) => id).sort())
})
