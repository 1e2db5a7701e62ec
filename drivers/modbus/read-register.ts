import { isUnit } from '../../core/unit.ts'
import type { YamlFields, YamlValue } from '../catalog/yaml-reader.ts'
import { rangeOf } from './coding.ts'
import { MAX_ADDRESS, type Table } from './pdu.ts'
import { CODINGS, type Coding, ORDERS, type Register } from './profile.ts'

/** One register of a profile, from what its file says of it. Refuses with line and column whatever the device could not mean. */

const TABLES: readonly Table[] = ['holding', 'input', 'coil', 'discrete']
const ACCESS = { read: 'READ_ONLY', 'read-write': 'READ_WRITE', write: 'WRITE_ONLY' } as const
const KEYS = [
  'at',
  'name',
  'description',
  'function',
  'coding',
  'words',
  'order',
  'scale',
  'offset',
  'unit',
  'access',
  'limits',
  'step',
  'deadband',
  'pollMs',
  'bit',
  'names',
  'verify',
] as const
const NAME = /^[a-z][a-z0-9_]{0,62}$/
const MAX_WORDS = 64 // a text of 128 characters
const SCALED = new Set<Coding>(['u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'bcd', 'magnitude'])
const MAX_POLL_MS = 3_600_000
const MAX_MULTIPLE = 1e12
const SMALLEST_STEP = 1e-12

export type Defaults = { readonly pollMs?: number; readonly order: Register['order'] }

/** What a register says, and what chosen variants say instead. */
export class Layered {
  readonly #base: YamlFields
  readonly #over: readonly YamlFields[]

  constructor(base: YamlFields, over: readonly YamlFields[]) {
    this.#base = base.allow(...KEYS)
    this.#over = over.map((fields) => fields.allow(...KEYS.filter((key) => key !== 'name')))
  }

  get(key: (typeof KEYS)[number]): YamlValue | undefined {
    for (const fields of this.#over.toReversed()) {
      const value = fields.get(key)
      if (value !== undefined) return value
    }
    return this.#base.get(key)
  }

  need(key: (typeof KEYS)[number], why: string): YamlValue {
    return this.get(key) ?? this.#base.need(key, why)
  }
}

export function readRegister(fields: Layered, defaults: Defaults): Register {
  const name = nameOf(fields.need('name', 'each register is one parameter'))
  const table = fields.get('function')?.oneOf(TABLES) ?? 'holding'
  const bits = table === 'coil' || table === 'discrete'
  const at = fields.need('at', 'the address on the wire, counted from 0').number({ minimum: 0, maximum: MAX_ADDRESS, whole: true })
  const coding = codingOf(fields, bits)
  const words = wordsOf(fields, coding)
  if (at + words - 1 > MAX_ADDRESS) fields.need('at', '').refuse(`${at} and the ${words - 1} words after it are beyond ${MAX_ADDRESS}`)
  const scale = fields.get('scale')?.number({ minimum: -MAX_MULTIPLE, maximum: MAX_MULTIPLE }) ?? 1
  if (scale === 0) fields.get('scale')?.refuse('give a number other than 0')
  const offset = fields.get('offset')?.number({ minimum: -MAX_MULTIPLE, maximum: MAX_MULTIPLE }) ?? 0
  for (const key of ['scale', 'offset', 'unit', 'limits', 'step', 'deadband'] as const)
    if (!SCALED.has(coding)) fields.get(key)?.refuse(`has no meaning for coding ${coding}; it goes with ${[...SCALED].join(', ')}`)
  const unit = unitOf(fields.get('unit'))
  const access = ACCESS[fields.get('access')?.oneOf(Object.keys(ACCESS) as (keyof typeof ACCESS)[]) ?? 'read']
  refuseReadOnly(fields, { access, table, coding })
  const pollMs = fields.get('pollMs')?.number({ minimum: 0, maximum: MAX_POLL_MS, whole: true }) ?? defaults.pollMs
  const step = fields.get('step')?.number({ minimum: SMALLEST_STEP, maximum: MAX_MULTIPLE })
  const deadband = fields.get('deadband')?.number({ minimum: 0, maximum: MAX_MULTIPLE })
  const bit = bitOf(fields, coding, bits)
  const names = namesOf(fields, coding)
  return {
    name,
    description: fields.need('description', 'a person must know what it is').text(),
    table,
    at,
    words,
    coding,
    order: fields.get('order')?.oneOf(ORDERS) ?? defaults.order,
    scale,
    offset,
    access,
    verify: fields.get('verify')?.boolean() ?? access !== 'WRITE_ONLY',
    ...limitsOf(fields, { coding, words, scale, offset }, access),
    ...(unit !== undefined && { unit }),
    ...(step !== undefined && { step }),
    ...(deadband !== undefined && { deadband }),
    ...(pollMs !== undefined && pollMs > 0 && access !== 'WRITE_ONLY' && { pollMs }),
    ...(bit !== undefined && { bit }),
    ...(names !== undefined && { names }),
  }
}

export function nameOf(value: YamlValue): string {
  const name = value.text('a name')
  return NAME.test(name) ? name : value.refuse(`${JSON.stringify(name)} is not allowed; write lower-case letters, digits and _, a letter first, at most 63`)
}

function codingOf(fields: Layered, bits: boolean): Coding {
  const given = fields.get('coding')
  if (given === undefined) return bits ? 'bit' : 'u16'
  const coding = given.oneOf(Object.keys(CODINGS) as Coding[])
  return bits && coding !== 'bit' ? given.refuse('a coil or discrete input is one bit; leave the coding away') : coding
}

function wordsOf(fields: Layered, coding: Coding): number {
  const given = fields.get('words')
  const own = CODINGS[coding].words
  if (coding === 'text' && given === undefined) return fields.need('words', 'of a text: how many registers of two characters it takes').number()
  const words = given?.number({ minimum: 1, maximum: MAX_WORDS, whole: true }) ?? own
  if (coding === 'bcd' && words > 3) return given?.refuse('more than 3 words of digits are not a safe number') ?? own
  return coding === 'text' || coding === 'bcd' || words === own ? words : (given?.refuse(`${coding} takes ${own}; leave it away`) ?? own)
}

function bitOf(fields: Layered, coding: Coding, bits: boolean): number | undefined {
  const given = fields.get('bit')
  if (coding !== 'bit' || bits) return given === undefined ? undefined : given.refuse('goes only with coding bit of a register')
  return fields.need('bit', 'of coding bit: which one, 0 is the lowest').number({ minimum: 0, maximum: 15, whole: true })
}

function namesOf(fields: Layered, coding: Coding): ReadonlyMap<number, string> | undefined {
  const given = fields.get('names')
  if (coding !== 'enum' && coding !== 'bits') return given?.refuse('goes only with coding enum or bits')
  const found = new Map<number, string>()
  const largest = coding === 'bits' ? 15 : 0xffff
  for (const [key, value] of fields
    .need('names', `of coding ${coding}: what each ${coding === 'bits' ? 'bit' : 'number'} means`)
    .fields()
    .entries()) {
    const number = Number(key.name)
    if (!Number.isInteger(number) || number < 0 || number > largest) value.refuse(`give whole numbers from 0 to ${largest}, each with its meaning`)
    const name = value.text('what it means')
    if ([...found.values()].includes(name)) value.refuse(`${JSON.stringify(name)} is the name of another one`)
    found.set(number, name)
  }
  return found
}

function unitOf(given: YamlValue | undefined): string | undefined {
  const unit = given?.text('a UCUM code')
  if (unit !== undefined && !isUnit(unit))
    return given?.refuse(`${JSON.stringify(unit)} is not a UCUM code; for example mm, bar, Cel, %, Hz, kW.h, m/min, {count}; leave it away where there is none`)
  return unit
}

function refuseReadOnly(fields: Layered, { access, table, coding }: Pick<Register, 'access' | 'table' | 'coding'>): void {
  if (access === 'READ_ONLY') return
  if (table === 'input' || table === 'discrete') fields.get('access')?.refuse(`a register of function ${table} can only be read`)
  if (coding === 'code' || coding === 'bits') fields.get('access')?.refuse(`coding ${coding} can only be read; write enum, or bit by bit`)
}

/** Its own limits, or what it can hold where it may be set. */
function limitsOf(
  fields: Layered,
  register: Pick<Register, 'coding' | 'words' | 'scale' | 'offset'>,
  access: Register['access'],
): { readonly minimum?: number; readonly maximum?: number } {
  const range = rangeOf(register)
  const given = fields.get('limits')
  if (given === undefined) return access === 'READ_ONLY' ? {} : (range ?? {})
  const [low, high, ...more] = given.list()
  if (low === undefined || high === undefined || more.length > 0) return given.refuse('give [lowest, highest]')
  const [minimum, maximum] = [low.number(), high.number()]
  if (minimum > maximum) low.refuse(`${minimum} is above ${maximum}`)
  if (range !== undefined && minimum < range.minimum) low.refuse(`the register holds ${range.minimum} to ${range.maximum} at this scale`)
  if (range !== undefined && maximum > range.maximum) high.refuse(`the register holds ${range.minimum} to ${range.maximum} at this scale`)
  return { minimum, maximum }
}

/** The register of that name. */
export function known(value: YamlValue, registers: readonly Register[]): Register {
  const name = value.text('the name of a register')
  return registers.find((register) => register.name === name) ?? value.refuse(`no register has the name ${name}`)
}

export function refuseTwice(taken: Set<string>, name: string, at: YamlValue, what: string): void {
  if (taken.has(name)) at.refuse(`${name} is the name of another ${what}`)
  taken.add(name)
}
