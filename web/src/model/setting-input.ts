import { type Kind, toValueInput, type ValueInput } from './value-input.ts'

/** What a driver says of a setting or of an argument. */
export type SettingShape = { readonly name: string; readonly kind: Kind; readonly required: boolean; readonly default: string | null }
export type NamedValue = { readonly name: string; readonly value: ValueInput }

/** What a person filled in, as the API's named values; what was left empty is left out, so that the driver's default holds. */
export function toNamedValues(
  settings: readonly SettingShape[],
  given: Readonly<Record<string, string | number | boolean>>,
): { readonly values: NamedValue[] } | { readonly reason: string } {
  const values: NamedValue[] = []
  for (const { name, kind, required, default: preset } of settings) {
    const field = given[name] ?? ''
    if (field === '') {
      if (required && preset === null) return { reason: `${name} is missing.` }
      continue
    }
    const value = toValueInput(kind, field)
    if ('reason' in value) return { reason: `${name}: ${value.reason}` }
    values.push({ name, value })
  }
  return { values }
}
