import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pvcamSimulatorPath } from '../../native/devices.ts'
import type { Fault, RunningSimulation, Simulation, SimulationOptions } from '../simulation/simulation.ts'

/** Codes of PVCAM that the simulated library gives by itself, and the driver knows how to tell. */
const ERRORS = ['185', '195']
const SEQUENCE_DIGITS = 6 // the library takes the first by name

/** The simulated camera is a library that exports the same C functions and is loaded in the same way: native/pvcam-sim. */
export function simulatorLibrary(): string {
  return pvcamSimulatorPath()
}

/** A copy of the library has cameras of its own, and is told its faults by files beside it (native/pvcam-sim/faults.h). */
class SimulatedLibrary implements RunningSimulation {
  readonly entry
  readonly devices = [{}]
  readonly errors = ERRORS
  readonly #path: string
  readonly #faults: string
  readonly #unplugged: string
  #injected = 0

  constructor({ folder, name }: SimulationOptions) {
    this.#path = join(folder, `${name}.so`)
    this.#faults = `${this.#path}.faults`
    this.#unplugged = `${this.#path}.unplugged`
    this.entry = { kind: 'library', path: this.#path } as const
    copyFileSync(simulatorLibrary(), this.#path)
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
    for (const path of [this.#path, this.#faults, this.#unplugged]) rmSync(path, { recursive: true, force: true })
  }
}

function wordsOf(fault: Fault): string {
  if (fault.kind === 'late') return `late ${Math.round(fault.byMs)}`
  return fault.kind === 'error' ? `error ${fault.code}` : fault.kind
}

export const simulation: Simulation = {
  driverId: 'pvcam-camera',
  description: 'A PVCAM library with two cameras of 512 x 512 pixels; any program loads it in place of the vendor’s',
  start: async (options) => new SimulatedLibrary(options),
}
