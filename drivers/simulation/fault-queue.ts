import type { Fault } from './simulation.ts'
import type { ByteInstrument } from './simulator.ts'

const MAX_FAULTS = 10_000 // typed or injected ahead by a test; more is a loop gone wild

/** What reaches the line instead of a reply: these bytes, and all that follows them, not before `afterMs` have passed. undefined: nothing. */
export type Suffered = { readonly bytes: Uint8Array; readonly afterMs: number } | undefined

export type Spoil = { readonly garbage: (reply: Uint8Array) => Uint8Array; readonly cut: (reply: Uint8Array) => Uint8Array }

/** Faults that wait for a reply to spoil, the same on every kind of line. */
export class FaultQueue {
  readonly #faults: Fault[] = []

  /** The next replies suffer these, one each. */
  inject(...faults: readonly Fault[]): void {
    this.#faults.push(...faults.slice(0, MAX_FAULTS - this.#faults.length))
  }

  /** Faults that no reply has suffered yet. */
  get left(): number {
    return this.#faults.length
  }

  /** Errors of the instrument's own come before whatever it is told next. */
  provoke(instrument: Pick<ByteInstrument, 'provoke'>, seconds: number): void {
    for (let [next] = this.#faults; next?.kind === 'error'; [next] = this.#faults) {
      this.#faults.shift()
      instrument.provoke(next.code, seconds)
    }
  }

  /** The fault that the next reply suffers; an error of the instrument's waits for what it is told next. */
  take(): Exclude<Fault, { kind: 'error' }> | undefined {
    const [first] = this.#faults
    if (first === undefined || first.kind === 'error') return undefined
    this.#faults.shift()
    return first
  }

  /** `spoil` where the transport keeps a frame that noise cannot break. */
  suffer(reply: Uint8Array, instrument: Pick<ByteInstrument, 'foreign'>, spoil: Spoil = TEXT): Suffered {
    const fault = this.take()
    switch (fault?.kind) {
      case undefined:
        return { bytes: reply, afterMs: 0 }
      case 'silent':
        return undefined
      case 'late':
        return { bytes: reply, afterMs: fault.byMs }
      case 'foreign':
        return { bytes: instrument.foreign(), afterMs: 0 }
      case 'garbage':
        return { bytes: spoil.garbage(reply), afterMs: 0 }
      case 'cut':
        return { bytes: spoil.cut(reply), afterMs: 0 }
    }
  }
}

/** As a line at the wrong rate or with a broken shield gives it: as many bytes, none of them right, no terminator among them. */
export function garbled(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0x55)
}

const TEXT: Spoil = { garbage: garbled, cut: (reply) => reply.subarray(0, Math.floor(reply.length / 2)) }
