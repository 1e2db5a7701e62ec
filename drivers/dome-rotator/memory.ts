import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../core/errors.ts'

/** Where the dome was when this station last knew: the encoder does not count while nobody reads it. */
export type Remembered = {
  readonly azimuth: number
  /** Of the encoder there, if there is one. */
  readonly counts?: number
  /** false: a move was under way, and nobody saw where it ended. */
  readonly standing: boolean
}

/** Kept in the station's work folder, so that a station that comes back knows more than where the dome is usually parked. */
export class AzimuthMemory {
  readonly #path: string
  readonly #log: (message: string) => void

  constructor(folder: string, address: string, log: (message: string) => void) {
    this.#path = join(folder, `dome${address.replaceAll(/[^\w]+/g, '-')}.json`)
    this.#log = log
  }

  /** undefined: nothing is remembered, or nothing that makes sense. */
  async load(): Promise<Remembered | undefined> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined) // the first time there is none
    return text === undefined ? undefined : parseRemembered(text)
  }

  /** Renamed into place: a station that dies leaves the old note or the new one. */
  async note(remembered: Remembered): Promise<void> {
    try {
      await writeFile(`${this.#path}.new`, JSON.stringify(remembered))
      await rename(`${this.#path}.new`, this.#path)
    } catch (error) {
      this.#log(`where the dome is could not be noted: ${messageOf(error)}`)
    }
  }

  /** Nobody knows. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch((error: unknown) => this.#log(`a note of where the dome was could not be removed: ${messageOf(error)}`))
  }
}

function parseRemembered(text: string): Remembered | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('azimuth' in value) || !('standing' in value)) return undefined
  const { azimuth, standing } = value
  if (typeof azimuth !== 'number' || !Number.isFinite(azimuth) || typeof standing !== 'boolean') return undefined
  const counts = 'counts' in value && Number.isSafeInteger(value.counts) ? Number(value.counts) : undefined
  return { azimuth, standing, ...(counts !== undefined && { counts }) }
}
