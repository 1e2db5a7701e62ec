import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningSimulation, Simulation } from '../../../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../../../local/lab/book.ts'

/** Some simulated instruments on their real transports, by name, and the address book that leads to them. */
export type SimulatedLab = AsyncDisposable & { readonly folder: string; readonly running: ReadonlyMap<string, RunningSimulation> }

export async function startSimulations(simulations: Readonly<Record<string, Simulation>>): Promise<SimulatedLab> {
  const folder = await mkdtemp(join(tmpdir(), 'sims-'))
  const running = new Map<string, RunningSimulation>()
  const stop = async (): Promise<void> => {
    for (const simulation of running.values()) await simulation[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const [name, simulation] of Object.entries(simulations)) {
      const started = await simulation.start({ folder, name, seed: 1 })
      running.set(name, started)
      await writeEntry(folder, name, started.entry)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { folder, running, [Symbol.asyncDispose]: stop }
}
