import type { Simulation } from '../../../drivers/simulation/simulation.ts'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { describeConformance } from './subjects.ts'

const TIME_FACTOR = 60 // some answer in seconds

/** Instruments of one model that differ on the wire: all but the usual one, which the other file has. */
describeConformance(
  SIMULATIONS.flatMap((simulation) =>
    Object.keys(simulation.variants ?? {})
      .slice(1)
      .map((variant): readonly [string, Simulation] => [
        `${simulation.driverId}, ${variant}`,
        {
          ...simulation,
          start: (options) => simulation.start({ ...options, variant, timeFactor: Math.max(options.timeFactor ?? 1, TIME_FACTOR) }),
        },
      ]),
  ),
)
