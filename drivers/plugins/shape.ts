import { InvalidValue } from '../../core/errors.ts'

/**
 * Checks of values that came from a plugin, where types are only a promise. Each names the place ("drivers[0].settings[1].kind"), what stands there and what
 * is allowed, in an InvalidValue.
 */
export type Fields = Readonly<Record<string, unknown>>

const SHOWN = 60 // characters of a wrong value: enough to find it again

export function refuse(place: string, value: unknown, allowed: string): never {
  throw new InvalidValue(`${place} is ${shown(value)}; ${allowed}`, [place])
}

/** Own and inherited properties: an instance of a class is as good as an object literal. */
export function fieldsOf(value: unknown, place: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(place, value, 'give an object')
  return value as Fields
}

export function listOf(value: unknown, place: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) return refuse(place, value, 'give an array')
  if (value.length > most) throw new InvalidValue(`${place} has ${value.length} entries; at most ${most} are taken`, [place])
  return value
}

export function text(value: unknown, place: string, pattern = /\S/, allowed = 'give a text'): void {
  if (typeof value !== 'string' || !pattern.test(value)) refuse(place, value, allowed)
}

export function oneOf(value: unknown, place: string, allowed: readonly string[]): void {
  if (typeof value !== 'string' || !allowed.includes(value)) refuse(place, value, `choose one of ${allowed.join(', ')}`)
}

export function callable(value: unknown, place: string): void {
  if (typeof value !== 'function') refuse(place, value, 'give a function')
}

export function finite(value: unknown, place: string): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) refuse(place, value, 'give a finite number')
}

export function boolean(value: unknown, place: string): void {
  if (typeof value !== 'boolean') refuse(place, value, 'give true or false')
}

export function texts(value: unknown, place: string, most: number): void {
  for (const [at, item] of listOf(value, place, most).entries()) text(item, `${place}[${at}]`)
}

/** Nothing to say against an optional property that is not there. */
export function ifThere(value: unknown, check: () => void): void {
  if (value !== undefined) check()
}

/** For messages: what it is, if not what is in it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(typeof value === 'string' ? JSON.stringify(value) : value).slice(0, SHOWN)
}
