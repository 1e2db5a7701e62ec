import { expect, test } from 'vitest'
import { DRIVERS } from '../../../drivers/catalog.ts'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { describeConformance } from './subjects.ts'

test('every driver that is code has a simulation', () => {
  const simulated = new Set(SIMULATIONS.map(({ driverId }) => driverId))
  expect(DRIVERS.map(({ id }) => id).filter((id) => !simulated.has(id))).toEqual([])
})

/** A driver joins by its line in SIMULATIONS alone. */
describeConformance(SIMULATIONS.map((simulation) => [simulation.driverId, simulation]))
