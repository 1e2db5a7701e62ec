import type { ParameterSpec } from '../../core/parameter.ts'
import type { ParameterDescription } from './description.ts'

/** A parameter as the station knows it. Limits that the instrument is asked for are there once they are numbers. */
export function specOf(parameter: ParameterDescription): ParameterSpec {
  const { name, description, kind, unit, minimum, maximum, step, choices, deadband, pollMs, query, set } = parameter
  return {
    name,
    description,
    kind,
    access: set === undefined ? 'READ_ONLY' : query === undefined ? 'WRITE_ONLY' : 'READ_WRITE',
    ...(unit !== undefined && { unit }),
    ...(typeof minimum === 'number' && { minimum }),
    ...(typeof maximum === 'number' && { maximum }),
    ...(step !== undefined && { step }),
    ...(choices !== undefined && { choices: [...choices.keys()] }),
    ...(deadband !== undefined && { deadband }),
    ...(pollMs !== undefined && { pollMs }),
  }
}
