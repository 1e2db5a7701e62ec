export type Kind = 'FLOAT' | 'INTEGER' | 'BOOLEAN' | 'TEXT' | 'ENUM' | 'LIST'
export type ValueInput = { number: number } | { integer: number } | { boolean: boolean } | { text: string } | { list: number[] }

/** What a person typed, as the API's ValueInput; or the reason why it cannot be sent, in words. Limits are the server's to check. */
export function toValueInput(kind: Kind, given: string | number | boolean): ValueInput | { reason: string } {
  switch (kind) {
    case 'BOOLEAN':
      return { boolean: given === true || given === 'true' }
    case 'TEXT':
    case 'ENUM':
      return { text: String(given) }
    case 'LIST': {
      const list = String(given)
        .split(/[\s,;]+/)
        .filter((item) => item !== '')
        .map(Number)
      return list.every(Number.isFinite) ? { list } : { reason: 'Give numbers, separated by commas.' }
    }
    case 'FLOAT':
    case 'INTEGER': {
      const value = toNumber(given)
      if (value === undefined) return { reason: 'Give a number.' }
      if (kind === 'FLOAT') return { number: value }
      return Number.isSafeInteger(value) ? { integer: value } : { reason: 'Give a whole number.' }
    }
  }
}

export function toNumber(given: string | number | boolean): number | undefined {
  if (typeof given === 'number') return Number.isFinite(given) ? given : undefined
  if (typeof given === 'boolean') return undefined
  const text = given.trim().replace('\u2212', '-')
  if (text === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}
