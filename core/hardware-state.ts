import type { ParameterValue, Reading } from './reading.ts'

/**
 * A hardware state as states are compared: the known values of many parameters, ordered by the parameters' integer keys, in two columns so that thousands
 * can be gone through. A value is a number, or a category, of which two are only alike or not: a choice, a text, a switch, a list.
 */
export type HardwareState = {
  /** The parameter's key, doubled, plus one for a category. Ascending. */
  readonly words: Uint32Array
  readonly values: Float64Array
}

export type KeyedReading = { readonly key: number; readonly reading: Reading }

/** What is not known now (BAD, STALE) is not there: a device that is offline must not look like one at its last values. */
export function hardwareState(readings: readonly KeyedReading[]): HardwareState {
  const known = readings
    .flatMap(({ key, reading: { quality, value } }) => {
      const compared = quality === 'GOOD' || quality === 'UNCERTAIN' ? comparable(value) : undefined
      return compared === undefined ? [] : [{ word: key * 2 + (compared.category ? 1 : 0), value: compared.value }]
    })
    .sort((a, b) => a.word - b.word)
  return { words: Uint32Array.from(known, ({ word }) => word), values: Float64Array.from(known, ({ value }) => value) }
}

export function keyOf(word: number): number {
  return word >>> 1
}

export function isCategory(word: number): boolean {
  return (word & 1) === 1
}

const VALUE_BYTES = 8
const WORD_BYTES = 4

/** Values, then words, both little-endian: twelve bytes a parameter. */
export function packState({ words, values }: HardwareState): Uint8Array {
  const bytes = new Uint8Array(words.length * (VALUE_BYTES + WORD_BYTES))
  const view = new DataView(bytes.buffer)
  for (const [at, value] of values.entries()) view.setFloat64(at * VALUE_BYTES, value, true)
  for (const [at, word] of words.entries()) view.setUint32(values.length * VALUE_BYTES + at * WORD_BYTES, word, true)
  return bytes
}

export function unpackState(bytes: Uint8Array): HardwareState {
  const count = Math.floor(bytes.length / (VALUE_BYTES + WORD_BYTES))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float64Array(count)
  const words = new Uint32Array(count)
  for (let at = 0; at < count; at += 1) {
    values[at] = view.getFloat64(at * VALUE_BYTES, true)
    words[at] = view.getUint32(count * VALUE_BYTES + at * WORD_BYTES, true)
  }
  return { words, values }
}

function comparable(value: ParameterValue | undefined): { readonly category: boolean; readonly value: number } | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? { category: false, value } : undefined
    case 'boolean':
      return { category: true, value: value ? 1 : 0 }
    case 'string':
      return { category: true, value: hash(value) }
    case 'object':
      return { category: true, value: hash(value.map((item) => item.toPrecision(LIST_DIGITS)).join()) }
    case 'undefined':
      return undefined
  }
}

const LIST_DIGITS = 6 // of each item of a list: what is beyond is how it was computed

/** FNV-1a (draft-eastlake-fnv) over UTF-16 units from two beginnings, 53 bits together: two of a million texts meet with a chance of one in ten thousand. */
function hash(text: string): number {
  let low = 0x811c9dc5
  let high = 0x050c5d1f
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit ^ (low >>> 13), 0x01000193)
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0)
}
