import type { Fault } from '../../drivers/simulation/simulation.ts'

export const FAULT_FORMS = 'silent, late <ms>, foreign, garbage, cut or error <code>'

const MAX_LATE_MS = 3_600_000 // an hour: longer is silence

/** What a person types while a simulation runs. undefined: nothing that is known. */
export type Typed = { readonly fault: Fault } | 'unplug' | 'plug' | undefined

export function parseLine(line: string): Typed {
  const [word = '', argument, ...rest] = line.trim().split(/\s+/)
  if (rest.length > 0) return undefined
  if (word === 'late') {
    const byMs = Number(argument)
    return argument !== undefined && byMs >= 0 && byMs <= MAX_LATE_MS ? { fault: { kind: 'late', byMs } } : undefined
  }
  if (word === 'error') return argument === undefined ? undefined : { fault: { kind: 'error', code: argument } }
  if (argument !== undefined) return undefined
  switch (word) {
    case 'silent':
    case 'foreign':
    case 'garbage':
    case 'cut':
      return { fault: { kind: word } }
    case 'unplug':
    case 'plug':
      return word
    default:
      return undefined
  }
}
