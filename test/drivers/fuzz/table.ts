import { dome } from './dome.ts'
import { modbus } from './modbus.ts'
import { newport } from './newport.ts'
import { scpi } from './scpi.ts'
import { spectraPhysics } from './spectra-physics.ts'
import { thorlabs } from './thorlabs.ts'

/** A pure function that takes what an instrument says. */
export type FuzzedParser = {
  readonly name: string
  /** A line, or bytes as Latin-1: one character for each. May throw a Problem. */
  readonly parse: (reply: string) => unknown
  /** Replies that it takes, as instruments gave them. */
  readonly captures: readonly string[]
  /** Every beginning of a capture is refused, because the reply has a length, a checksum or an end of its own; without, only the line's end tells. */
  readonly tellsTruncation: boolean
}

export type FuzzedDriver = { readonly driverIds: readonly string[]; readonly parsers: readonly FuzzedParser[] }

/** Where each driver lists its parsers. */
export const FUZZED: readonly FuzzedDriver[] = [...newport, ...thorlabs, ...modbus, ...scpi, ...spectraPhysics, ...dome]

/** Drivers whose replies are no text or bytes: C structures, filled by a library. */
export const WITHOUT_REPLIES: readonly string[] = ['pvcam-camera', 'ni-comedi']
