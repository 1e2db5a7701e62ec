import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const INSTALL_MS = 120_000

/** A Python of its own with packages from PyPI; or why there is none here. */
export type Python = AsyncDisposable & ({ readonly executable: string } | { readonly executable: undefined; readonly why: string })

export async function pythonWith(packages: readonly string[]): Promise<Python> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-python-'))
  const dispose = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
  const executable = path.join(folder, 'bin', 'python')
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS })
    await run(executable, ['-m', 'pip', 'install', '--quiet', '--no-compile', '--only-binary=:all:', ...packages], { timeout: INSTALL_MS })
    return { executable, ...dispose }
  } catch (error) {
    return { executable: undefined, why: `no Python with ${packages.join(' and ')} here: ${String(error).split('\n', 2).join(' ')}`, ...dispose }
  }
}
