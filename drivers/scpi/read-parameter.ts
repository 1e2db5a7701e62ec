import type { ParameterKind } from '../../core/parameter.ts'
import { isUnit } from '../../core/unit.ts'
import type { YamlFields, YamlValue } from '../catalog/yaml-reader.ts'
import { BLOCK_ITEMS, type NumberFormat, type ParameterDescription, type ReadBack, type ReplyFormat, type ValueFormat } from './description.ts'
import { type Allowed, readCondition, readTemplate } from './read-template.ts'
import { placeholders } from './template.ts'

const KINDS = { float: 'FLOAT', integer: 'INTEGER', boolean: 'BOOLEAN', text: 'TEXT', enum: 'ENUM', list: 'LIST' } as const
const KIND_NAMES = ['float', 'integer', 'boolean', 'text', 'enum', 'list'] as const
const NAME = /^[a-z][a-z0-9_]{0,63}$/
const VALUE_KEYS = ['kind', 'scale', 'format', 'quoted', 'reply', 'choices', 'words'] as const
const KEYS = ['description', 'unit', 'query', 'set', 'range', 'step', 'goodWhile', 'readBack', 'timeoutMs', 'pollMs', 'deadband', ...VALUE_KEYS] as const
const MIN_POLL_MS = 10
const MAX_MS = 24 * 3_600_000
const SMALLEST_STEP = 1e-15
const MAX_IN_UNIT = 1e15 // hertz of light are 1e15; more is a slip

export function readParameters(fields: YamlFields, wide: Allowed, hasErrors: boolean): readonly ParameterDescription[] {
  const entries = fields.entries()
  const readable = entries.filter(([, value]) => value.isFields() && value.fields().has('query')).map(([{ name }]) => name)
  const parameters = entries.map(([{ name }, value]) => {
    if (!NAME.test(name)) value.refuse(`${name} is not a name for a parameter; write lower-case letters, digits and _`)
    if (Object.hasOwn(wide, name) || name === 'value') value.refuse(`${name} stands for something else in commands; choose another name`)
    return readParameter(name, value.fields(), wide, readable, hasErrors)
  })
  return parameters
}

function readParameter(name: string, fields: YamlFields, wide: Allowed, readable: readonly string[], hasErrors: boolean): ParameterDescription {
  fields.allow(...KEYS)
  const format = readValueFormat(name, fields)
  const numeric = format.kind === 'FLOAT' || format.kind === 'INTEGER' || format.kind === 'LIST'
  const others: Record<string, string> = {}
  for (const other of readable) if (other !== name) others[other] = 'a parameter, read before'
  const set = fields.has('set') ? readTemplate(fields.need('set', ''), { ...wide, ...others, value: 'what is set' }, 'set') : undefined
  const query = fields.has('query') ? readTemplate(fields.need('query', ''), wide, 'query') : undefined
  if (query === undefined && set === undefined) fields.value.refuse('give query to read it, set to set it, or both')
  if (query === undefined && !hasErrors) fields.get('set')?.refuse('nobody would know whether it was set: give query to read it back, or describe errors')
  for (const key of ['range', 'unit', 'step', 'deadband', 'scale', 'format'] as const)
    if (!numeric && fields.has(key)) fields.get(key)?.refuse(`only numbers have one; kind is ${format.kind.toLowerCase()}`)
  const { minimum, maximum } = readRange(fields.get('range'), wide)
  return {
    ...format,
    description: fields.need('description', 'what it is, for people').text(),
    ...(fields.has('unit') && { unit: unitOf(fields.need('unit', '')) }),
    ...(query !== undefined && { query }),
    ...(set !== undefined && { set }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...number(fields, 'step', { minimum: SMALLEST_STEP, maximum: MAX_IN_UNIT }),
    ...(fields.has('goodWhile') && { goodWhile: readCondition(fields.need('goodWhile', ''), wide) }),
    readBack: readReadBack(fields.get('readBack'), numeric),
    ...number(fields, 'timeoutMs', { minimum: 1, maximum: MAX_MS }),
    ...number(fields, 'pollMs', { minimum: MIN_POLL_MS, maximum: MAX_MS }),
    ...number(fields, 'deadband', { minimum: 0, maximum: MAX_IN_UNIT }),
  }
}

function number<Key extends string>(
  fields: YamlFields,
  key: Key,
  limits: { readonly minimum: number; readonly maximum: number },
): { readonly [K in Key]?: number } {
  const value = fields.get(key)?.number(limits)
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: number })
}

export function unitOf(value: YamlValue): string {
  const unit = value.text()
  return isUnit(unit) ? unit : value.refuse(`${JSON.stringify(unit)} is not a unit; write its UCUM code, e.g. V, mA, Ohm, Cel, K, %, W, Hz, nm, s`)
}

function readRange(value: YamlValue | undefined, wide: Allowed): Pick<ParameterDescription, 'minimum' | 'maximum'> {
  const fields = value?.fields().allow('minimum', 'maximum')
  const end = (key: string): number | string | undefined => {
    const given = fields?.get(key)
    return given && (given.ifNumber() ?? readTemplate(given, wide, 'query'))
  }
  const [minimum, maximum] = [end('minimum'), end('maximum')]
  if (typeof minimum === 'number' && typeof maximum === 'number' && minimum > maximum) value?.refuse(`${minimum} to ${maximum} is empty`)
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) }
}

