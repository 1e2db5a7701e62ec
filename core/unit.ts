import { IncompatibleUnit } from './errors.ts'

/**
 * The part of UCUM (ucum.org, version 2.1) that laboratories use: base and derived units with metric prefixes, products, quotients and powers,
 * plus Celsius as the one unit with an offset. Codes are case-sensitive.
 */

/** Exponents of metre, gram, second, radian, kelvin, coulomb and candela: UCUM's base. Counts are annotations, `{count}`, and have none. */
type Dimension = readonly [number, number, number, number, number, number, number]
type Definition = { readonly scale: number; readonly dimension: Dimension; readonly prefixable: boolean; readonly offset?: number }

const NONE: Dimension = [0, 0, 0, 0, 0, 0, 0]
const unit = (scale: number, dimension: Dimension, prefixable = true, offset?: number): Definition => ({
  scale,
  dimension,
  prefixable,
  ...(offset !== undefined && { offset }),
})

const UNITS: Readonly<Record<string, Definition>> = {
  m: unit(1, [1, 0, 0, 0, 0, 0, 0]),
  g: unit(1, [0, 1, 0, 0, 0, 0, 0]),
  s: unit(1, [0, 0, 1, 0, 0, 0, 0]),
  rad: unit(1, [0, 0, 0, 1, 0, 0, 0]),
  K: unit(1, [0, 0, 0, 0, 1, 0, 0]),
  C: unit(1, [0, 0, 0, 0, 0, 1, 0]),
  cd: unit(1, [0, 0, 0, 0, 0, 0, 1]),
  Cel: unit(1, [0, 0, 0, 0, 1, 0, 0], false, 273.15),
  Hz: unit(1, [0, 0, -1, 0, 0, 0, 0]),
  N: unit(1e3, [1, 1, -2, 0, 0, 0, 0]),
  Pa: unit(1e3, [-1, 1, -2, 0, 0, 0, 0]),
  bar: unit(1e8, [-1, 1, -2, 0, 0, 0, 0]),
  J: unit(1e3, [2, 1, -2, 0, 0, 0, 0]),
  W: unit(1e3, [2, 1, -3, 0, 0, 0, 0]),
  A: unit(1, [0, 0, -1, 0, 0, 1, 0]),
  V: unit(1e3, [2, 1, -2, 0, 0, -1, 0]),
  Ohm: unit(1e3, [2, 1, -1, 0, 0, -2, 0]),
  F: unit(1e-3, [-2, -1, 2, 0, 0, 2, 0]),
  T: unit(1e3, [0, 1, -1, 0, 0, -1, 0]),
  L: unit(1e-3, [3, 0, 0, 0, 0, 0, 0]),
  l: unit(1e-3, [3, 0, 0, 0, 0, 0, 0]),
  eV: unit(1.602176634e-16, [2, 1, -2, 0, 0, 0, 0]),
  deg: unit(Math.PI / 180, [0, 0, 0, 1, 0, 0, 0], false),
  "'": unit(Math.PI / 10_800, [0, 0, 0, 1, 0, 0, 0], false),
  "''": unit(Math.PI / 648_000, [0, 0, 0, 1, 0, 0, 0], false),
  gon: unit(Math.PI / 200, [0, 0, 0, 1, 0, 0, 0], false),
  min: unit(60, [0, 0, 1, 0, 0, 0, 0], false),
  h: unit(3600, [0, 0, 1, 0, 0, 0, 0], false),
  d: unit(86_400, [0, 0, 1, 0, 0, 0, 0], false),
  '[in_i]': unit(0.0254, [1, 0, 0, 0, 0, 0, 0], false),
  '[mil_i]': unit(2.54e-5, [1, 0, 0, 0, 0, 0, 0], false),
  '[g]': unit(9.80665, [1, 0, -2, 0, 0, 0, 0], false),
  '%': unit(0.01, NONE, false),
  '[ppm]': unit(1e-6, NONE, false),
  '10*': unit(10, NONE, false), // before units that take no prefix: a micro-inch is 10*-6.[in_i]
}

