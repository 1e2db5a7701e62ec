import type { Simulation } from './simulation.ts'

/** Every instrument that can be simulated on a real transport, one for each driver that has bytes, registers or a library of its own. */
export const SIMULATIONS: readonly Simulation[] = []
