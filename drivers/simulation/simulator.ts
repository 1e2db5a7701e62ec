/** A simulated instrument on a byte line: bytes in, bytes out. Time is given to it; it owns no timer, no port and no randomness of its own. */
export interface ByteInstrument {
  /** What the instrument answers to these bytes, arrived at `seconds` on the lab's clock. */
  receive(bytes: Uint8Array, seconds: number): Uint8Array
  /** It tells messages apart by the silence between them: what was written at once comes at once. Absent: byte by byte, as on the wire. */
  readonly framedBySilence?: true
  /** When it will have more to say without being told anything, on the lab's clock: it then receives no bytes. Absent or undefined: it only answers. */
  dueAt?(): number | undefined
  /** How long its last answer took to make, in milliseconds (a measurement integrates). Absent: no time. */
  tookMs?(): number
  /** A whole reply to another question than the last one, or of another device on the bus. */
  foreign(): Uint8Array
  /** Codes of the documented errors that `provoke` knows. */
  readonly errors: readonly string[]
  /** Trouble that nobody is told of before it matters, and its end: what else `provoke` knows. */
  readonly troubles?: readonly string[]
  /** The instrument gets into this error now, as by its own trouble; its next answers, or its error queue, tell. */
  provoke(code: string, seconds: number): void
  /** The cable was pulled, from which it has its power, too. Absent: it has a supply of its own. */
  unplugged?(seconds: number): void
}

/** A simulated device of `size` 16-bit holding registers. */
export interface RegisterInstrument {
  readonly size: number
  /** Where not every address below `size` is there: exception 2 tells. */
  has?(at: number, count: number): boolean
  /** Input registers (function 4); absent: they are the holding registers. */
  readonly inputs?: Pick<RegisterInstrument, 'size' | 'has' | 'read'>
  /** Coils (functions 1, 5 and 15), and discrete inputs (function 2); absent: it does not know these functions. */
  readonly coils?: BitBank
  readonly discretes?: Pick<BitBank, 'size' | 'read'>
  /** Function codes that it does not know, of those that are served. */
  readonly unknownFunctions?: readonly number[]
  read(at: number, count: number, seconds: number): readonly number[]
  write(at: number, value: number, seconds: number): void
  /** Errors of its own that `provoke` knows, beside the exceptions of Modbus: alarms that its registers tell. */
  readonly errors?: readonly string[]
  provoke?(code: string, seconds: number): void
}

/** Single bits, 0 or 1. */
export interface BitBank {
  readonly size: number
  read(at: number, count: number, seconds: number): readonly number[]
  write(at: number, on: boolean, seconds: number): void
}

/** What the lab gives every simulated instrument. */
export type SimulatorHost = {
  /** Uniform in [0, 1); seeded, so that a test repeats. */
  readonly random: () => number
  /** Called with each command that the instrument accepted (questions are not commands). */
  readonly accepted: (command: string) => void
}

/** Standard normal, by Box and Muller. */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

const MAX_COMMAND_BYTES = 256 // an instrument's own input buffer; what does not fit is lost

/** Cuts a byte stream into commands at any of the terminators; empty commands (the LF after a CR) vanish. */
export class CommandSplitter {
  readonly #terminators: RegExp
  #partial = ''

  constructor(terminators: RegExp) {
    this.#terminators = terminators
  }

  take(bytes: Uint8Array): readonly string[] {
    const parts = (this.#partial + Buffer.from(bytes).toString('latin1')).split(this.#terminators)
    this.#partial = (parts.pop() ?? '').slice(0, MAX_COMMAND_BYTES)
    return parts.map((part) => part.slice(0, MAX_COMMAND_BYTES).trim()).filter((part) => part !== '')
  }
}