const PREFIXES: Readonly<Record<string, number>> = {
  Y: 1e24,
  Z: 1e21,
  E: 1e18,
  P: 1e15,
  T: 1e12,
  G: 1e9,
  M: 1e6,
  k: 1e3,
  h: 1e2,
  da: 1e1,
  d: 1e-1,
  c: 1e-2,
  m: 1e-3,
  u: 1e-6,
  n: 1e-9,
  p: 1e-12,
  f: 1e-15,
  a: 1e-18,
  z: 1e-21,
  y: 1e-24,
}

/** Not what every object has: a client may send "constructor". */
function listed(code: string): Definition | undefined {
  return Object.hasOwn(UNITS, code) ? UNITS[code] : undefined
}

function atom(code: string): Definition | undefined {
  const plain = listed(code)
  if (plain !== undefined) return plain
  for (const [prefix, factor] of Object.entries(PREFIXES)) {
    const rest = code.startsWith(prefix) ? listed(code.slice(prefix.length)) : undefined
    if (rest?.prefixable) return { ...rest, scale: rest.scale * factor }
  }
  return undefined
}

/** `mm/s2`, `W/cm2`, `{count}/s`, `1`. Annotations in braces count as 1, as UCUM says. undefined: not a unit. */
function parse(code: string): Definition | undefined {
  let scale = 1
  const dimension = [0, 0, 0, 0, 0, 0, 0]
  let offset: number | undefined
  const terms = code.split(/([./])/)
  for (let at = 0; at < terms.length; at += 2) {
    const sign = at > 0 && terms[at - 1] === '/' ? -1 : 1
    const term = (terms[at] ?? '').replace(/\{[^}]*\}/g, '')
    if (term === '' || term === '1') {
      if (term === '' && terms[at] === '' && !(at === 0 && terms.length > 1)) return undefined
      continue
    }
    const match = /^(\[\w+\]|10\*|[A-Za-z%']+?)(-?\d+)?$/.exec(term)
    if (match === null) return undefined
    const found = atom(match[1] ?? '')
    if (found === undefined) return undefined
    const power = sign * Number(match[2] ?? 1)
    scale *= found.scale ** power
    found.dimension.forEach((exponent, axis) => {
      dimension[axis] = (dimension[axis] ?? 0) + exponent * power
    })
    if (found.offset !== undefined) {
      if (terms.length > 1 || power !== 1) return undefined // an offset unit stands alone; a difference of temperatures is in K
      offset = found.offset
    }
  }
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = dimension
  return { scale, dimension: [a, b, c, d, e, f, g], prefixable: false, ...(offset !== undefined && { offset }) }
}

const known = new Map<string, Definition | undefined>()
const MAX_KNOWN = 1000 // distinct codes kept parsed; a client may send any text

function definition(code: string): Definition | undefined {
  if (known.has(code)) return known.get(code)
  const parsed = parse(code)
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(code, parsed)
  return parsed
}

export function isUnit(code: string): boolean {
  return definition(code) !== undefined
}

/** Throws IncompatibleUnit when a code is unknown or the dimensions differ. A missing unit on either side means: as it is. */
export function convert(value: number, from: string | undefined, to: string | undefined): number {
  if (from === to || from === undefined) return value
  const source = definition(from)
  const target = to === undefined ? undefined : definition(to)
  if (source === undefined || target === undefined || source.dimension.some((exponent, axis) => exponent !== target.dimension[axis]))
    throw new IncompatibleUnit(from, to ?? '1')
  const base = value * source.scale + (source.offset ?? 0)
  return cleaned((base - (target.offset ?? 0)) / target.scale)
}

/** Twelve significant digits: no instrument has more, and 0.1 + 0.2 must not be refused by a limit of 0.3. */
function cleaned(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(12))
}
