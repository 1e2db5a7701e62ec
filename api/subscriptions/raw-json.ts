import type { ExecutionResult } from 'graphql'

/** A place in an answer, as GraphQLResolveInfo has it. */
type Place = { readonly prev: Place | undefined; readonly key: string | number }

/**
 * Parts of an answer that a resolver has written as JSON by itself, because graphql-js would need a microsecond for each of ten thousands of values. The
 * resolver returns something empty of the right type; the text takes its place when the answer is written.
 */
export class RawJson {
  readonly #parts: { readonly place: Place; readonly json: string }[] = []

  put(place: Place, json: string): void {
    this.#parts.push({ place, json })
  }

  stringify(result: ExecutionResult): string {
    const placed = this.#parts.filter(({ place }, at) => setAt(result.data, place, markOf(at)))
    if (placed.length === 0) return JSON.stringify(result)
    // A mark begins with a character that no text of ours has; what JSON makes of it is looked for.
    return JSON.stringify(result).replace(MARK, (mark, at: string) => this.#parts[Number(at)]?.json ?? mark)
  }
}

const MARK = /"\\u0000raw:(\d+)"/g
const markOf = (at: number): string => `\u0000raw:${at}`

/** False where the place is not there: an error has made it null. */
function setAt(data: ExecutionResult['data'], { prev, key }: Place, value: string): boolean {
  const parent = prev === undefined ? data : at(data, prev)
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) return false
  Reflect.set(parent, key, value)
  return true
}

function at(data: unknown, { prev, key }: Place): unknown {
  const parent = prev === undefined ? data : at(data, prev)
  return typeof parent === 'object' && parent !== null ? Reflect.get(parent, key) : undefined
}
