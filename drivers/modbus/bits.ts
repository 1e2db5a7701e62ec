import { HardwareFault, Problem } from '../../core/errors.ts'
import { ILLEGAL_FUNCTION, maskWrite, type Request, readRequest, writeWords } from './pdu.ts'
import type { Writes } from './profile.ts'

/** Asks the device; the line is ours meanwhile. */
export type Ask = (request: Request) => Promise<readonly number[]>

const STEADY_TRIES = 4 // reads until two in a row agree about the neighbours
const LOST_TRIES = 3 // writes, when another client's write of the whole word took ours away

/**
 * Bits of a register of which others belong to others. Function 22 changes them within the device, where nobody can come between. Where the device does
 * not know it, the word is read until it is steady, written, and read again: a change by another client within that last round trip (some milliseconds) is
 * lost, which no client can prevent; what is seen is repaired.
 */
export class BitWriter {
  readonly #writes: Writes
  #mask: boolean

  constructor(writes: Writes) {
    this.#writes = writes
    this.#mask = writes.bits !== 'read-modify-write'
  }

  /** `verify`: read back, and throw HardwareFault (effect DONE) if the device has it otherwise. `again`: may be repeated, as no button may. */
  async set(ask: Ask, at: number, bits: number, on: boolean, options: { readonly verify: boolean; readonly again: boolean }): Promise<void> {
    if (this.#mask && (await this.#masked(ask, at, bits, on))) {
      if (options.verify) refuseDifferent(at, bits, on, await afterWriting(this.#read(ask, at)))
      return
    }
    let steady = await this.#steady(ask, at)
    for (let tries = options.again ? LOST_TRIES : 1; ; tries -= 1) {
      const written = withBits(steady, bits, on)
      await ask(writeWords(at, [written], this.#writes.multiple))
      if (!options.verify) return
      const after = await afterWriting(this.#read(ask, at))
      if (withBits(after, bits, on) === after) return
      // With the neighbours as we wrote them it was the device that took the bit back; otherwise another client wrote an older word over ours.
      if ((after & ~bits) === (written & ~bits) || tries <= 1) return refuseDifferent(at, bits, on, after)
      steady = await afterWriting(this.#steady(ask, at))
    }
  }

  /** false: the device does not know function 22, and has done nothing. */
  async #masked(ask: Ask, at: number, bits: number, on: boolean): Promise<boolean> {
    try {
      await ask(maskWrite(at, bits, on))
      return true
    } catch (error) {
      if (this.#writes.bits === 'mask-write' || !(error instanceof Problem)) throw error
      // Silence to an unknown function is wrong but happens; whether this one acted is not known, so it is told, and the next goes the other way.
      if (error.code === 'DEADLINE_EXCEEDED') this.#mask = false
      if (error.facts.instrumentCode !== String(ILLEGAL_FUNCTION)) throw error
      this.#mask = false
      return false
    }
  }

  async #steady(ask: Ask, at: number): Promise<number> {
    let last = await this.#read(ask, at)
    for (let tries = 1; tries < STEADY_TRIES; tries += 1) {
      const next = await this.#read(ask, at)
      if (next === last) return next
      last = next
    }
    throw new HardwareFault(`register ${at} changes with every reading; a bit of it cannot be set without losing another's change`, 'NONE')
  }

  async #read(ask: Ask, at: number): Promise<number> {
    const [word = 0] = await ask(readRequest('holding', at, 1))
    return word
  }
}

/** What fails now fails after the device was changed. */
async function afterWriting<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw error instanceof Problem ? error.with({ effect: 'DONE' }) : error
  }
}

function withBits(word: number, bits: number, on: boolean): number {
  return on ? word | bits : word & ~bits & 0xffff
}

function refuseDifferent(at: number, bits: number, on: boolean, after: number): void {
  if (withBits(after, bits, on) === after) return
  const shown = after.toString(16).padStart(4, '0')
  throw new HardwareFault(`bits 0x${bits.toString(16)} of register ${at} were ${on ? 'set' : 'cleared'}, and 0x${shown} reads back`, 'DONE')
}
