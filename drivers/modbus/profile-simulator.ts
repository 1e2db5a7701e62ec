import type { BitBank, RegisterInstrument, SimulatorHost } from '../simulation/simulator.ts'
import { encode, rangeOf } from './coding.ts'
import type { Table } from './pdu.ts'
import type { Profile, Register } from './profile.ts'

const ADDRESSES = 0x1_0000

/**
 * A device of any profile, which does nothing: each register holds a value that its profile allows, keeps what is written to it, and is not there where
 * the profile has nothing. Enough to try a profile's driver, a dashboard or another program before the device is there.
 */
export class ProfileSimulator implements RegisterInstrument {
  readonly size = ADDRESSES
  readonly inputs: Pick<RegisterInstrument, 'size' | 'has' | 'read'>
  readonly coils: BitBank
  readonly discretes: Pick<BitBank, 'size' | 'read'>
  readonly unknownFunctions: readonly number[]
  readonly #host: SimulatorHost
  readonly #tables: Readonly<Record<Table, Map<number, number>>> = { holding: new Map(), input: new Map(), coil: new Map(), discrete: new Map() }

  constructor(profile: Profile, host: SimulatorHost) {
    this.#host = host
    this.unknownFunctions = [...(profile.writes.bits === 'read-modify-write' ? [22] : []), ...(profile.writes.multiple ? [6] : [])]
    for (const register of profile.registers) this.#put(register, firstValue(register, profile))
    for (const target of [...profile.commands.map((command) => command.target), ...profile.safe, ...(profile.stop === undefined ? [] : [profile.stop.target])])
      this.#tables[target.table].set(target.at, this.#tables[target.table].get(target.at) ?? 0)
    this.inputs = { size: ADDRESSES, has: (at, count) => this.#has('input', at, count), read: (at, count) => this.#read('input', at, count) }
    this.coils = {
      size: ADDRESSES,
      read: (at, count) => this.#read('coil', at, count),
      write: (at, on) => {
        this.#tables.coil.set(at, on ? 1 : 0)
        this.#host.accepted(`coil ${at}=${on ? 1 : 0}`)
      },
    }
    this.discretes = { size: ADDRESSES, read: (at, count) => this.#read('discrete', at, count) }
  }

  has(at: number, count: number): boolean {
    return this.#has('holding', at, count)
  }

  read(at: number, count: number): readonly number[] {
    return this.#read('holding', at, count)
  }

  write(at: number, value: number): void {
    this.#tables.holding.set(at, value)
    this.#host.accepted(`${at}=${value}`)
  }

  #has(table: Table, at: number, count: number): boolean {
    return Array.from({ length: count }, (_, index) => at + index).every((address) => this.#tables[table].has(address))
  }

  #read(table: Table, at: number, count: number): readonly number[] {
    return Array.from({ length: count }, (_, index) => this.#tables[table].get(at + index) ?? 0)
  }

  #put(register: Register, words: readonly number[]): void {
    const table = this.#tables[register.table]
    for (let index = 0; index < register.words; index += 1) {
      const at = register.at + index
      table.set(at, (register.bit === undefined ? 0 : (table.get(at) ?? 0)) | (words[index] ?? 0))
    }
  }
}

/** What the identity asks for; otherwise the lower limit, the first name, or zero. */
function firstValue(register: Register, { identity }: Profile): readonly number[] {
  const { coding, words, names } = register
  const wanted = identity?.expect.find((expected) => expected.register === register.name)?.equals
  switch (coding) {
    case 'bits':
      return [0]
    case 'code':
      return [Number(wanted ?? 0)]
    case 'bit':
      return encode(register, wanted === 'true')
    case 'enum':
      return encode(register, wanted ?? [...(names?.values() ?? [])][0] ?? '')
    case 'text':
      return encode(register, wanted ?? 'simulated'.slice(0, 2 * words))
    default: {
      const range = rangeOf(register)
      const low = Math.max(register.minimum ?? range?.minimum ?? 0, 0)
      return encode(register, wanted === undefined ? Math.min(low, register.maximum ?? range?.maximum ?? low) : Number(wanted))
    }
  }
}
