import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'

/**
 * Copies of a plugin's folder, for reloading: Node keeps a module for the life of the process, and the kernel a library; under another path both are new.
 * They lie in the plugin's own folder, so that its node_modules, and those of the folders above, are found from there.
 */
export class FreshCopies implements AsyncDisposable {
  readonly #folder: string
  readonly #made: string[] = []
  #count = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Where `entry` is in a new copy. */
  async make(entry: string): Promise<string> {
    const all = join(this.#folder, COPIES)
    await mkdir(all, { recursive: true })
    await writeFile(join(all, '.gitignore'), '*\n')
    this.#count += 1
    const copy = join(all, `${process.pid}-${this.#count}`)
    this.#made.push(copy)
    await mkdir(copy)
    for (const name of await readdir(this.#folder))
      if (isSource(name)) await cp(join(this.#folder, name), join(copy, name), { recursive: true, filter: (source) => isSource(basename(source)) })
    return join(copy, relative(this.#folder, entry))
  }

  /** The one before may still have a device to let go of, with code that it has not needed so far. */
  async removeOld(): Promise<void> {
    for (const copy of this.#made.splice(0, Math.max(0, this.#made.length - 2))) await rm(copy, { recursive: true, force: true })
  }

  /** Those of processes that were killed. */
  async removeAbandoned(): Promise<void> {
    const all = join(this.#folder, COPIES)
    const names = await readdir(all).catch(() => []) // none were made yet
    for (const name of names) if (/^\d+-\d+$/.test(name) && !isAlive(Number(name.split('-')[0]))) await rm(join(all, name), { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const copy of this.#made.splice(0)) await rm(copy, { recursive: true, force: true })
  }
}

const COPIES = '.kymograph'

/** Not what is installed, nor what is hidden (our copies, version control, editors' drafts). */
export function isSource(name: string): boolean {
  return name !== 'node_modules' && !name.startsWith('.')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
