import type { YamlValue } from '../catalog/yaml-reader.ts'
import type { Condition } from './description.ts'
import { placeholders } from './template.ts'

/** What may stand in braces, and what it is. */
export type Allowed = Readonly<Record<string, string>>

const MAX_COMMAND_LENGTH = 1024 // longer than any command of a bench instrument
const PRINTABLE = /^[\x20-\x7e]+$/ // SCPI is ASCII; a line break would be two commands

/** A text for the wire. What it sets must hold `{value}`; a question mark makes it a question. */
export function readTemplate(value: YamlValue, allowed: Allowed, kind: 'query' | 'set' | 'command'): string {
  const text = value.text(`the ${kind} as it stands on the wire`).trim()
  if (!PRINTABLE.test(text) || text.length > MAX_COMMAND_LENGTH) value.refuse(`write at most ${MAX_COMMAND_LENGTH} printable ASCII characters on one line`)
  const found = placeholders(text)
  const unknown = found.find((name) => !Object.hasOwn(allowed, name))
  if (unknown !== undefined) {
    const known = Object.entries(allowed).map(([name, meaning]) => `{${name}} (${meaning})`)
    value.refuse(`{${unknown}} stands for nothing here; ${known.length === 0 ? 'nothing may stand in braces' : `allowed are ${known.join(', ')}`}`)
  }
  if (kind === 'set' && !found.includes('value')) value.refuse('write {value} where the value goes')
  if (kind === 'query' && !text.includes('?')) value.refuse(`${JSON.stringify(text)} is not a question: it has no question mark`)
  if (kind !== 'query' && text.includes('?')) value.refuse('is a question, and nobody waits for its answer here')
  return text
}

/** One or several commands that are not answered. */
export function readTemplates(value: YamlValue, allowed: Allowed): readonly string[] {
  return value.texts().map((each) => readTemplate(each, allowed, 'command'))
}

/** A question whose answer matches or does not. */
export function readCondition(value: YamlValue, allowed: Allowed): Condition {
  const fields = value.fields().allow('query', 'pattern', 'otherwise')
  const otherwise = fields.get('otherwise')?.text()
  return {
    query: readTemplate(fields.need('query', 'what is asked'), allowed, 'query'),
    pattern: fields.need('pattern', 'a regular expression that the answer matches').pattern(),
    ...(otherwise !== undefined && { otherwise }),
  }
}
