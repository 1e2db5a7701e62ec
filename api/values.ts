import { InvalidValue } from '../core/errors.ts'
import type { ParameterValue } from '../core/reading.ts'

/** A ValueInput as GraphQL gives it. */
export type ValueGiven = {
  readonly number?: number | null | undefined
  readonly integer?: number | null | undefined
  readonly boolean?: boolean | null | undefined
  readonly text?: string | null | undefined
  readonly list?: readonly number[] | null | undefined
}

/** GraphQL has seen to it that exactly one is given. */
export function parameterValue({ number, integer, boolean, text, list }: ValueGiven, path: string): ParameterValue {
  const value = number ?? integer ?? boolean ?? text ?? list
  if (value == null) throw new InvalidValue(`${path}: give one of number, integer, boolean, text and list`, [path])
  return value
}

export function namedValues(
  given: readonly { readonly name: string; readonly value: ValueGiven }[] | null | undefined,
  path: string,
): Record<string, ParameterValue> {
  const values = new Map<string, ParameterValue>()
  for (const { name, value } of given ?? []) {
    if (values.has(name)) throw new InvalidValue(`${path}: ${name} is given twice`, [path, name])
    values.set(name, parameterValue(value, name))
  }
  return Object.fromEntries(values)
}
