import { setTimeout as pause } from 'node:timers/promises'
import { asProblem, Conflict, DeviceBusy, HardwareFault, Problem } from '../../core/errors.ts'
import { type ByteTransport, openSerial } from '../transport/byte-transport.ts'
import type { Lane } from '../transport/exchange-queue.ts'
import { SerialLine } from '../transport/serial-line.ts'
import type { DomeMotor, MoveEnd, RunningMove } from './motor.ts'
import * as protocol from './protocol.ts'

const REPLY_TIMEOUT_MS = 2000
const BOOT_WITHIN_MS = 5000 // the controller restarts when its port is opened
const ASK_EVERY_MS = 500 // while it boots
const DRAIN_MS = 50 // before a move: what is left of the last one
const MAX_PARTIAL_BYTES = 256

/** The move that was sent: whether it was refused, and how it ended. */
class Pending {
  readonly move: protocol.Move
  readonly ended: Promise<MoveEnd>
  refused: Problem | undefined
  over = false
  #resolve: (end: MoveEnd) => void = () => undefined
  #reject: (why: Problem) => void = () => undefined

  constructor(move: protocol.Move) {
    this.move = move
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.ended.catch(() => undefined) // told to who waits for it, if the move was accepted
  }

  end(end: MoveEnd): void {
    this.over = true
    this.#resolve(end)
  }

  fail(why: Problem): void {
    this.over = true
    this.#reject(why)
  }
}

/** The RP2040 controller: STATUS is asked and answered at any time, and the end of a move comes of itself. */
export class Rp2040Motor implements DomeMotor {
  readonly address: string
  readonly identity = 'RP2040 dome motor controller'
  readonly lost: AbortSignal
  readonly #line: SerialLine
  readonly #log: (message: string) => void
  #pending: Pending | undefined
  #stops = 0
  #ready = false

  private constructor(transport: ByteTransport, address: string, timeoutMs: number, log: (message: string) => void) {
    this.address = address
    this.#log = log
    this.lost = transport.lost
    this.#line = new SerialLine(
      apart(transport, (event) => this.#happened(event)),
      {
        sendTerminator: protocol.TERMINATOR,
        replyTerminator: protocol.TERMINATOR,
        timeoutMs,
        gapMs: 0,
        marker: { command: protocol.command.status, reply: protocol.STATUS_REPLY },
      },
    )
    const onLost = (): void => this.#fail(lostMidMove(transport.lost.reason))
    if (transport.lost.aborted) onLost()
    else transport.lost.addEventListener('abort', onLost, { once: true })
  }

