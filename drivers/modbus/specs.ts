import type { ParameterSpec } from '../../core/parameter.ts'
import { kindOf } from './coding.ts'
import type { Register } from './profile.ts'

/** A register as people see it. */
export function specOf(register: Register): ParameterSpec {
  const { name, unit, access, minimum, maximum, step, deadband, pollMs, coding, names } = register
  return {
    name,
    description: `${register.description} (${placeOf(register)})`,
    kind: kindOf(register),
    access,
    ...(unit !== undefined && { unit }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(step !== undefined && { step }),
    ...(deadband !== undefined && { deadband }),
    ...(pollMs !== undefined && { pollMs }),
    ...(coding === 'enum' && { choices: [...(names?.values() ?? [])] }),
  }
}

function placeOf({ table, at, bit }: Register): string {
  const word = { holding: 'register', input: 'input register', coil: 'coil', discrete: 'discrete input' }[table]
  return `${word} ${at}${bit === undefined ? '' : ` bit ${bit}`}`
}
