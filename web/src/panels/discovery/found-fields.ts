type FoundShape = {
  readonly port: { readonly path: string }
  readonly settings: readonly { readonly name: string; readonly value: number | string | boolean | readonly number[] | null }[]
}

/** What is filled into the form of a registration: the settings under which it answered, by the stable name of its port. */
export function foundFields({ port, settings }: FoundShape): Record<string, string | number> {
  const fields: Record<string, string | number> = { address: port.path }
  for (const { name, value } of settings)
    if (value !== null) fields[name] = typeof value === 'number' ? value : typeof value === 'object' ? value.join(', ') : String(value)
  return fields
}
