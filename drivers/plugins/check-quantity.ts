import type { ParameterKind } from '../../core/parameter.ts'
import { isUnit } from '../../core/unit.ts'
import { type Fields, fieldsOf, finite, ifThere, oneOf, refuse, text, texts } from './shape.ts'

const KINDS: readonly ParameterKind[] = ['FLOAT', 'INTEGER', 'BOOLEAN', 'TEXT', 'ENUM', 'LIST']
const MOST_CHOICES = 1000

/** What parameters, settings and arguments of commands have in common: name, kind, unit, limits, choices. Throws InvalidValue that names the place. */
export function checkQuantity(value: unknown, place: string): Fields {
  const item = fieldsOf(value, place)
  text(item.name, `${place}.name`)
  oneOf(item.kind, `${place}.kind`, KINDS)
  for (const name of ['minimum', 'maximum']) ifThere(item[name], () => finite(item[name], `${place}.${name}`))
  if (item.kind === 'ENUM' || item.choices !== undefined) texts(item.choices, `${place}.choices`, MOST_CHOICES)
  ifThere(item.unit, () => checkUnit(item.unit, `${place}.unit`))
  return item
}

/** Throws InvalidValue that names the place. */
export function checkUnit(unit: unknown, place: string): void {
  if (typeof unit !== 'string' || !isUnit(unit)) refuse(place, unit, 'give a UCUM code, such as "mm", "V" or "Cel"')
}
