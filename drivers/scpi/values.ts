import { InvalidValue } from '../../core/errors.ts'
import { MAX_LIST_LENGTH } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import { readBlock } from './block.ts'
import type { NumberFormat, ParameterDescription, ValueFormat } from './description.ts'

/** NR1, NR2 and NR3 of IEEE 488.2, 8.7.2 to 8.7.4. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const NO_NUMBER = /^[+-]?(?:NAN|INF|INFINITY|NINF)$/i
const QUOTED = /^(?:"[^"]*(?:""[^"]*)*"|'[^']*(?:''[^']*)*')$/s
const NUMBERS = /^[^,]+(?:,[^,]+)*$/
/** SCPI-99, volume 1, 7.2.1.4 and 7.2.1.5: these stand for infinity and for not a number. */
const INFINITY = 9.9e37
const NOT_A_NUMBER = 9.91e37
const PLAIN_TEXT = /^[\w .+\-/#@]*$/
/** Printable Latin-1: what ends a message, or starts another one, must not stand in a value. */
const QUOTABLE = /^[\x20-\x7e\xa0-\xff]*$/

/** The shape that an answer must have to be taken for one; whether it means a value is `parseReply`'s to say. */
export function replyShape(format: ValueFormat): RegExp {
  const { reply, kind } = format
  if (reply.pattern !== undefined) return reply.invalid.size === 0 ? reply.pattern : /^.*$/s
  if (reply.block !== undefined) return /^#/
  if (reply.element !== undefined) return new RegExp(`^[^,]*(?:,[^,]*){${reply.element - 1},}$`)
  if (format.quoted) return QUOTED
  if (kind !== 'FLOAT' && kind !== 'INTEGER') return kind === 'LIST' ? NUMBERS : /^.*$/s
  const words = [...reply.invalid.keys()].map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp([NUMBER.source, NO_NUMBER.source, ...words.map((word) => `^${word}$`)].join('|'), 'i')
}

/** What an answer says; `bad` with the reason when it says no value. Never throws, whatever the text. */
export function parseReply(format: ValueFormat, text: string): Measured {
  const { reply, kind } = format
  const invalid = invalidReason(format, text)
  if (invalid !== undefined) return { bad: invalid }
  if (reply.block !== undefined) return listOf(format, readBlock(text, reply.block) ?? 'is not a block of numbers')
  const match = reply.pattern === undefined ? undefined : reply.pattern.exec(text)
  if (match === null) return { bad: `${shown(text)} is not what the description expects` }
  const whole = match === undefined ? text : (match[1] ?? match[0])
  const part = reply.element === undefined ? whole : whole.split(',')[reply.element - 1]
  if (part === undefined) return { bad: `${shown(text)} has no value ${reply.element}` }
  const wire = part.trim()
  const reason = invalidReason(format, wire)
  if (reason !== undefined) return { bad: reason }
  switch (kind) {
    case 'FLOAT':
    case 'INTEGER':
      return numberOf(format, wire)
    case 'LIST':
      return listOf(
        format,
        wire.split(',').map((item) => item.trim()),
      )
    case 'BOOLEAN': {
      const word = unquoted(wire).toUpperCase()
      for (const value of [true, false]) if (format.words[`${value}`].some((known) => sameWord(known, word))) return { value }
      return { bad: `${shown(wire)} is neither ${format.words.true.join(' or ')} nor ${format.words.false.join(' or ')}` }
    }
    case 'ENUM': {
      const word = unquoted(wire)
      for (const [choice, tokens] of format.choices ?? []) if (tokens.some((token) => sameWord(token, word))) return { value: choice }
      return { bad: `${shown(wire)} is none of the choices that are described (${[...(format.choices ?? new Map()).keys()].join(', ')})` }
    }
    case 'TEXT':
      return { value: unquoted(wire) }
  }
}

/** What is sent for an allowed value. Throws InvalidValue when the format would change it into another one or into more than one command. */
export function formatValue(format: ValueFormat & Pick<Partial<ParameterDescription>, 'minimum' | 'maximum'>, value: ParameterValue): string {
  const refuse = (allowed: string): never => {
    throw new InvalidValue(`${format.name}: ${JSON.stringify(value)} cannot be sent; ${allowed}`, [format.name])
  }
  const numberText = (number: ParameterValue): string => {
    if (typeof number !== 'number' || !Number.isFinite(number)) return refuse('give a finite number')
    const text = formatNumber(format.format, scaled(number / format.scale))
    const sent = scaled(Number(text) * format.scale)
    const outside = (typeof format.minimum === 'number' && sent < format.minimum) || (typeof format.maximum === 'number' && sent > format.maximum)
    return outside ? refuse(`rounded to what the instrument takes, ${sent}, it is out of range`) : text
  }
  switch (format.kind) {
    case 'FLOAT':
    case 'INTEGER':
      return numberText(value)
    case 'LIST':
      return Array.isArray(value) ? value.map(numberText).join(',') : refuse('give a list of numbers')
    case 'BOOLEAN':
      return typeof value === 'boolean' ? (format.words[`${value}`][0] ?? refuse('no word stands for it')) : refuse('give true or false')
    case 'ENUM': {
      const token = typeof value === 'string' ? format.choices?.get(value)?.[0] : undefined
      if (token === undefined) return refuse(`choose one of ${[...(format.choices ?? new Map()).keys()].join(', ')}`)
      return format.quoted ? quote(token) : token
    }
    case 'TEXT':
      if (typeof value !== 'string') return refuse('give a text')
      if (format.quoted) return QUOTABLE.test(value) ? quote(value) : refuse('give printable characters')
      return PLAIN_TEXT.test(value) ? value : refuse('give letters, digits, spaces and . + - / # @ _')
  }
}

/** What the same text would be read back as, when the instrument keeps exactly what it was sent. */
export function asSent(format: ValueFormat, value: ParameterValue): ParameterValue {
  return typeof value === 'number' ? scaled(Number(formatNumber(format.format, scaled(value / format.scale))) * format.scale) : value
}

function numberOf(format: ValueFormat, wire: string): Measured {
  const number = NUMBER.test(wire) ? Number(wire) : Number.NaN
  if (!Number.isFinite(number)) return { bad: NO_NUMBER.test(wire) ? `the instrument answers ${wire}: there is no value` : `${shown(wire)} is not a number` }
  if (number === NOT_A_NUMBER) return { bad: 'the instrument answers 9.91E37, which is not a number (SCPI)' }
  if (Math.abs(number) >= INFINITY) return { bad: `the instrument is in overload (it answers ${wire})` }
  const value = scaled(number * format.scale)
  if (format.kind === 'INTEGER' && !Number.isSafeInteger(value)) return { bad: `${shown(wire)} is not a whole number` }
  return { value }
}

function listOf(format: ValueFormat, items: readonly (string | number)[] | string): Measured {
  if (typeof items === 'string') return { bad: `the answer ${items}` }
  if (items.length > MAX_LIST_LENGTH) return { bad: `the answer has ${items.length} numbers; at most ${MAX_LIST_LENGTH} are taken` }
  const values: number[] = []
  for (const item of items) {
    const number = numberOf({ ...format, kind: 'FLOAT' }, String(item))
    if ('bad' in number) return number
    if (typeof number.value === 'number') values.push(number.value)
  }
  return { value: values }
}

function invalidReason({ reply }: ValueFormat, text: string): string | undefined {
  for (const [wire, reason] of reply.invalid)
    if (wire === text || (NUMBER.test(wire) && NUMBER.test(text) && Number(wire) === Number(text))) return `${reason} (the instrument answers ${shown(text)})`
  return undefined
}

function formatNumber(format: NumberFormat, value: number): string {
  if (format.kind === 'decimals') return withoutMinusZero(value.toFixed(format.digits))
  const text = format.kind === 'significant' ? Number(value.toPrecision(format.digits)).toString() : value.toString()
  return withoutMinusZero(text.replace('e', 'E'))
}

function withoutMinusZero(text: string): string {
  return Number(text) === 0 ? text.replace('-', '') : text
}

/** Twelve significant digits: no instrument has more, and 3 * 0.1 must be 0.3. */
function scaled(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(12))
}

/** SCPI's long form contains its short form in capitals (`VOLTage`); `1` and `+1` are the same, and so is any case. */
function sameWord(known: string, given: string): boolean {
  if (NUMBER.test(known) && NUMBER.test(given)) return Number(known) === Number(given)
  return known.toUpperCase() === given.toUpperCase()
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

/** IEEE 488.2, 8.7.8: string response data. */
function unquoted(text: string): string {
  const match = /^(["'])(.*)\1$/s.exec(text)
  if (match === null) return text
  const [, mark = '"', inside = ''] = match
  return inside.replaceAll(mark + mark, mark)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
