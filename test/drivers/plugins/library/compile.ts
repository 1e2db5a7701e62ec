import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const INCLUDE = join(import.meta.dirname, '../../../../native/include')

/** Compiles a C file of this folder to a shared library; `flags` beside those. */
export async function compileLibrary(source: string, library: string, ...flags: readonly string[]): Promise<void> {
  await promisify(execFile)('cc', [
    ...['-shared', '-fPIC', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', `-I${INCLUDE}`],
    ...flags,
    ...['-o', library, join(import.meta.dirname, source)],
  ])
}
