import { DeadlineExceeded, DeviceBusy, DeviceOffline, HardwareFault } from '../../core/errors.ts'
import type { BusExchange } from '../transport/bus-line.ts'
import type { Lane } from '../transport/exchange-queue.ts'
import { statusFault } from './operation.ts'
import type { Source } from './parameters.ts'
import type { BusPort } from './port.ts'
import * as protocol from './protocol.ts'

const READ_TIMES = 3
const READ_AGAIN_MS = 50 // times the number of the try

/** One module at its address: questions and commands as turns on the bus that it shares. */
export class ModuleLink {
  readonly port: BusPort
  readonly busAddress: string
  /** Told of each error in the place of an answer: it may be the end of a move, and the answer still to come. */
  #onError: (line: string) => boolean = () => false
  #isolatedUntilMs = 0
  #newAddress: string | undefined

  constructor(port: BusPort, busAddress: string) {
    this.port = port
    this.busAddress = busAddress
  }

  /** `listener` says whether the error may be another's than the question's. */
  onError(listener: (line: string) => boolean): void {
    this.#onError = listener
  }

  /** It would not answer, for a reason that is known. */
  get absent(): boolean {
    return this.#newAddress !== undefined || performance.now() < this.#isolatedUntilMs
  }

  /** One turn on the bus; refused where the module would not answer. */
  async exchange<T>(lane: Lane, work: (bus: BusExchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#refuseAbsent()
    return await this.port.line.exchange(
      this.busAddress,
      lane,
      async (bus) => {
        this.#refuseAbsent() // it may have become so while this waited for its turn
        return await work(bus)
      },
      signal,
    )
  }

  /** Sends what is acknowledged by "ok". Throws the module's error. */
  async command(text: string, signal: AbortSignal): Promise<void> {
    await this.exchange('command', (bus) => this.tell(bus, text), signal)
  }

  async tell(bus: BusExchange, text: string): Promise<void> {
    this.refuseError(await bus.tell(text, protocol.reply.status(this.busAddress)), text)
  }

  /** As tell; where no answer comes, what is read back afterwards decides. */
  async tellOrReadBack(bus: BusExchange, text: string): Promise<void> {
    try {
      await this.tell(bus, text)
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error
    }
  }

  refuseError(line: string, text: string): void {
    const status = protocol.parseStatus(line)
    if (status === undefined || status.ok) return
    if (status.busy) throw new DeviceBusy(`the ELL14 at address ${this.busAddress} is busy (09) and did not take ${text}`, { instrumentCode: '09' })
    throw statusFault(this.busAddress, `after ${text}`, status, status.refused ? 'NONE' : 'POSSIBLE')
  }

  async status(lane: Lane, signal: AbortSignal): Promise<protocol.Status> {
    return await this.exchange(lane, (bus) => this.askStatus(bus), signal)
  }

  async askStatus(bus: BusExchange): Promise<protocol.Status> {
    const question = protocol.ask.status(this.busAddress)
    const line = await bus.ask(question, protocol.reply.status(this.busAddress))
    const status = protocol.parseStatus(line)
    if (status === undefined) throw new HardwareFault(`${question} was answered by ${line}`, 'NONE')
    this.#noteError(bus, line, status)
    return status
  }

  async askPulses(bus: BusExchange, question: string, letters: string): Promise<number> {
    const line = await bus.ask(question, protocol.reply.data(this.busAddress, letters, 8))
    const pulses = protocol.parsePulses(line, letters)
    if (pulses !== undefined) return pulses
    const status = protocol.parseStatus(line)
    if (status === undefined) throw new HardwareFault(`${question} was answered by ${line}`, 'NONE')
    this.#noteError(bus, line, status)
    throw statusFault(this.busAddress, `asked ${question},`, status, 'NONE')
  }

  /** A reading changes nothing and is asked for again. The answer may be an error in its place. */
  async askPatiently({ question, shape }: Source, signal: AbortSignal): Promise<string> {
    for (let times = 1; ; times += 1) {
      try {
        return await this.exchange(
          'read',
          async (bus) => {
            if (times > 1) await bus.pause(READ_AGAIN_MS * (times - 1))
            const line = await bus.ask(question, shape)
            const status = protocol.parseStatus(line)
            if (status !== undefined) this.#noteError(bus, line, status)
            return line
          },
          signal,
        )
      } catch (error) {
        if (!(error instanceof DeadlineExceeded) || times >= READ_TIMES || signal.aborted) throw error
      }
    }
  }

  /** From within the exchange that told the module so: nobody else's question may come in between. */
  isolatedFor(minutes: number): void {
    this.#isolatedUntilMs = performance.now() + minutes * 60_000
  }

  /** The one command that an isolated module hears. That it answers the next question confirms it. */
  async endIsolation(signal: AbortSignal): Promise<void> {
    this.#isolatedUntilMs = 0
    await this.port.line.interject(this.busAddress, protocol.command.isolate(this.busAddress, 0))
    await this.status('command', signal)
  }

  movedTo(address: string): void {
    this.#newAddress = address
  }

  #refuseAbsent(): void {
    if (this.#newAddress !== undefined)
      throw new DeviceOffline(`the module now answers at address ${this.#newAddress}; change its busAddress`, { effect: 'NONE' })
    if (this.absent)
      throw new HardwareFault(`the ELL14 at address ${this.busAddress} is isolated from the bus; isolate it for 0 minutes to end that`, 'NONE', {
        instrumentCode: '05',
      })
  }

  #noteError(bus: BusExchange, line: string, status: protocol.Status): void {
    if (!status.ok && !status.busy && this.#onError(line)) bus.doubt()
  }
}
