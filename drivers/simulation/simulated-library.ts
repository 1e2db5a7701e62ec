import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceSettings } from '../../core/device.ts'
import type { BookEntry } from '../address.ts'
import type { Fault, RunningSimulation, SimulationOptions } from './simulation.ts'

const SEQUENCE_DIGITS = 6 // the library takes the first by name

/** What is simulated: a library of ours that exports the functions of a vendor's, and what it can be told. */
export type LibrarySource = {
  readonly path: string
  readonly devices: readonly DeviceSettings[]
  readonly errors: readonly string[]
  /** Texts of the files that this copy reads when it is opened, by what their names end with. */
  readonly files?: Readonly<Record<string, string>>
}

/** A copy of the library has devices of its own, and is told its faults by files beside it (native/simulated/faults.h). */
export class SimulatedLibrary implements RunningSimulation {
  readonly entry: BookEntry
  readonly devices: readonly DeviceSettings[]
  readonly errors: readonly string[]
  readonly #path: string
  readonly #faults: string
  readonly #unplugged: string
  readonly #files: readonly string[]
  #injected = 0

  constructor({ path, devices, errors, files = {} }: LibrarySource, { folder, name }: Pick<SimulationOptions, 'folder' | 'name'>) {
    this.devices = devices
    this.errors = errors
    this.#path = join(folder, `${name}.so`)
    this.#faults = `${this.#path}.faults`
    this.#unplugged = `${this.#path}.unplugged`
    this.#files = Object.keys(files).map((ending) => `${this.#path}${ending}`)
    this.entry = { kind: 'library', path: this.#path }
    // Renamed into place: a process that outlived the lab before still runs the file that was there, and would die of other bytes in it.
    copyFileSync(path, `${this.#path}.new`)
    renameSync(`${this.#path}.new`, this.#path)
    for (const [ending, text] of Object.entries(files)) writeFileSync(`${this.#path}${ending}`, text)
    mkdirSync(this.#faults, { recursive: true })
  }

  inject(...faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#injected += 1
      // Renamed into place: a call that is under way sees it whole or not at all.
      writeFileSync(`${this.#faults}.new`, wordsOf(fault))
      renameSync(`${this.#faults}.new`, join(this.#faults, String(this.#injected).padStart(SEQUENCE_DIGITS, '0')))
    }
  }

  get faultsLeft(): number {
    return existsSync(this.#faults) ? readdirSync(this.#faults).length : 0
  }

  async unplug(): Promise<void> {
    await writeFile(this.#unplugged, '')
  }

  async plugIn(): Promise<void> {
    await rm(this.#unplugged, { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of [this.#path, this.#faults, this.#unplugged, ...this.#files]) rmSync(path, { recursive: true, force: true })
  }
}

function wordsOf(fault: Fault): string {
  if (fault.kind === 'late') return `late ${Math.round(fault.byMs)}`
  return fault.kind === 'error' ? `error ${fault.code}` : fault.kind
}
