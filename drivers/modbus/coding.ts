import { InvalidValue, LimitViolation } from '../../core/errors.ts'
import type { ParameterKind } from '../../core/parameter.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { Register } from './profile.ts'

/** Words of a device to values and back. Pure. */

const WORD = 0x1_0000
const NO_WORDS: readonly number[] = []
const PRINTABLE = /^[\x20-\x7e]*$/

/**
 * Of the words from `from` on. undefined when they mean nothing: a state that the profile does not know, digits that are none, a float that is not a
 * number.
 */
export function decode(register: Register, given: readonly number[], from = 0): ParameterValue | undefined {
  for (let index = 0; index < register.words; index += 1) if (!isWord(given[from + index])) return undefined
  // One word of a hundred is the common case: nothing is copied for it.
  const words = register.words === 1 && register.order === 'ABCD' ? NO_WORDS : ordered(register, given.slice(from, from + register.words))
  const word = (words === NO_WORDS ? given[from] : words[0]) ?? 0
  switch (register.coding) {
    case 'bit':
      return ((word >> (register.bit ?? 0)) & 1) === 1
    case 'code':
      return String(word)
    case 'enum':
      return register.names?.get(word)
    case 'bits':
      return namesOf(word, register.names)
    case 'text':
      return textOf(words === NO_WORDS ? [word] : words)
    default: {
      const number = numberOf(register, word, words)
      return number === undefined || !Number.isFinite(number) ? undefined : scaled(register, number)
    }
  }
}

/**
 * The words for a value. Throws LimitViolation or InvalidValue when the register cannot hold it or its limits forbid it: nothing is cut off. Rounded to
 * the nearest count: 58.7 is 59 where a count is 1.
 */
export function encode(register: Register, value: ParameterValue): readonly number[] {
  const { name, coding, names } = register
  const refuse = (allowed: string): never => {
    throw new InvalidValue(`${name}: ${JSON.stringify(value)} is not allowed; ${allowed}`, [name])
  }
  switch (coding) {
    case 'bit':
      return typeof value === 'boolean' ? [value ? 1 << (register.bit ?? 0) : 0] : refuse('give true or false')
    case 'enum': {
      const found = [...(names ?? [])].find(([, known]) => known === value)
      return found === undefined ? refuse(`choose one of ${[...(names?.values() ?? [])].join(', ')}`) : ordered(register, [found[0]])
    }
    case 'text':
      if (typeof value !== 'string' || value.length > 2 * register.words || !PRINTABLE.test(value))
        return refuse(`give at most ${2 * register.words} ASCII characters`)
      return ordered(register, textWords(value, register.words))
    case 'code':
    case 'bits':
      return refuse('it can only be read')
    default:
      if (typeof value !== 'number' || !Number.isFinite(value)) return refuse('give a finite number')
      return ordered(register, numberWords(register, value))
  }
}

/** What a person sees. */
export function kindOf({ coding, scale, offset }: Register): ParameterKind {
  switch (coding) {
    case 'bit':
      return 'BOOLEAN'
    case 'enum':
      return 'ENUM'
    case 'bits':
    case 'code':
    case 'text':
      return 'TEXT'
    case 'f32':
    case 'f64':
      return 'FLOAT'
    default:
      return Number.isInteger(scale) && Number.isInteger(offset) ? 'INTEGER' : 'FLOAT'
  }
}

/** What the register can hold, in the parameter's unit; undefined for what is no number, or a float. */
export function rangeOf(register: Pick<Register, 'coding' | 'words' | 'scale' | 'offset'>): { readonly minimum: number; readonly maximum: number } | undefined {
  const counts = countsOf(register)
  if (counts === undefined) return undefined
  const ends = counts.map((count) => scaled(register, count))
  return { minimum: Math.min(...ends), maximum: Math.max(...ends) }
}

function countsOf({ coding, words }: Pick<Register, 'coding' | 'words'>): readonly [number, number] | undefined {
  switch (coding) {
    case 'u16':
      return [0, 0xffff]
    case 'i16':
      return [-0x8000, 0x7fff]
    case 'magnitude':
      return [0, 0x7fff]
    case 'u32':
      return [0, 0xffff_ffff]
    case 'i32':
      return [-0x8000_0000, 0x7fff_ffff]
    case 'bcd':
      return [0, 10 ** (4 * words) - 1]
    default:
      return undefined
  }
}

/** By division where a count is a whole part of the unit, so that 215 tenths are 21.5 and nothing else. */
function scaled({ scale, offset }: Pick<Register, 'scale' | 'offset'>, count: number): number {
  const perUnit = Math.round(1 / scale)
  const value = perUnit > 1 && Math.abs(scale * perUnit - 1) < 1e-12 ? count / perUnit : count * scale
  return offset === 0 ? value : Number((value + offset).toPrecision(12))
}

