import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { InvalidValue } from '../../core/errors.ts'

const MAX_TEXT_BYTES = 256 * 1024 // the longest description so far has a fortieth of it; a wrong file must not be walked for seconds

/**
 * Reads a hand-written YAML file value by value. Every refusal is an InvalidValue that starts with `<file>:<line>:<column>: `, names the place, says what is
 * wrong and what is allowed.
 */
export function readYaml(text: string, file: string): YamlFields {
  const lines = new LineCounter()
  if (text.length > MAX_TEXT_BYTES) throw new InvalidValue(`${file}:1:1: is longer than ${MAX_TEXT_BYTES} characters`, [file])
  const document = parseDocument(text, { lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0])
    const what = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')
    throw new InvalidValue(`${file}:${line}:${col}: ${what}${unquotedHint(text.split('\n')[line - 1])}`, [file])
  }
  const refuse: Refuse = (at, message) => {
    const { line, col } = lines.linePos(at)
    throw new InvalidValue(`${file}:${line}:${col}: ${message}`, [file])
  }
  return new YamlValue(document.contents, { document, refuse }, '', 0).fields()
}

/** `query: {channel}:VOLT?` is a map to YAML, as is the end of `{ set: VOLT {value} }`; its own error speaks of neither. */
function unquotedHint(line = ''): string {
  const [braces] = /\{\w+\}/.exec(line) ?? []
  return braces === undefined ? '' : `; a text with ${braces} in it stands in quotes here`
}

type Refuse = (at: number, message: string) => never
type Source = { readonly document: Document; readonly refuse: Refuse }

/** One value with its place. */
export class YamlValue {
  /** What it is called in messages, e.g. `parameters.voltage.range`. */
  readonly place: string
  readonly #node: Node | null | undefined
  readonly #source: Source
  readonly #at: number
  /** Of an alias that stands for nothing. */
  readonly #unquoted: string | undefined

  constructor(node: unknown, source: Source, place: string, at: number) {
    const found = isAlias(node) ? node.resolve(source.document) : node
    this.#unquoted = isAlias(node) && found === undefined ? `*${node.source}` : undefined
    this.#node = isScalar(found) || isMap(found) || isSeq(found) ? found : undefined
    this.#source = source
    this.place = place
    this.#at = (isAlias(node) ? node.range?.[0] : this.#node?.range?.[0]) ?? at
  }

  refuse(message: string): never {
    const said = this.#unquoted === undefined ? message : `a text that begins with * stands in quotes: '${this.#unquoted}'`
    return this.#source.refuse(this.#at, this.place === '' ? said : `${this.place}: ${said}`)
  }

  /** As it is written, quotes and escapes resolved: `0.10` stays `0.10`. */
  text(what = 'a text'): string {
    const node = this.#node
    if (!isScalar(node) || node.value === null || node.value === undefined) return this.refuse(`give ${what}`)
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
  }

  number(limits: { readonly minimum?: number; readonly maximum?: number; readonly whole?: boolean } = {}): number {
    const value = isScalar(this.#node) ? this.#node.value : undefined
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, whole = false } = limits
    if (typeof value === 'number' && Number.isFinite(value) && value >= minimum && value <= maximum && (!whole || Number.isInteger(value))) return value
    const range = limits.minimum === undefined ? '' : limits.maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`
    return this.refuse(`give a ${whole ? 'whole ' : ''}number${range}`)
  }

  /** undefined when it is no number; a text that stands for a number, such as a question, is not one. */
  ifNumber(): number | undefined {
    return isScalar(this.#node) && typeof this.#node.value === 'number' ? this.number() : undefined
  }

  isList(): boolean {
    return isSeq(this.#node)
  }

  isFields(): boolean {
    return isMap(this.#node)
  }

  isText(): boolean {
    return isScalar(this.#node) && typeof this.#node.value === 'string'
  }

  boolean(): boolean {
    const value = isScalar(this.#node) ? this.#node.value : undefined
    return typeof value === 'boolean' ? value : this.refuse('give true or false')
  }

  oneOf<Choice extends string | number>(choices: readonly Choice[]): Choice {
    const given = isScalar(this.#node) ? this.#node.value : undefined
    const choice = choices.find((candidate) => candidate === given)
    if (choice !== undefined) return choice
    const hint = typeof given === 'string' ? suggestion(given, choices.map(String)) : ''
    return this.refuse(`${given === undefined ? 'this' : JSON.stringify(given)} is not allowed${hint}; choose one of ${choices.join(', ')}`)
  }

  pattern(): RegExp {
    const text = this.text('a regular expression')
    try {
      return new RegExp(text)
    } catch (error) {
      return this.refuse(`is not a regular expression: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  list(): readonly YamlValue[] {
    const node = this.#node
    if (!isSeq(node)) return this.refuse('give a list')
    return node.items.map((item, index) => new YamlValue(item, this.#source, `${this.place}[${index + 1}]`, this.#at))
  }

  /** One text, or a list of them. */
  texts(): readonly YamlValue[] {
    return this.isList() ? this.list() : [this]
  }

  fields(): YamlFields {
    const node = this.#node
    if (!isMap(node)) return this.refuse('give keys with values, one on each line')
    return new YamlFields(node, this.#source, this)
  }
}

/** Keys with values. */
export class YamlFields {
  readonly value: YamlValue
  readonly #map: YAMLMap
  readonly #source: Source

  constructor(map: YAMLMap, source: Source, value: YamlValue) {
    this.#map = map
    this.#source = source
    this.value = value
  }

  /** Refuses every key that is not in the list: silently ignored, a misspelt one would leave its default in force. */
  allow(...keys: readonly string[]): this {
    for (const [key, value] of this.entries())
      if (!keys.includes(key.name)) this.#source.refuse(key.at, `${value.place} is not known here${suggestion(key.name, keys)}; allowed are ${keys.join(', ')}`)
    return this
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  get(key: string): YamlValue | undefined {
    return this.entries().find(([{ name }]) => name === key)?.[1]
  }

  need(key: string, why: string): YamlValue {
    return this.get(key) ?? this.value.refuse(`${key} is missing: ${why}`)
  }

  entries(): readonly (readonly [{ readonly name: string; readonly at: number }, YamlValue])[] {
    return this.#map.items.map(({ key, value }) => {
      const at = isScalar(key) ? (key.range?.[0] ?? 0) : 0
      const name = isScalar(key) ? (typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))) : this.value.refuse('a key must be a word')
      return [{ name, at }, new YamlValue(value, this.#source, this.value.place === '' ? name : `${this.value.place}.${name}`, at)] as const
    })
  }
}

const NEAR = 0.4 // of its letters may be wrong before a word is taken for another one

/** `; did you mean "x"?`, or nothing. */
function suggestion(given: string, allowed: readonly string[]): string {
  const [nearest] = allowed.map((word) => ({ word, changes: distance(given.toLowerCase(), word.toLowerCase()) })).sort((a, b) => a.changes - b.changes)
  return nearest !== undefined && nearest.changes <= Math.max(1, NEAR * given.length) ? `; did you mean ${nearest.word}?` : ''
}

/** Letters to add, drop, change or swap with their neighbour (Damerau and Levenshtein, restricted). */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1] ? 0 : 1
      const above = rows[row - 1] ?? []
      let least = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + same)
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1])
        least = Math.min(least, (rows[row - 2]?.[column - 2] ?? 0) + 1)
      current.push(least)
    }
    rows.push(current)
  }
  return rows[from.length]?.[to.length] ?? 0
}
