import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'

/** docker-compose.yml as far as tests look at it. */
export type ComposeFile = {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, null>>
}
export type ComposeService = {
  readonly image: string
  readonly build?: { readonly args?: Readonly<Record<string, string>> }
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly string[]
}

export const PROJECT = path.join(import.meta.dirname, '../..')

export function readComposeText(): string {
  return readFileSync(path.join(PROJECT, 'docker-compose.yml'), 'utf8')
}

export function readComposeFile(): ComposeFile {
  return parse(readComposeText(), { merge: true }) as ComposeFile
}

/** `${NAME:-default}`, with defaults inside defaults, where no variable is set. */
export function withDefaults(text: string): string {
  const innermost = /\$\{[A-Z0-9_]+(?::-([^${}]*))?\}/
  let result = text
  while (innermost.test(result)) result = result.replace(innermost, '$1')
  return result
}
