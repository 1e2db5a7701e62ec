import { realpath } from 'node:fs/promises'
import { messageOf } from '../../core/errors.ts'
import { type DriverSource, Listeners } from '../catalog/driver-catalog.ts'
import { Rescan } from '../catalog/rescan.ts'
import type { Driver } from '../driver.ts'
import { type FolderState, folderState, watchFolders } from './folder-state.ts'
import { FreshCopies } from './fresh-copy.ts'
import { guardedDriver } from './guarded-driver.ts'
import { loadDrivers } from './load.ts'
import { pluginFolder, readManifest } from './manifest.ts'
import { rehearse } from './rehearsal.ts'
import { type Culprit, inNameOf } from './stray-errors.ts'

export type PluginOptions = {
  /** As a person named it: an absolute path, or a package. */
  readonly place: string
  /** Packages are installed in node_modules below. */
  readonly pluginsDir: string
  /** Load it again when a file of it changes; for its author. */
  readonly watch: boolean
  readonly log: (line: string) => void
  /** What a person must mend. */
  readonly warn: (line: string) => void
  /** Default LOAD_WITHIN_MS. */
  readonly loadWithinMs?: number
  /** Of the process that tries it out; for sources that Node cannot run by itself. */
  readonly execArgv?: readonly string[]
}

const LOAD_WITHIN_MS = 10_000 // one that opens nothing is there in milliseconds; what downloads or asks something must do that when a port is opened

/** One plugin: what it offers, or why it does not. `loaded` resolves after the first try, whatever came of it. */
export class PluginSource implements DriverSource, AsyncDisposable {
  readonly loaded: Promise<void>
  readonly #options: PluginOptions
  readonly #listeners = new Listeners()
  #name: string
  #drivers: readonly Driver[] = []
  #broken: string | undefined
  #blamed: string | undefined
  #culprit: Culprit | undefined
  #state: FolderState | undefined
  #rescan: Rescan | undefined
  #copies: FreshCopies | undefined
  readonly #closing = new AbortController()

  constructor(options: PluginOptions) {
    this.#options = options
    this.#name = `plugin ${options.place}`
    this.loaded = this.#open().catch((error: unknown) => this.#note(messageOf(error)))
  }

  get name(): string {
    return this.#name
  }

  get drivers(): readonly Driver[] {
    return this.#drivers
  }

  get problems(): readonly string[] {
    return [this.#broken, this.#blamed].filter((problem) => problem !== undefined)
  }

  /** Whose code it is, for errors that it leaves behind. */
  get culprit(): Culprit | undefined {
    return this.#culprit
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#rescan?.[Symbol.asyncDispose]()
    await this.loaded
    await this.#copies?.[Symbol.asyncDispose]()
  }

  async #open(): Promise<void> {
    const { place, pluginsDir, watch } = this.#options
    let folder: string
    try {
      folder = await resolved(pluginFolder(place, pluginsDir))
    } catch (error) {
      return this.#note(messageOf(error))
    }
    this.#culprit = {
      folder,
      blame: (sentence) => {
        this.#blamed = sentence
        this.#options.warn(`${this.name}: ${sentence}`)
        this.#listeners.tell()
      },
    }
    if (!watch) return await this.#load(folder, this.#culprit)
    this.#copies = new FreshCopies(folder)
    await this.#copies.removeAbandoned()
    this.#rescan = new Rescan(
      () => this.#look(folder),
      (changed) => watchFolders(this.#state?.folders ?? [folder], changed),
    )
    await this.#rescan.now()
  }

  async #look(folder: string): Promise<void> {
    const state = await folderState(folder)
    if (state.text === this.#state?.text || this.#culprit === undefined) return
    this.#state = state
    if (state.problem !== undefined) this.#note(state.problem)
    else await this.#load(folder, this.#culprit)
  }

  /** The new drivers, or the old ones and why there are no new ones. */
  async #load(folder: string, culprit: Culprit): Promise<void> {
    try {
      const { name, version, entry } = await readManifest(folder)
      this.#name = `plugin ${name}`
      const module = (await this.#copies?.make(entry)) ?? entry
      const { loadWithinMs = LOAD_WITHIN_MS, execArgv } = this.#options
      await rehearse(module, loadWithinMs, this.#closing.signal, execArgv)
      if (this.#closing.signal.aborted) return
      const drivers = await inNameOf(culprit, () => loadDrivers(module, loadWithinMs))
      this.#drivers = drivers.map((driver) => guardedDriver(driver, culprit))
      this.#blamed = undefined
      this.#options.log(`${this.#name} ${version} offers ${drivers.map(({ id }) => id).join(', ') || 'no driver'}`)
      this.#note(undefined)
      await this.#copies?.removeOld()
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#note(messageOf(error))
    }
  }

  #note(problem: string | undefined): void {
    if (problem !== undefined) this.#options.warn(`${this.#name}: ${problem}${this.#drivers.length === 0 ? '' : '; what was loaded before goes on'}`)
    this.#broken = problem
    this.#listeners.tell()
  }
}

/** Where a link leads (npm links packages that are folders): errors name their files so. */
async function resolved(folder: string): Promise<string> {
  return await realpath(folder).catch(() => folder) // it may come later
}
