import type { CommandSpec } from '../../core/command-spec.ts'
import type { ParameterKind } from '../../core/parameter.ts'
import type { LostStationRule } from '../driver.ts'
import type { FlowControl } from '../transport/byte-transport.ts'

/**
 * An instrument as its file describes it, checked. Commands and questions are texts for the wire in which `{value}`, `{channel}` or the name of a parameter
 * or argument in braces stands for what is filled in.
 */
export type Description = {
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly version: string
  readonly documentation?: string
  readonly identity: { readonly query: string; readonly pattern: RegExp }
  readonly connections: Connections
  readonly terminator: { readonly send: string; readonly reply: string }
  readonly timeoutMs: number
  readonly delays: Delays
  /** Sent once when a device is opened. */
  readonly open: readonly string[]
  readonly errors?: ErrorSource
  readonly synchronise?: Synchronise
  readonly channels?: Channels
  readonly parameters: readonly ParameterDescription[]
  readonly commands: readonly CommandDescription[]
  readonly readout?: string
  readonly shutter?: string
  readonly emission?: string
  readonly wavelength?: { readonly parameter: string; readonly setpoint: string }
  readonly motion?: MotionDescription
  /** Something that was set goes on (a ramp): the answer matches while it does. */
  readonly underWay?: Condition
  readonly stop?: { readonly send: readonly string[]; readonly confirm?: Condition }
  readonly safe?: readonly string[]
  readonly afterLostStation: LostStationRule
}

export const CONNECTIONS = ['tcp', 'serial', 'usbtmc', 'hislip'] as const
export type ConnectionKind = (typeof CONNECTIONS)[number]

export type Connections = {
  readonly tcp?: { readonly port: number }
  readonly serial?: SerialDefaults
  readonly usbtmc?: { readonly statusByte: boolean }
  readonly hislip?: { readonly port: number }
}

export type SerialDefaults = {
  readonly baudRate: number
  readonly dataBits: 7 | 8
  readonly parity: 'none' | 'even' | 'odd'
  readonly stopBits: 1 | 2
  readonly flowControl: FlowControl
}

/** What the manual asks for, in milliseconds: after every message, and beside it after one that sets and after an answer. */
export type Delays = { readonly messageMs: number; readonly setMs: number; readonly queryMs: number }

/** A question whose answer matches, and what it means if it does not. */
export type Condition = { readonly query: string; readonly pattern: RegExp; readonly otherwise?: string }

/** A queue that gives its entries one by one, or a register whose bits are errors (and which clears itself when it is read). */
export type ErrorSource =
  | { readonly kind: 'queue'; readonly query: string; readonly none: RegExp; readonly maximumReads: number }
  | { readonly kind: 'register'; readonly query: string; readonly bits: ReadonlyMap<number, string> }

/** Asked after a set, until the answer matches. */
export type Synchronise = { readonly query: string; readonly until: RegExp; readonly everyMs: number; readonly withinMs: number }

/** One device for each; the setting says which. */
export type Channels = { readonly setting: string; readonly description: string; readonly values: readonly string[] }

export type NumberFormat = { readonly kind: 'shortest' } | { readonly kind: 'decimals' | 'significant'; readonly digits: number }

export type ReplyFormat = {
  /** Its first group, or the whole match, is the value. */
  readonly pattern?: RegExp
  /** Which of the values between commas, from 1. */
  readonly element?: number
  /** IEEE 488.2 block of numbers, most significant byte first unless `little`. */
  readonly block?: { readonly item: BlockItem; readonly little: boolean }
  /** Answers that mean that there is no value, and why. */
  readonly invalid: ReadonlyMap<string, string>
}

export const BLOCK_ITEMS = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'] as const
export type BlockItem = (typeof BLOCK_ITEMS)[number]

/** What is compared with what was set. `accept`: the instrument may round, its word holds. */
export type ReadBack = { readonly kind: 'accept' | 'same' } | { readonly kind: 'tolerance'; readonly tolerance: number }

export type ParameterDescription = {
  readonly name: string
  readonly description: string
  readonly kind: ParameterKind
  readonly unit?: string
  /** Value = what is on the wire times this. */
  readonly scale: number
  readonly query?: string
  readonly set?: string
  readonly format: NumberFormat
  readonly quoted: boolean
  readonly reply: ReplyFormat
  /** Numbers in `unit`, or questions to the instrument. */
  readonly minimum?: number | string
  readonly maximum?: number | string
  readonly step?: number
  /** Name of a choice to what stands for it on the wire: the first is sent, all are understood. */
  readonly choices?: ReadonlyMap<string, readonly string[]>
  readonly words: { readonly true: readonly string[]; readonly false: readonly string[] }
  readonly goodWhile?: Condition
  readonly readBack: ReadBack
  readonly timeoutMs?: number
  readonly pollMs?: number
  readonly deadband?: number
}

export type CommandDescription = {
  readonly spec: CommandSpec
  readonly send: string
  /** Of the arguments, and how the answer is read. */
  readonly arguments: ReadonlyMap<string, ValueFormat>
  readonly result?: ValueFormat
  readonly timeoutMs?: number
}

/** How one value stands on the wire. */
export type ValueFormat = Pick<ParameterDescription, 'name' | 'kind' | 'scale' | 'format' | 'quoted' | 'reply' | 'choices' | 'words'>

export type MotionDescription = {
  readonly position: string
  readonly velocity?: string
  readonly move: string
  readonly home?: string
  readonly stop: string
  readonly moving: Condition
  readonly minimum?: number | string
  readonly maximum?: number | string
}
