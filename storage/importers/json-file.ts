import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '../../core/errors.ts'
import { type ImportFile, refuse } from './importer.ts'

const MAX_BYTES = 64 * 1024 * 1024 // a night's session has a few hundred kilobytes; what is larger is something else

export type JsonObject = Readonly<Record<string, unknown>>

export async function readText(file: ImportFile): Promise<string> {
  const { size } = await stat(file.path)
  if (size > MAX_BYTES) refuse(file, 'the whole', `${size} bytes are more than such a file can have (${MAX_BYTES})`)
  return await readFile(file.path, 'utf8')
}

export async function readJson(file: ImportFile): Promise<JsonObject> {
  let value: unknown
  const text = await readText(file)
  try {
    value = JSON.parse(text)
  } catch (error) {
    refuse(file, `line ${lineOf(text)}`, `not JSON (${messageOf(error)})`)
  }
  return isObject(value) ? value : refuse(file, 'the whole', 'give a JSON object')
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A part of it that must be an object. */
export function objectAt(file: ImportFile, parent: JsonObject, key: string): JsonObject {
  const value = parent[key]
  return isObject(value) ? value : refuse(file, key, 'missing, or no object')
}

export function numberAt(file: ImportFile, parent: JsonObject, key: string, where: string): number {
  const value = parent[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(file, `${where}.${key}`, `${JSON.stringify(value)} is not a number`)
}

/** Of the first character that makes it no JSON: every shorter beginning only ends too early. The parser itself does not always say. */
function lineOf(text: string): number {
  let good = 0
  for (let bad = text.length; good < bad; ) {
    const middle = Math.ceil((good + bad) / 2)
    if (endsTooEarly(text.slice(0, middle))) good = middle
    else bad = middle - 1
  }
  return text.slice(0, good + 1).split('\n').length
}

function endsTooEarly(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    return /end of JSON input|Unterminated/.test(messageOf(error))
  }
}
