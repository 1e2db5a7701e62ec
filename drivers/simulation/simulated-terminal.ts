import { writeSync } from 'node:fs'
import { rename, rm, symlink } from 'node:fs/promises'
import { ReadStream } from 'node:tty'
import { openPseudoTerminal } from '../../native/devices.ts'
import { FaultQueue } from './fault-queue.ts'
import type { Fault } from './simulation.ts'
import type { ByteInstrument } from './simulator.ts'

const BITS_PER_BYTE = 10 // a start bit, eight data bits, a stop bit
const LOOK_EVERY_MS = 10 // whether an instrument that answers later is due: the lab's time may run faster than ours

export type TerminalOptions = {
  readonly instrument: ByteInstrument
  readonly baudRate: number
  /** A symbolic link to the pseudo-terminal, whose own name is another one each time. */
  readonly linkPath: string
  readonly seconds: () => number
}

type Terminal = { readonly masterFd: number; readonly stream: ReadStream; readonly close: () => void }

/** A simulated instrument on a pseudo-terminal, at the pace of its line. Any program can open `linkPath` as a serial port. */
export class SimulatedTerminal implements AsyncDisposable {
  readonly #options: TerminalOptions
  readonly #faults = new FaultQueue()
  readonly #in: Wire
  readonly #out: Wire
  #terminal: Terminal | undefined
  #due: NodeJS.Timeout | undefined

  constructor(options: TerminalOptions) {
    this.#options = options
    const byteMs = (BITS_PER_BYTE * 1000) / options.baudRate
    this.#in = new Wire(byteMs)
    this.#out = new Wire(byteMs)
  }

  /** The next replies suffer these, one each. */
  inject(...faults: readonly Fault[]): void {
    this.#faults.inject(...faults)
  }

  /** The rate of the line, and the bytes that it has carried, both ways together. */
  get wire(): { readonly baudRate: number; readonly bytes: number } {
    return { baudRate: this.#options.baudRate, bytes: this.#in.carried + this.#out.carried }
  }

  /** Faults that no reply has suffered yet. */
  get faultsLeft(): number {
    return this.#faults.left
  }

  async plugIn(): Promise<void> {
    if (this.#terminal !== undefined) return
    const pair = openPseudoTerminal()
    const masterFd = pair.giveMaster()
    const stream = new ReadStream(masterFd) // also makes the descriptor non-blocking
    const terminal = { masterFd, stream, close: () => pair.close() }
    this.#terminal = terminal
    stream.on('error', () => stream.destroy())
    stream.on('data', (bytes) => this.#arriving(terminal, Buffer.from(bytes)))
    // Renamed into place, so that whoever looks sees the old link or the new one.
    const fresh = `${this.#options.linkPath}.new`
    await rm(fresh, { force: true })
    await symlink(pair.slavePath, fresh)
    await rename(fresh, this.#options.linkPath)
  }

  /** The cable is pulled: whoever has the port open loses it. */
  async unplug(): Promise<void> {
    const terminal = this.#terminal
    if (terminal === undefined) return
    this.#terminal = undefined
    clearTimeout(this.#due)
    this.#due = undefined
    this.#in.clear()
    this.#out.clear()
    terminal.stream.destroy()
    terminal.close()
    this.#options.instrument.unplugged?.(this.#options.seconds())
    await rm(this.#options.linkPath, { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug()
  }

  /** A command is answered when its last byte has come, whatever else was written with it. */
  #arriving(terminal: Terminal, bytes: Buffer): void {
    const { instrument, seconds } = this.#options
    for (const piece of instrument.framedBySilence ? [bytes] : Array.from(bytes, (byte) => Uint8Array.of(byte)))
      this.#in.carry(piece.length, () => {
        this.#faults.provoke(instrument, seconds())
        this.#tell(terminal, piece)
      })
  }

  #tell(terminal: Terminal, bytes: Uint8Array): void {
    const { instrument, seconds } = this.#options
    const reply = instrument.receive(bytes, seconds())
    this.#lookOut(terminal)
    const suffered = reply.length > 0 ? this.#faults.suffer(reply, instrument) : undefined
    if (suffered === undefined) return
    this.#out.hold(suffered.afterMs + (instrument.tookMs?.() ?? 0)) // an instrument answers in order: what follows a late reply is later still
    this.#send(terminal, suffered.bytes)
  }

  /** For what the instrument says later. */
  #lookOut(terminal: Terminal): void {
    const { instrument, seconds } = this.#options
    const at = instrument.dueAt?.()
    if (at === undefined || this.#due !== undefined) return
    const waitMs = Math.min(LOOK_EVERY_MS, (at - seconds()) * 1000)
    this.#due = setTimeout(() => {
      this.#due = undefined
      if (at <= seconds()) this.#tell(terminal, new Uint8Array())
      else this.#lookOut(terminal)
    }, waitMs)
  }

  /** What nobody reads is lost once the pseudo-terminal is full, as on a line without a listener. */
  #send(terminal: Terminal, reply: Uint8Array): void {
    for (const byte of reply) {
      this.#out.carry(1, () => {
        try {
          writeSync(terminal.masterFd, Buffer.of(byte))
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
        }
      })
    }
  }
}

/** One direction of a line: bytes arrive in order, each after its time on the wire. */
class Wire {
  readonly #byteMs: number
  readonly #underWay: { readonly atMs: number; readonly arrive: () => void }[] = []
  #freeAtMs = 0
  #timer: NodeJS.Timeout | undefined
  carried = 0

  constructor(byteMs: number) {
    this.#byteMs = byteMs
  }

  carry(bytes: number, arrive: () => void): void {
    this.carried += bytes
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + bytes * this.#byteMs
    this.#underWay.push({ atMs: this.#freeAtMs, arrive })
    this.#timer ??= this.#wait()
  }

  /** Nothing more for so long. */
  hold(milliseconds: number): void {
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + milliseconds
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#underWay.length = 0
    this.#freeAtMs = 0
  }

  #wait(): NodeJS.Timeout | undefined {
    const [first] = this.#underWay
    return first && setTimeout(() => this.#deliver(), first.atMs - performance.now())
  }

  #deliver(): void {
    while (this.#underWay[0] !== undefined && this.#underWay[0].atMs <= performance.now()) this.#underWay.shift()?.arrive()
    this.#timer = this.#wait()
  }
}