  /** Waits for READY, or for an answer to STATUS. */
  static async open(place: { readonly path: string; readonly address: string }, log: (message: string) => void, signal: AbortSignal): Promise<Rp2040Motor> {
    const motor = await Rp2040Motor.#connect(place, REPLY_TIMEOUT_MS, log, signal)
    const deadlineMs = performance.now() + BOOT_WITHIN_MS
    try {
      for (;;) {
        const answer = await motor.status(signal).catch((error: unknown) => (error instanceof Problem ? error : Promise.reject(error)))
        if (!(answer instanceof Problem)) return motor
        if (signal.aborted || motor.lost.aborted || performance.now() > deadlineMs)
          throw new HardwareFault(`${place.address} neither says READY nor answers STATUS as a dome motor controller does: ${answer.message}`, 'NONE')
        if (!motor.#ready) await pause(ASK_EVERY_MS)
      }
    } catch (error) {
      await motor[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Whether such a controller answers STATUS within the time. */
  static async answers(place: { readonly path: string; readonly address: string }, withinMs: number, signal: AbortSignal): Promise<boolean> {
    await using motor = await Rp2040Motor.#connect(place, withinMs, () => undefined, signal)
    await motor.#line.interject('') // ends what another driver has asked before: it may stand there without an end
    return await motor.status(signal).then(
      () => true,
      (error: unknown) => (error instanceof Problem ? false : Promise.reject(error)),
    )
  }

  static async #connect(
    { path, address }: { readonly path: string; readonly address: string },
    timeoutMs: number,
    log: (message: string) => void,
    signal: AbortSignal,
  ): Promise<Rp2040Motor> {
    return new Rp2040Motor(await openSerial({ path, baudRate: protocol.BAUD_RATE, flowControl: 'none' }, signal), address, timeoutMs, log)
  }

  async start(move: protocol.Move, signal: AbortSignal): Promise<RunningMove> {
    const stops = this.#stops
    return await this.#line.exchange(
      'command',
      async (line) => {
        if (this.#pending !== undefined) throw new DeviceBusy('the dome is turning already', {})
        await line.pause(DRAIN_MS)
        if (stops !== this.#stops) throw new Conflict('the move was overtaken by a stop and not sent')
        const pending = new Pending(move)
        this.#pending = pending
        try {
          await line.send(protocol.command.move(move))
          const status = protocol.parseStatus(await line.ask(protocol.command.status, protocol.STATUS_REPLY))
          const busy = pending.refused?.code === 'DEVICE_BUSY'
          if (pending.refused !== undefined && (busy || status?.moving === false)) throw pending.refused
          if (pending.refused !== undefined) throw pending.refused.with({ effect: 'POSSIBLE' }) // something turns, and the controller complains
          if (status?.moving === false && !pending.over)
            throw new HardwareFault(`the controller says IDLE after ${protocol.command.move(move)}; nobody knows whether it moved`, 'POSSIBLE')
        } catch (error) {
          this.#pending = undefined
          if (asProblem(error).effect !== 'NONE' && !this.lost.aborted) await this.stop() // it may be turning, and nobody watches
          throw error
        }
        return { ended: pending.ended }
      },
      signal,
    )
  }

  async status(signal: AbortSignal, lane: Lane = 'read'): Promise<protocol.ControllerStatus> {
    const status = protocol.parseStatus(await this.#line.ask(lane, protocol.command.status, protocol.STATUS_REPLY, signal)) ?? { moving: false }
    const pending = this.#pending
    if (!status.moving && pending !== undefined)
      this.#fail(new HardwareFault('the controller stands and has not said how many steps it made', 'DONE', { instrumentCode: 'IDLE' }))
    return status
  }

  async stop(): Promise<void> {
    this.#stops += 1
    await this.#line.interject(protocol.command.stop)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]()
  }

  #happened(event: protocol.ControllerEvent): void {
    if (event.kind === 'ready') this.#ready = true
    const pending = this.#pending
    if (pending === undefined) return // the end of a move that was not ours
    switch (event.kind) {
      case 'ready':
        return this.#fail(new HardwareFault('the controller restarted in the midst of the move', 'DONE', { instrumentCode: 'READY' }))
      case 'ended': {
        // A move that ran to its end made the steps it was told to; anything else was said of another one.
        if (event.steps > pending.move.steps || (!event.stopped && event.steps !== pending.move.steps)) {
          this.#log(`the controller speaks of ${event.steps} steps, and was told ${pending.move.steps}`)
          return
        }
        this.#pending = undefined
        return pending.end({ steps: event.steps, stopped: event.stopped })
      }
      case 'busy':
        pending.refused = new DeviceBusy('the controller is busy with a move that is not ours', { instrumentCode: 'BUSY' })
        return
      case 'error':
        pending.refused = new HardwareFault(`the controller refuses: ERROR ${event.text}`, 'NONE', { instrumentCode: event.text })
        return
    }
  }

  #fail(problem: Problem): void {
    const pending = this.#pending
    this.#pending = undefined
    pending?.fail(problem)
  }
}

function lostMidMove(reason: unknown): Problem {
  return reason instanceof Problem ? reason.with({ effect: 'DONE' }) : new HardwareFault('the controller was lost in the midst of a move', 'DONE')
}

/** Takes out of a stream of lines what comes of itself; the rest goes on, as the answers to questions. */
function apart(transport: ByteTransport, happened: (event: protocol.ControllerEvent) => void): ByteTransport {
  let partial = ''
  return {
    lost: transport.lost,
    write: (bytes) => transport.write(bytes),
    onBytes: (listener) =>
      transport.onBytes((bytes) => {
        const lines = (partial + Buffer.from(bytes).toString('latin1')).split(protocol.TERMINATOR)
        partial = (lines.pop() ?? '').slice(-MAX_PARTIAL_BYTES)
        for (const line of lines) {
          const event = protocol.parseEvent(line.trim())
          if (event === undefined) listener(Buffer.from(line + protocol.TERMINATOR, 'latin1'))
          else happened(event)
        }
      }),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}
