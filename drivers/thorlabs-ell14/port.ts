import type { DeviceSettings } from '../../core/device.ts'
import { Conflict, InvalidValue } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import type { DriverContext, DriverPort } from '../driver.ts'
import { BusLine } from '../transport/bus-line.ts'
import { openSerial } from '../transport/byte-transport.ts'
import * as protocol from './protocol.ts'
import { locate, type Settings } from './settings.ts'
import { Turns } from './turns.ts'

const REPLY_TIMEOUT_MS = 500 // recorded replies come within tens of milliseconds
const GAP_MS = 2 // two bytes of 9600 baud: the one who spoke lets go of the shared line

/** What a module of the bus does for another one that leads its group. */
export type GroupMember = {
  readonly busAddress: string
  readonly pulsesPerTurn: number
  /** Throws LimitViolation. */
  readonly allow: (pulses: number) => void
  /** It moves now, without having been told itself. */
  readonly carried: (text: string, targetPulses: number | undefined) => void
}

/** One bus on its serial line, shared by its modules. */
export class BusPort implements DriverPort {
  readonly address: string
  readonly line: BusLine
  readonly lost: AbortSignal
  readonly turns: Turns
  readonly #baudRate: number
  readonly #movingTogether: number
  readonly #modules = new Map<string, GroupMember>()
  /** Who also listens to whom, until their next move. */
  readonly #groups = new Map<string, Set<string>>()

  constructor(line: BusLine, settings: Pick<Settings, 'address' | 'baudRate' | 'movingTogether'>) {
    this.line = line
    this.lost = line.lost
    this.address = settings.address
    this.turns = new Turns(settings.movingTogether)
    this.#baudRate = settings.baudRate
    this.#movingTogether = settings.movingTogether
  }

  static async open(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<BusPort> {
    const located = locate(settings)
    return new BusPort(await openBus(located.address, located.baudRate, context, signal), located)
  }

  /** Throws InvalidValue where a module's settings of the bus are not those that it was opened with. */
  agree(settings: Settings): void {
    if (settings.baudRate !== this.#baudRate)
      throw new InvalidValue(`${this.address} is open with ${this.#baudRate} baud; its modules must agree`, ['baudRate'])
    if (settings.movingTogether !== this.#movingTogether)
      throw new InvalidValue(`on ${this.address} ${this.#movingTogether} modules may move together; its modules must agree`, ['movingTogether'])
  }

  /** Throws Conflict when a device has this address already. */
  enter(member: GroupMember): () => void {
    if (this.#modules.has(member.busAddress)) throw new Conflict(`address ${member.busAddress} of ${this.address} is another device's already`)
    this.#modules.set(member.busAddress, member)
    return () => {
      this.#modules.delete(member.busAddress)
      for (const members of this.#groups.values()) members.delete(member.busAddress)
    }
  }

  module(busAddress: string): GroupMember | undefined {
    return this.#modules.get(busAddress)
  }

  joinGroup(leader: string, member: string): void {
    this.leaveGroups(member)
    this.#groups.set(leader, new Set([...(this.#groups.get(leader) ?? []), member]))
  }

  leaveGroups(member: string): void {
    for (const members of this.#groups.values()) members.delete(member)
  }

  membersOf(leader: string): readonly GroupMember[] {
    return [...(this.#groups.get(leader) ?? [])].map((address) => this.#modules.get(address)).filter((member) => member !== undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]()
  }
}

export async function openBus(address: string, baudRate: number, context: DriverContext, signal: AbortSignal): Promise<BusLine> {
  const { path } = requireKind(await context.resolve(address), 'serial', address)
  const transport = await openSerial({ path, baudRate, flowControl: 'none' }, signal)
  // Who spoke here before may have left half a move, which our first question would complete.
  await transport.write(Buffer.from(protocol.RESET, 'latin1')).catch(async (error: unknown) => {
    await transport[Symbol.asyncDispose]()
    throw error
  })
  return new BusLine(transport, {
    replyTerminator: protocol.REPLY_TERMINATOR,
    timeoutMs: REPLY_TIMEOUT_MS,
    gapMs: GAP_MS,
    reset: protocol.RESET,
    marker: (busAddress) => ({ command: protocol.ask.identity(busAddress), reply: protocol.reply.identity(busAddress) }),
    instead: protocol.reply.status,
  })
}
