import { describe, test } from 'vitest'
import { DRIVERS } from '../../../drivers/catalog.ts'
import type { Simulation } from '../../../drivers/simulation/simulation.ts'
import { CHECKS, FAULT_CHECKS } from './checks.ts'
import { expectNotFound } from './discovery.ts'
import { startSimulated } from './instrument.ts'

const TIMEOUT_MS = 120_000 // most of it is waiting for answers that never come, beside the others

/** The whole suite over each of these. */
export function describeConformance(subjects: readonly (readonly [name: string, simulation: Simulation])[]): void {
  describe.concurrent.each(subjects)('%s', { timeout: TIMEOUT_MS }, (_name, simulation) => {
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
}
