import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const INSTALL_MS = 120_000 // a hundred megabytes of packages on a slow line; also how long to wait for another test that installs

/** A Python with packages from PyPI, common to all tests of a run (python-folder.ts removes it); or why there is none here. */
export type Python = { readonly executable: string } | { readonly executable: undefined; readonly why: string }

export async function pythonWith(packages: readonly string[]): Promise<Python> {
  const folder = process.env.TEST_PYTHON_FOLDER
  if (folder === undefined) throw new Error('Vitest runs without its global set-up, test/python-folder.ts')
  const executable = path.join(folder, 'bin', 'python')
  try {
    // One at a time: two that install into one folder spoil it for both.
    await run('flock', ['--no-fork', path.join(folder, 'lock'), 'sh', '-ec', INSTALL, 'sh', folder, ...packages], { timeout: 2 * INSTALL_MS })
    return { executable }
  } catch (error) {
    return { executable: undefined, why: `no Python with ${packages.join(' and ')} here: ${String(error).split('\n', 2).join(' ')}` }
  }
}

const INSTALL = `folder=$1; shift
test -x "$folder/bin/pip" || python3 -m venv "$folder"
exec "$folder/bin/python" -m pip install --quiet --no-compile --only-binary=:all: "$@"`
