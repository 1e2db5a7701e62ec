import { InvalidValue } from './errors.ts'
import { checkValue, type ParameterKind, type SettingSpec } from './parameter.ts'
import type { ParameterValue } from './reading.ts'

/** A command of a driver's own: something a device does that is neither a parameter nor a motion. */
export type CommandSpec = {
  readonly name: string
  readonly description: string
  readonly arguments: readonly SettingSpec[]
  /** What it answers with; absent: nothing. */
  readonly result?: ParameterKind
  /** How long the instrument may need for it, where a minute is too short. */
  readonly longestMs?: number
}

/** Every argument checked, defaults filled in. Throws InvalidValue that names the argument and what is allowed. */
export function checkArguments(spec: CommandSpec, given: Readonly<Record<string, ParameterValue>>): Readonly<Record<string, ParameterValue>> {
  const unknown = Object.keys(given).find((name) => !spec.arguments.some((argument) => argument.name === name))
  if (unknown !== undefined)
    throw new InvalidValue(`${unknown} is no argument of ${spec.name}; it takes ${spec.arguments.map(({ name }) => name).join(', ') || 'none'}`, [unknown])
  const checked: Record<string, ParameterValue> = {}
  for (const argument of spec.arguments) {
    const value = given[argument.name] ?? defaultOf(argument)
    if (value !== undefined) checked[argument.name] = checkValue({ ...argument, access: 'READ_WRITE' }, value)
    else if (argument.required) throw new InvalidValue(`${argument.name} is missing: ${argument.description}`, [argument.name])
  }
  return checked
}

function defaultOf({ kind, default: text }: SettingSpec): ParameterValue | undefined {
  if (text === undefined) return undefined
  if (kind === 'FLOAT' || kind === 'INTEGER') return Number(text)
  return kind === 'BOOLEAN' ? text === 'true' : text
}
