import { resolve } from 'node:path'
import { CannotStart } from '../../link/child.ts'

export type LabConfig = {
  /** Address book, links to the pseudo-terminals and command logs. */
  readonly folder: string
  /** The saw's Modbus port; undefined: the one of last time, or a free one. */
  readonly sawPort: number | undefined
  /** Seed of all noise: the same lab again. */
  readonly seed: number
  /** Whether an operator at the saw starts the next piece by himself. */
  readonly operator: boolean
}

/** Throws CannotStart that names the variable and what is allowed. */
export function readLabConfig(env: NodeJS.ProcessEnv): LabConfig {
  const folder = env.LAB_DIR
  if (folder === undefined || folder === '') throw new CannotStart('LAB_DIR is not set; it names the folder of the simulated lab')
  return {
    folder: resolve(folder),
    sawPort: wholeNumber(env, 'LAB_SAW_PORT', 1, 65_535),
    seed: wholeNumber(env, 'LAB_SEED', 0, 0xffff_ffff) ?? 1,
    operator: true,
  }
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, minimum: number, maximum: number): number | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw new CannotStart(`${name} is "${text}"; give a whole number from ${minimum} to ${maximum}`)
  return value
}
