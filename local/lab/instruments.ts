import { join } from 'node:path'
import type { BookEntry } from '../../drivers/address.ts'
import type { RunningSimulation, SimulationOptions } from '../../drivers/simulation/simulation.ts'
import { SIMULATIONS } from '../../drivers/simulations.ts'

/** Instruments of the lab that share nothing with the others' world, by the name of their address. */
export const INSTRUMENTS: Readonly<Record<string, string>> = {
  laser: 'spectra-physics-maitai',
  mounts: 'thorlabs-ell14',
  dome: 'dome-rotator',
  daq: 'ni-comedi',
  multimeter: 'keysight-34461a',
  supply: 'keysight-e36312a',
  cryostat: 'lakeshore-336',
}

/** What an instrument has beside its line, by names of its own. */
export function besides(name: string, folder: string): Readonly<Record<string, BookEntry>> {
  if (name !== 'dome') return {}
  return { 'dome-encoder': { kind: 'spi', path: join(folder, 'dome.spi') }, 'dome-switch': { kind: 'gpio', path: join(folder, 'dome.gpio') } }
}

/** At the TCP port of last time, where it had one that is still free. */
export async function startInstrument(driverId: string, options: SimulationOptions): Promise<RunningSimulation> {
  const simulation = SIMULATIONS.find((candidate) => candidate.driverId === driverId)
  if (simulation === undefined) throw new Error(`there is no simulation of ${driverId}`)
  try {
    return await simulation.start(options)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    const { port: _taken, ...free } = options
    return await simulation.start(free)
  }
}
