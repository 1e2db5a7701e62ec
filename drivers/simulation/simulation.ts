import type { DeviceSettings } from '../../core/device.ts'
import type { BookEntry } from '../address.ts'

/**
 * A simulated instrument on a real transport, ready to be spoken to by any program: what the lab, `simulate <driver>` and the conformance suite start.
 * Each driver folder's simulator.ts exports one Simulation; drivers/simulations.ts lists them.
 */
export type Simulation = {
  readonly driverId: string
  /** For people: what it is and what can be seen of it. */
  readonly description: string
  /** Where there are instruments of this model that differ on the wire: the name of each, and how it differs. The first is the usual one. */
  readonly variants?: Readonly<Record<string, string>>
  readonly start: (options: SimulationOptions) => Promise<RunningSimulation>
}

export type SimulationOptions = {
  /** Where links to pseudo-terminals and files go; it is there. */
  readonly folder: string
  /** Of the address-book entry, and of the link in `folder`. */
  readonly name: string
  /** One of the simulation's; absent: the usual one. */
  readonly variant?: string
  /** Of all noise and chance: the same instrument again. */
  readonly seed: number
  /** For those on TCP; absent: a free one. */
  readonly port?: number
  /** How many times faster than the instrument's its line and its answers are. Default 1: the pace of the real one. */
  readonly lineFactor?: number
  /** How many times faster its own time goes: its motions, warm-ups and watchdogs. Default 1. */
  readonly timeFactor?: number
  /** Called with each command that the instrument accepted (questions are not commands). */
  readonly accepted?: (command: string) => void
}

export interface RunningSimulation extends AsyncDisposable {
  readonly entry: BookEntry
  /** What to register, beside the address: one for each device on this port (axis, bus address, flow control). */
  readonly devices: readonly DeviceSettings[]
  /** Documented errors that `error` can provoke, by the instrument's own code. */
  readonly errors: readonly string[]
  /** What else `error` can provoke: trouble that nobody is told of before it matters, and its end. */
  readonly troubles?: readonly string[]
  /** The next replies (or requests) suffer these, one each. */
  inject(...faults: readonly Fault[]): void
  /** Faults that nothing has suffered yet. */
  readonly faultsLeft: number
  /** Of a serial line: its rate, and the bytes that it has carried, both ways together. */
  readonly wire?: { readonly baudRate: number; readonly bytes: number } | undefined
  /** The cable is pulled: whoever has the port open loses it, and nobody can open it. */
  unplug(): Promise<void>
  /** At the same address as before. */
  plugIn(): Promise<void>
}

/** What can go wrong with one reply. */
export type Fault =
  | { readonly kind: 'silent' }
  | { readonly kind: 'late'; readonly byMs: number }
  /** The reply to another question, or of another device on the bus, comes in its place. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'garbage' }
  /** The second half is missing. */
  | { readonly kind: 'cut' }
  /** The instrument reports one of its documented errors. */
  | { readonly kind: 'error'; readonly code: string }
