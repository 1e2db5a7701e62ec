import type { Driver } from '../driver.ts'
import type { DescriptionFormat } from './description.ts'
import { readYaml } from './yaml-reader.ts'

/** The driver that a text describes, by the format that its `protocol:` names. Throws InvalidValue, `<file>:<line>:<column>: …`. */
export function driverOfDescription(formats: readonly DescriptionFormat[], text: string, file: string): Driver {
  const protocols = formats.map(({ protocol }) => protocol)
  const named = readYaml(text, file).need('protocol', `one of ${protocols.join(', ')}`)
  const protocol = named.oneOf(protocols)
  const format = formats.find((candidate) => candidate.protocol === protocol)
  return format === undefined ? named.refuse('is not known') : format.driverOf(text, file)
}
