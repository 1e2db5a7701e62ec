import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../../drivers/catalog.ts'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { CHECKS, FAULT_CHECKS } from './checks.ts'
import { expectNotFound } from './discovery.ts'
import { startSimulated } from './instrument.ts'

const TIMEOUT_MS = 120_000 // most of it is waiting for answers that never come, beside the others

test('every driver that is code has a simulation', () => {
  const simulated = new Set(SIMULATIONS.map(({ driverId }) => driverId))
  expect(DRIVERS.map(({ id }) => id).filter((id) => !simulated.has(id))).toEqual([])
})

/** A driver joins by its line in SIMULATIONS alone. */
describe.concurrent.each(SIMULATIONS.map((simulation) => [simulation.driverId, simulation] as const))('%s', { timeout: TIMEOUT_MS }, (_id, simulation) => {
  for (const check of [...CHECKS, ...FAULT_CHECKS]) test(check.name, () => check.run((pace) => startSimulated(simulation, pace)))

  test('no other driver takes it for its own', async () => {
    await Promise.all(
      DRIVERS.filter(({ id }) => id !== simulation.driverId).map(async (driver) => {
        await using instrument = await startSimulated(simulation)
        await expectNotFound(driver, instrument)
      }),
    )
  })
})
