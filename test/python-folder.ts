import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** One Python for all tests of a run (python.ts): its packages are large, and are installed by whoever needs them first. Vitest's global set-up. */
let made: string | undefined

export async function setup(): Promise<void> {
  if (process.env.TEST_PYTHON_FOLDER !== undefined) return // another project of this run has one
  made = await mkdtemp(path.join(tmpdir(), 'kymograph-python-'))
  process.env.TEST_PYTHON_FOLDER = made // the processes of the tests inherit it
}

export async function teardown(): Promise<void> {
  if (made !== undefined) await rm(made, { recursive: true, force: true })
}
