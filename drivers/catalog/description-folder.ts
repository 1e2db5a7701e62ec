import { watch } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import type { Driver } from '../driver.ts'
import type { DescriptionFormat } from './description.ts'
import { driverOfDescription } from './description-file.ts'
import { type DriverSource, Listeners } from './driver-catalog.ts'
import { Rescan } from './rescan.ts'

export type DescriptionFolderOptions = {
  /** As people know it. */
  readonly name: string
  readonly folder: string
  readonly formats: readonly DescriptionFormat[]
  /** Folders below are read too, and nothing is watched: what came with the program. */
  readonly fixed?: boolean
  readonly log: (line: string) => void
  /** What a person must mend. */
  readonly warn: (line: string) => void
}

const MAX_FILE_BYTES = 1024 * 1024 // a description of a thousand parameters is a tenth of it
const MAX_FILES = 1000 // more is another folder given by mistake
const DESCRIPTION = /^[^.].*\.ya?ml$/ // not the hidden drafts of editors

type Read = { readonly text: string; readonly driver?: Driver; readonly problem?: string }

/**
 * The drivers that the `*.yaml` files of one folder describe. It is watched: a changed file is a new version of its driver; one that is broken is reported
 * with its line, and its last good version goes on for as long as this process lives. A missing folder is made.
 */
export async function openDescriptionFolder(options: DescriptionFolderOptions): Promise<DriverSource & AsyncDisposable> {
  const folder = new DescriptionFolder(options)
  await folder.first()
  return folder
}

class DescriptionFolder implements DriverSource, AsyncDisposable {
  readonly name: string
  readonly #options: DescriptionFolderOptions
  readonly #listeners = new Listeners()
  readonly #rescan: Rescan | undefined
  #files: ReadonlyMap<string, Read> = new Map()
  #unreadable: string | undefined

  constructor(options: DescriptionFolderOptions) {
    this.name = options.name
    this.#options = options
    if (options.fixed === true) return
    const watching = (changed: () => void): Disposable => {
      const watcher = watch(options.folder, { persistent: false }, changed)
      watcher.on('error', () => watcher.close()) // the folder is gone; the slow look goes on, and watches again once it is back
      return { [Symbol.dispose]: () => watcher.close() }
    }
    this.#rescan = new Rescan(() => this.#scan(), watching)
  }

  get drivers(): readonly Driver[] {
    return [...this.#files.values()].flatMap(({ driver }) => (driver === undefined ? [] : [driver]))
  }

  get problems(): readonly string[] {
    const problems = [...this.#files.values()].flatMap(({ problem }) => (problem === undefined ? [] : [problem]))
    return this.#unreadable === undefined ? problems : [this.#unreadable, ...problems]
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async first(): Promise<void> {
    await (this.#rescan === undefined ? this.#scan() : this.#rescan.now())
  }

  /** Never throws: what is wrong is among the problems. */
  async #scan(): Promise<void> {
    const before = this.#files
    const wasUnreadable = this.#unreadable
    const names = await this.#names()
    if (names !== undefined) {
      const files = new Map<string, Read>()
      for (const name of names) files.set(name, await this.#read(name, before.get(name)))
      this.#files = files
      this.#tellOf(before, files)
    }
    const changed = before.size !== this.#files.size || [...this.#files].some(([name, read]) => before.get(name) !== read)
    if (changed || wasUnreadable !== this.#unreadable) this.#listeners.tell()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rescan?.[Symbol.asyncDispose]()
  }

  /** In the order of their names, so that of two with one id always the same is refused. */
  async #names(): Promise<readonly string[] | undefined> {
    const { folder, fixed = false } = this.#options
    try {
      if (!fixed) await mkdir(folder, { recursive: true })
      const names = (await readdir(folder, { recursive: fixed })).filter((name) => DESCRIPTION.test(name)).sort()
      this.#unreadable = names.length > MAX_FILES ? `${folder} has ${names.length} descriptions; the first ${MAX_FILES} are taken` : undefined
      return names.slice(0, MAX_FILES)
    } catch (error) {
      if (fixed && error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      this.#unreadable = `${folder} cannot be read: ${messageOf(error)}`
      return undefined
    }
  }

  async #read(name: string, before: Read | undefined): Promise<Read> {
    const last = before?.driver === undefined ? {} : { driver: before.driver }
    const broken = (text: string, problem: string): Read => (before?.text === text && before.problem === problem ? before : { text, problem, ...last })
    let text = ''
    try {
      const path = join(this.#options.folder, name)
      const { size } = await stat(path)
      if (size > MAX_FILE_BYTES) return broken('', `${name} is too long: ${size} bytes; ${MAX_FILE_BYTES} are allowed`)
      text = await readFile(path, 'utf8')
    } catch (error) {
      return broken('', `${name} cannot be read: ${messageOf(error)}`)
    }
    if (before?.text === text) return before
    try {
      return { text, driver: driverOfDescription(this.#options.formats, text, name) }
    } catch (error) {
      return broken(text, messageOf(error))
    }
  }

  #tellOf(before: ReadonlyMap<string, Read>, after: ReadonlyMap<string, Read>): void {
    const { log, warn } = this.#options
    for (const [name, read] of after) {
      const old = before.get(name)
      if (old === read) continue
      if (read.problem !== undefined) warn(`${this.name}: ${read.problem}${read.driver === undefined ? '' : '; its last good version goes on'}`)
      else if (old !== undefined) log(`${this.name}: ${name} was read again`)
    }
    for (const name of before.keys()) if (!after.has(name)) log(`${this.name}: ${name} is gone`)
  }
}
