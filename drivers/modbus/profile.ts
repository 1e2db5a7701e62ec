import type { LostStationRule } from '../driver.ts'
import type { Table } from './pdu.ts'

/** A model of device as its profile describes it: which quantity is where and how it is coded. format.ts reads it from a file. */

export const CODINGS = {
  u16: { words: 1, about: 'unsigned' },
  i16: { words: 1, about: "two's complement" },
  u32: { words: 2, about: 'unsigned' },
  i32: { words: 2, about: "two's complement" },
  f32: { words: 2, about: 'IEEE-754 single precision' },
  f64: { words: 4, about: 'IEEE-754 double precision' },
  bcd: { words: 1, about: 'four decimal digits a word' },
  magnitude: { words: 1, about: "two's complement, of which the sign is left out" },
  text: { words: 1, about: 'two ASCII characters a word, padded with spaces or zeros' },
  code: { words: 1, about: "a number of the maker's, kept as text" },
  enum: { words: 1, about: 'each number has a name' },
  bits: { words: 1, about: 'the names of the bits that are set' },
  bit: { words: 1, about: 'one bit of a register, or a coil' },
} as const

export type Coding = keyof typeof CODINGS

/** In which order the bytes of a quantity are sent: A is the most significant. CDAB has the low word first. */
export const ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
export type Order = (typeof ORDERS)[number]

export type Register = {
  readonly name: string
  readonly description: string
  readonly table: Table
  readonly at: number
  readonly words: number
  readonly coding: Coding
  readonly order: Order
  /** value = number in the register × scale + offset. */
  readonly scale: number
  readonly offset: number
  readonly unit?: string
  readonly access: 'READ_ONLY' | 'READ_WRITE' | 'WRITE_ONLY'
  /** In `unit`. */
  readonly minimum?: number
  readonly maximum?: number
  readonly step?: number
  readonly deadband?: number
  readonly pollMs?: number
  /** Of `bit` in a register: 0 is the lowest. */
  readonly bit?: number
  /** Of `enum`: what each number means; of `bits`: what each bit means. */
  readonly names?: ReadonlyMap<number, string>
  /** Whether what was written is read again. Not for bits that the device itself takes back. */
  readonly verify: boolean
}

/** What a command or a stop writes: a whole register, one bit of it, or a coil. */
export type Target =
  | { readonly table: 'holding'; readonly at: number; readonly value: number }
  | { readonly table: 'holding'; readonly at: number; readonly bit: number; readonly on: boolean }
  | { readonly table: 'coil'; readonly at: number; readonly on: boolean }

export type ProfileCommand = {
  readonly name: string
  readonly description: string
  readonly target: Target
  /** A bit or coil that is pressed for this long and then let go. */
  readonly holdMs?: number
}

export type ProfileStop = {
  readonly target: Exclude<Target, { readonly bit: number }>
  /** Whether the bits of the value, or the coil, are cleared again once the device stands: a button, not a switch. */
  readonly letGo: boolean
  /** The device stands when this register says one of these. */
  readonly standing?: { readonly register: string; readonly values: readonly string[]; readonly withinMs: number }
}

export type Identity = {
  /** `{name}` stands for a register's value. */
  readonly text: string
  /** What must be so; without `equals`: the register must hold something that has a meaning. */
  readonly expect: readonly { readonly register: string; readonly equals?: string }[]
}

export const TRANSPORTS = ['tcp', 'serial'] as const
export const BAUD_RATES: readonly number[] = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400]
export const PARITIES = ['none', 'even', 'odd'] as const
/** How one bit of a register is changed without its neighbours: by function 22 in the device, by reading and writing the word, or by whichever it takes. */
export const BIT_WRITES = ['auto', 'mask-write', 'read-modify-write'] as const

export type Connection = {
  readonly over: readonly (typeof TRANSPORTS)[number][]
  readonly unit: number
  readonly timeoutMs: number
  /** Words in one request, where the device takes fewer than the protocol allows. */
  readonly longestRead: number
  /** Words that nobody asked for are read along when that saves a request; this many at most. Absent: as it pays on the transport. */
  readonly readThrough?: number
  readonly baudRate: number
  readonly parity: (typeof PARITIES)[number]
  readonly stopBits: 1 | 2
  /** Whether a stop has a TCP connection of its own; a device that takes only one cannot. */
  readonly stopConnection: boolean
}

export type Writes = {
  /** Between the end of one write and the beginning of the next. */
  readonly spacingMs: number
  readonly bits: (typeof BIT_WRITES)[number]
  /** Some devices know function 16 only, also for one word. */
  readonly multiple: boolean
}

/** A choice that the person makes who registers the device: where sources contradict each other, or firmware differs. */
export type Variant = { readonly name: string; readonly description: string; readonly default: string; readonly choices: readonly string[] }

export type Profile = {
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly version: string
  readonly documentation?: string
  readonly connection: Connection
  readonly writes: Writes
  readonly variants: readonly Variant[]
  readonly identity?: Identity
  readonly readout?: string
  readonly registers: readonly Register[]
  readonly commands: readonly ProfileCommand[]
  readonly stop?: ProfileStop
  /** Written in this order for makeSafe. */
  readonly safe: readonly Target[]
  readonly afterLostStation?: LostStationRule
}
