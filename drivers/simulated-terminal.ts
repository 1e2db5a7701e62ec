import { writeSync } from 'node:fs'
import { rename, rm, symlink } from 'node:fs/promises'
import { ReadStream } from 'node:tty'
import { openPseudoTerminal } from '../native/devices.ts'
import type { Fault } from './simulation.ts'
import type { ByteInstrument } from './simulator.ts'

const BITS_PER_BYTE = 10 // a start bit, eight data bits, a stop bit

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
  readonly #faults: Fault[] = []
  readonly #in: Wire
  readonly #out: Wire
  readonly #late = new Set<NodeJS.Timeout>()
  #terminal: Terminal | undefined

  constructor(options: TerminalOptions) {
    this.#options = options
    const byteMs = (BITS_PER_BYTE * 1000) / options.baudRate
    this.#in = new Wire(byteMs)
    this.#out = new Wire(byteMs)
  }

  /** The next replies suffer these, one each. */
  inject(...faults: readonly Fault[]): void {
    this.#faults.push(...faults)
  }

  /** Faults that no reply has suffered yet. */
  get faultsLeft(): number {
    return this.#faults.length
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
    this.#in.clear()
    this.#out.clear()
    for (const timer of this.#late) clearTimeout(timer)
    this.#late.clear()
    terminal.stream.destroy()
    terminal.close()
    await rm(this.#options.linkPath, { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug()
  }

  #arriving(terminal: Terminal, bytes: Buffer): void {
    this.#in.carry(bytes.length, () => {
      this.#provoke()
      const reply = this.#options.instrument.receive(bytes, this.#options.seconds())
      if (reply.length > 0) this.#answer(terminal, reply)
    })
  }

  /** Errors of the instrument's own come before whatever it is told next. */
  #provoke(): void {
    for (let [next] = this.#faults; next?.kind === 'error'; [next] = this.#faults) {
      this.#faults.shift()
      this.#options.instrument.provoke(next.code, this.#options.seconds())
    }
  }

  #answer(terminal: Terminal, reply: Uint8Array): void {
    const fault = this.#faults.shift()
    switch (fault?.kind) {
      case undefined:
      case 'error':
        return this.#send(terminal, reply)
      case 'foreign':
        return this.#send(terminal, this.#options.instrument.foreign())
      case 'silent':
        return
      case 'late': {
        const timer = setTimeout(() => {
          this.#late.delete(timer)
          this.#send(terminal, reply)
        }, fault.byMs)
        this.#late.add(timer)
        return
      }
      case 'garbage':
        return this.#send(
          terminal,
          reply.map((byte) => byte ^ 0x55),
        )
      case 'cut':
        return this.#send(terminal, reply.subarray(0, Math.ceil(reply.length / 2)))
    }
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

  constructor(byteMs: number) {
    this.#byteMs = byteMs
  }

  carry(bytes: number, arrive: () => void): void {
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + bytes * this.#byteMs
    this.#underWay.push({ atMs: this.#freeAtMs, arrive })
    this.#timer ??= this.#wait()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#underWay.length = 0
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
