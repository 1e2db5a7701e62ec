import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const PROJECT = path.resolve(import.meta.dirname, '../..')
const NOT_OURS = new Set(['node_modules', 'dist', 'build', 'generated', 'data', 'coverage', '.git'])

/** Relative paths of the files below a folder of the project, with slashes. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(path.join(PROJECT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(file, pattern)
    return pattern.test(entry.name) ? [file] : []
  })
}

export function read(file: string): string {
  return readFileSync(path.join(PROJECT, file), 'utf8')
}

/** Project files that a file imports by relative path. */
export function relativeImports(file: string): string[] {
  const specifiers = [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, specifier = '']) => specifier)
  return specifiers.map((specifier) => path.posix.join(path.posix.dirname(file), specifier))
}