function numberOf({ coding }: Register, first: number, words: readonly number[]): number | undefined {
  const [, second = 0, third = 0, fourth = 0] = words
  switch (coding) {
    case 'i16':
      return signed(first, WORD)
    case 'magnitude':
      return Math.abs(signed(first, WORD))
    case 'u32':
      return first * WORD + second
    case 'i32':
      return signed(first * WORD + second, WORD * WORD)
    case 'bcd':
      return digitsOf(words === NO_WORDS ? [first] : words)
    case 'f32':
      return Number(floats.at(first, second).getFloat32(0).toPrecision(7)) // all that single precision has
    case 'f64':
      return floats.at(first, second, third, fourth).getFloat64(0)
    default:
      return first
  }
}

function numberWords(register: Register, value: number): readonly number[] {
  const { coding, name, unit, words } = register
  const range = rangeOf(register)
  const minimum = Math.max(register.minimum ?? Number.NEGATIVE_INFINITY, range?.minimum ?? Number.NEGATIVE_INFINITY)
  const maximum = Math.min(register.maximum ?? Number.POSITIVE_INFINITY, range?.maximum ?? Number.POSITIVE_INFINITY)
  if (value < minimum || value > maximum) throw new LimitViolation(name, value, minimum, maximum, unit)
  const number = (value - register.offset) / register.scale
  if (coding === 'f32') return floats.words((view) => view.setFloat32(0, number), 2)
  if (coding === 'f64') return floats.words((view) => view.setFloat64(0, number), 4)
  const count = Math.round(Number(number.toPrecision(15))) // 20.29 hundredfold is 2028.99… in floating point
  if (coding === 'bcd') return bcdWords(count, words)
  return words === 1 ? [count & 0xffff] : [Math.floor(count / WORD) & 0xffff, count & 0xffff]
}

/** Most significant word first, most significant byte first; the same way back. */
function ordered({ order }: Pick<Register, 'order'>, words: readonly number[]): readonly number[] {
  if (order === 'ABCD') return words
  const turned = order === 'CDAB' || order === 'DCBA' ? words.toReversed() : words
  return order === 'CDAB' ? turned : turned.map((word) => ((word & 0xff) << 8) | (word >> 8))
}

function signed(number: number, range: number): number {
  return number >= range / 2 ? number - range : number
}

function digitsOf(words: readonly number[]): number | undefined {
  let number = 0
  for (const word of words)
    for (let shift = 12; shift >= 0; shift -= 4) {
      const digit = (word >> shift) & 0xf
      if (digit > 9) return undefined
      number = 10 * number + digit
    }
  return number
}

function bcdWords(count: number, words: number): readonly number[] {
  const digits = String(count).padStart(4 * words, '0')
  return Array.from({ length: words }, (_, index) => Number.parseInt(digits.slice(4 * index, 4 * index + 4), 16))
}

function namesOf(word: number, names: ReadonlyMap<number, string> | undefined): string {
  const set: string[] = []
  for (let bit = 0; bit < 16; bit += 1) if ((word & (1 << bit)) !== 0) set.push(names?.get(bit) ?? `bit ${bit}`)
  return set.length === 0 ? 'none' : set.join(', ')
}

function textOf(words: readonly number[]): string | undefined {
  const text = String.fromCharCode(...words.flatMap((word) => [word >> 8, word & 0xff]))
  const end = text.indexOf('\0')
  const shown = (end < 0 ? text : text.slice(0, end)).trimEnd()
  return PRINTABLE.test(shown) ? shown : undefined
}

function textWords(text: string, words: number): readonly number[] {
  const padded = text.padEnd(2 * words, ' ')
  return Array.from({ length: words }, (_, index) => (padded.charCodeAt(2 * index) << 8) | padded.charCodeAt(2 * index + 1))
}

function isWord(word: number | undefined): boolean {
  return word !== undefined && Number.isInteger(word) && word >= 0 && word < WORD
}

/** Words as the bytes of a float. */
const floats = {
  at(...words: readonly number[]): DataView {
    const view = new DataView(new ArrayBuffer(2 * words.length))
    for (const [index, word] of words.entries()) view.setUint16(2 * index, word)
    return view
  },
  words(put: (view: DataView) => void, count: number): readonly number[] {
    const view = new DataView(new ArrayBuffer(2 * count))
    put(view)
    return Array.from({ length: count }, (_, index) => view.getUint16(2 * index))
  },
}
