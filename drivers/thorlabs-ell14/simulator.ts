import { hostOf, serveTerminal } from '../simulation/serve-simulation.ts'
import type { Simulation } from '../simulation/simulation.ts'
import type { ByteInstrument, SimulatorHost } from '../simulation/simulator.ts'
import { ADDRESSES, ERROR_CODES, REPLY_TERMINATOR } from './protocol.ts'
import { type ModuleOptions, SimulatedModule } from './simulated-module.ts'

const GAP_SECONDS = 2 // a longer one between two bytes discards the packet
const BROWN_OUT_ABOVE = 2 // modules that move at once on a bus that is powered from USB
const MOTIONS: ReadonlySet<string> = new Set(['ma', 'mr', 'ho', 'fw', 'bw'])

/** How many digits follow the letters of a command. */
const DIGITS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['in', 'gs', 'gp', 'gv', 'gj', 'go', 'i1', 'i2', 'st', 'fw', 'bw', 's1', 's2', 'c1', 'c2', 'cm', 'om', 'us', 'sk', 'se'].map((letters) => [letters, 0]),
  ),
  ...Object.fromEntries(['ma', 'mr', 'sj', 'so'].map((letters) => [letters, 8])),
  ...Object.fromEntries(['f1', 'f2', 'b1', 'b2'].map((letters) => [letters, 4])),
  sv: 2,
  is: 2,
  ho: 1,
  ca: 1,
  ga: 1,
}

export type BusOptions = {
  readonly modules: readonly ModuleOptions[]
  /** A weak supply breaks down when more than two modules move together. Default true. */
  readonly weakSupply?: boolean
}

/** Modules on one line: all hear every byte, and who is spoken to answers. */
export class Ell14Bus implements ByteInstrument {
  readonly modules: readonly SimulatedModule[]
  readonly errors = ERROR_CODES
  readonly framedBySilence = true
  readonly #weakSupply: boolean
  #packet = ''
  #lastByteAt = 0
  #lastAddress = ''
  /** An error that the next module spoken to answers with. */
  #trouble: number | undefined

  constructor(host: SimulatorHost, options: BusOptions) {
    this.modules = options.modules.map((module) => new SimulatedModule(host, module))
    this.#weakSupply = options.weakSupply ?? true
  }

  receive(bytes: Uint8Array, seconds: number): Uint8Array {
    let said = this.modules.map((module) => module.speak(seconds)).join('')
    if (bytes.length > 0 && seconds - this.#lastByteAt > GAP_SECONDS) this.#packet = ''
    if (bytes.length > 0) this.#lastByteAt = seconds
    for (const byte of bytes) said += this.#take(String.fromCharCode(byte), seconds)
    return Buffer.from(said, 'latin1')
  }

  dueAt(): number | undefined {
    const times = this.modules.map((module) => module.dueAt()).filter((at) => at !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** The position of a module that was not asked. */
  foreign(): Uint8Array {
    const other = this.modules.find((module) => module.address !== this.#lastAddress)
    const address = other?.address ?? ADDRESSES.find((candidate) => candidate !== this.#lastAddress) ?? '0'
    return Buffer.from(`${address}PO00000014${REPLY_TERMINATOR}`, 'latin1')
  }

  /** The module that moves, or else the next one that is spoken to. */
  provoke(code: string, seconds: number): void {
    const number = Number.parseInt(code, 16)
    const moving = this.modules.find((module) => module.moving(seconds))
    if (moving === undefined) this.#trouble = number
    else moving.fail(number, seconds)
  }

  #take(byte: string, seconds: number): string {
    if (byte === '\r') {
      this.#packet = ''
      return ''
    }
    this.#packet += byte
    if (!/^[0-9A-F]/.test(this.#packet)) this.#packet = '' // not an address: noise
    const letters = this.#packet.slice(1, 3)
    if (letters.length < 2) return ''
    const digits = DIGITS[letters] ?? 0
    if (this.#packet.length < 3 + digits) return ''
    const packet = this.#packet
    this.#packet = ''
    return this.#obey(packet[0] ?? '', letters, packet.slice(3), seconds)
  }

  #obey(address: string, letters: string, data: string, seconds: number): string {
    this.#lastAddress = address
    const told = this.modules.filter((module) => module.address === address || (MOTIONS.has(letters) && module.group === address))
    const said = told.map((module) => {
      if (this.#trouble !== undefined) module.fail(this.#trouble, seconds)
      this.#trouble = undefined
      const wrong = !/^[0-9A-F]*$/.test(data) || !(letters in DIGITS)
      return (wrong ? `${module.address}GS03${REPLY_TERMINATOR}` : module.obey(letters, data, seconds)) ?? ''
    })
    const moving = this.modules.filter((module) => module.moving(seconds))
    if (this.#weakSupply && moving.length > BROWN_OUT_ABOVE) for (const module of this.modules) module.brownOut(seconds)
    return said.join('')
  }
}

/** As they were recorded on one bus. */
export const RECORDED_MODULES: readonly ModuleOptions[] = [
  { address: '2', identity: '0E1140051720231701016800023000' },
  { address: '3', identity: '0E1140028420211501016800023000' },
  { address: '8', identity: '0E1140060920231701016800023000' },
]

export const simulation: Simulation = {
  driverId: 'thorlabs-ell14',
  description: 'Three ELL14 rotation mounts on one bus at 9600 baud, at addresses 2, 3 and 8; a third one that moves with two others browns the bus out',
  start: (options) =>
    serveTerminal(
      {
        instrument: new Ell14Bus(hostOf(options), { modules: RECORDED_MODULES }),
        baudRate: 9600,
        devices: RECORDED_MODULES.map(({ address }) => ({ busAddress: address })),
      },
      options,
    ),
}
