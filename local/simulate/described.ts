import { readFile } from 'node:fs/promises'
import { messageOf } from '../../core/errors.ts'
import { DESCRIPTION_FORMATS } from '../../drivers/catalog/description.ts'
import { driverOfDescription } from '../../drivers/catalog/description-file.ts'
import type { Simulation } from '../../drivers/simulation/simulation.ts'
import { CannotStart } from '../../link/child.ts'

const DESCRIPTION = /\.ya?ml$/

/** Arguments in which each description's file stands for its instrument, and the simulations that this takes. Throws CannotStart. */
export async function withDescribed(
  args: readonly string[],
  simulations: readonly Simulation[],
): Promise<{ readonly args: readonly string[]; readonly simulations: readonly Simulation[] }> {
  const described: Simulation[] = []
  const named: string[] = []
  for (const arg of args) {
    if (!DESCRIPTION.test(arg)) {
      named.push(arg)
      continue
    }
    const simulation = await simulationIn(arg)
    described.push(simulation)
    named.push(simulation.driverId)
  }
  return { args: named, simulations: [...described, ...simulations] }
}

/** One format after the other, until one has the file's protocol. */
async function simulationIn(path: string): Promise<Simulation> {
  try {
    const text = await readFile(path, 'utf8')
    for (const format of DESCRIPTION_FORMATS.filter(({ protocol }) => new RegExp(`^protocol:\\s*["']?${protocol}\\b`, 'm').test(text)))
      if (format.simulationOf !== undefined) return format.simulationOf(text, path)
    const { id } = driverOfDescription(DESCRIPTION_FORMATS, text, path)
    throw new CannotStart(`${path}: a description of this kind does not say enough of ${id} to simulate it`)
  } catch (error) {
    throw error instanceof CannotStart ? error : new CannotStart(messageOf(error))
  }
}
