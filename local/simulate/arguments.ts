import { parseArgs } from 'node:util'
import { messageOf } from '../../core/errors.ts'
import type { Fault, Simulation } from '../../drivers/simulation/simulation.ts'
import { CannotStart } from '../../link/child.ts'
import { FAULT_FORMS, parseLine } from './typed-line.ts'

export const USAGE = `npm run simulate -- <driver or register profile.yaml> [--variant name] [--seed n] [--port n] [--name name] [--folder path] [--fault kind]…

  --variant of instruments of one model that differ on the wire (default: the first that is listed)
  --seed    of all noise and chance: the same instrument again (default 1)
  --port    for those on TCP (default: a free one)
  --name    of the link to the pseudo-terminal (default: the driver)
  --folder  where the link and the address-book entry go (default: a temporary one); a station with LAB_DIR there finds it as sim://<name>
  --fault   what the next replies suffer, one each, in this order: ${FAULT_FORMS}`

export type Arguments = {
  readonly simulation: Simulation
  readonly variant?: string
  readonly seed: number
  readonly port?: number
  readonly name: string
  readonly folder?: string
  readonly faults: readonly Fault[]
}

const MAX_PORT = 65_535
const MAX_SEED = 0xffff_ffff
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/ // it becomes a file name and the host of a sim:// address

/** undefined: nothing to start was named. Throws CannotStart with what is allowed. */
export function readArguments(args: readonly string[], simulations: readonly Simulation[]): Arguments | undefined {
  const { values, positionals } = parsed(args)
  const [driverId, ...others] = positionals
  if (driverId === undefined) {
    if (args.length > 0) throw new CannotStart(`no driver was named; ${choices(simulations)}`)
    return undefined
  }
  if (others.length > 0) throw new CannotStart(`one simulation at a time, not ${positionals.join(' and ')}`)
  const simulation = simulations.find((candidate) => candidate.driverId === driverId)
  if (simulation === undefined) throw new CannotStart(`there is no simulation of "${driverId}"; ${choices(simulations)}`)
  const { name = driverId, folder, fault = [] } = values
  if (!NAME.test(name)) throw new CannotStart(`--name is "${name}"; give small letters, digits and hyphens`)
  const variant = values.variant === undefined ? undefined : variantOf(simulation, values.variant)
  const port = wholeNumber('port', values.port, 1, MAX_PORT)
  return {
    simulation,
    name,
    seed: wholeNumber('seed', values.seed, 0, MAX_SEED) ?? 1,
    faults: fault.map(faultOf),
    ...(variant !== undefined && { variant }),
    ...(port !== undefined && { port }),
    ...(folder !== undefined && { folder }),
  }
}

function choices(simulations: readonly Simulation[]): string {
  return `choose one of ${simulations.map((simulation) => simulation.driverId).join(', ')}`
}

function variantOf({ driverId, variants = {} }: Simulation, name: string): string {
  if (Object.hasOwn(variants, name)) return name
  const names = Object.keys(variants)
  throw new CannotStart(`--variant is "${name}"; ${names.length === 0 ? `${driverId} has no variants` : `choose one of ${names.join(', ')}`}`)
}

const OPTIONS = {
  variant: { type: 'string' },
  seed: { type: 'string' },
  port: { type: 'string' },
  name: { type: 'string' },
  folder: { type: 'string' },
  fault: { type: 'string', multiple: true },
} as const

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new CannotStart(`${messageOf(error)}\n\n${USAGE}`)
  }
}

function faultOf(text: string): Fault {
  const typed = parseLine(text)
  if (typeof typed === 'object' && 'fault' in typed) return typed.fault
  throw new CannotStart(`--fault is "${text}"; give ${FAULT_FORMS}`)
}

function wholeNumber(name: string, text: string | undefined, minimum: number, maximum: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < minimum || value > maximum)
    throw new CannotStart(`--${name} is "${text}"; give a whole number from ${minimum} to ${maximum}`)
  return value
}