function readReadBack(value: YamlValue | undefined, numeric: boolean): ReadBack {
  if (value === undefined) return { kind: 'same' }
  if (value.isText()) return { kind: value.oneOf(['accept', 'same']) }
  const tolerance = value.fields().allow('tolerance').need('tolerance', 'how far from what was set, in unit').number({ minimum: 0 })
  return numeric ? { kind: 'tolerance', tolerance } : value.refuse('only numbers have a tolerance')
}

/** Of a parameter, an argument or a result. */
export function readValueFormat(name: string, fields: YamlFields): ValueFormat {
  const kind: ParameterKind = KINDS[fields.need('kind', `one of ${KIND_NAMES.join(', ')}`).oneOf(KIND_NAMES)]
  const choices = fields.get('choices')
  if (kind === 'ENUM' && choices === undefined) fields.value.refuse('choices is missing: what may be chosen, and what stands for it on the wire')
  if (kind !== 'ENUM' && choices !== undefined) choices.refuse('only kind: enum has choices')
  if (kind !== 'BOOLEAN' && fields.has('words')) fields.get('words')?.refuse('only kind: boolean has words')
  return {
    name,
    kind,
    scale: fields.get('scale')?.number() || (fields.get('scale')?.refuse('0 would make every value 0') ?? 1),
    format: readNumberFormat(fields.get('format'), kind),
    quoted: fields.get('quoted')?.boolean() ?? false,
    reply: readReply(fields.get('reply'), kind),
    ...(choices !== undefined && { choices: readChoices(choices) }),
    words: readWords(fields.get('words')),
  }
}

function readNumberFormat(value: YamlValue | undefined, kind: ParameterKind): NumberFormat {
  const fields = value?.fields().allow('decimals', 'significant')
  const decimals = fields?.get('decimals')?.number({ minimum: 0, maximum: 15, whole: true })
  const significant = fields?.get('significant')?.number({ minimum: 1, maximum: 15, whole: true })
  if (decimals !== undefined && significant !== undefined) value?.refuse('give decimals or significant, not both')
  if (decimals !== undefined) return { kind: 'decimals', digits: decimals }
  if (significant !== undefined) return { kind: 'significant', digits: significant }
  return kind === 'INTEGER' ? { kind: 'decimals', digits: 0 } : { kind: 'shortest' }
}

function readReply(value: YamlValue | undefined, kind: ParameterKind): ReplyFormat {
  const fields = value?.fields().allow('pattern', 'element', 'block', 'invalid')
  const block = fields?.get('block')
  if (block !== undefined && kind !== 'LIST') block.refuse('only kind: list can be read from a block')
  const blockFields = block?.isFields() === true ? block.fields().allow('item', 'order') : undefined
  const invalid = fields?.get('invalid')?.fields().entries() ?? []
  return {
    ...(fields?.has('pattern') && { pattern: fields.need('pattern', '').pattern() }),
    ...(fields?.has('element') && { element: fields.need('element', '').number({ minimum: 1, maximum: 1000, whole: true }) }),
    ...(block !== undefined && {
      block: {
        item: blockFields === undefined ? block.oneOf(BLOCK_ITEMS) : blockFields.need('item', `one of ${BLOCK_ITEMS.join(', ')}`).oneOf(BLOCK_ITEMS),
        little: blockFields?.get('order')?.oneOf(['bigEndian', 'littleEndian']) === 'littleEndian',
      },
    }),
    invalid: new Map(invalid.map(([{ name }, reason]) => [name, reason.text('why there is no value then')])),
  }
}

function readChoices(value: YamlValue): ReadonlyMap<string, readonly string[]> {
  const entries: readonly (readonly [string, readonly string[]])[] = value.isList()
    ? value.list().map((each) => [each.text(), [tokenOf(each)]])
    : value
        .fields()
        .entries()
        .map(([{ name }, tokens]) => [name, tokens.texts().map(tokenOf)] as const)
  if (entries.length === 0) value.refuse('name at least one')
  const both = twice(entries.flatMap(([, tokens]) => tokens))
  if (both !== undefined) value.refuse(`${both} stands for two choices`)
  return new Map(entries)
}

/** Instruments do not tell capitals from small letters. */
function twice(tokens: readonly string[]): string | undefined {
  const words = tokens.map((token) => token.toUpperCase())
  return words.find((word, index) => words.indexOf(word) < index)
}

function tokenOf(value: YamlValue): string {
  const token = value.text('what stands for it on the wire')
  return /^[\x20-\x7e]{1,64}$/.test(token) && placeholders(token).length === 0 ? token : value.refuse('write printable ASCII characters')
}

/** IEEE 488.2 knows 1 and 0, SCPI also ON and OFF (SCPI-99, volume 1, 7.3). */
function readWords(value: YamlValue | undefined): ParameterDescription['words'] {
  const fields = value?.fields().allow('true', 'false')
  const words = {
    true: fields?.need('true', 'what stands for true on the wire').texts().map(tokenOf) ?? ['1', 'ON'],
    false: fields?.need('false', 'what stands for false on the wire').texts().map(tokenOf) ?? ['0', 'OFF'],
  }
  const both = twice([...words.true, ...words.false])
  return both === undefined ? words : (value?.refuse(`${both} stands for two things`) ?? words)
}
