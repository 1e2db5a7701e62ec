import { setTimeout as timer } from 'node:timers/promises'
import { DeviceBusy, HardwareFault, Problem } from '../../core/errors.ts'

/**
 * One exchange at a time on a port that many devices share. `urgent` goes before `command`, `command` before `read`; within a lane the devices take turns,
 * each first come, first served, so that one which asks much does not keep its neighbours waiting. Reads are never starved (COMMANDS_IN_A_ROW).
 */
export type Lane = 'urgent' | 'command' | 'read'

const MAX_WAITING = 256 // per lane and device; an instrument with a few dozen parameters stays far below, more is a runaway caller
const COMMANDS_IN_A_ROW = 4 // then one waiting read is let through, so that a scan's readings go on under a burst of sets

type Waiting = { readonly lane: Lane; readonly start: (exchange: AbortController) => void; readonly refuse: (reason: Problem) => void }

/** Whether what was sent in an exchange may have acted. */
export type SoFar = 'NONE' | 'POSSIBLE'
export type Account = { soFar: SoFar }

export class ExchangeQueue {
  readonly #waiting: Record<Lane, FairLine> = { urgent: new FairLine(), command: new FairLine(), read: new FairLine() }
  #running: AbortController | undefined
  #commandsInARow = 0
  #closed: Problem | undefined

  /**
   * `work` gets a signal that fires when the caller gives up, when preempt() voids the exchange, or when the port is closed. `device`: whose turn it takes,
   * where several share the port.
   */
  async run<T>(lane: Lane, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal, device = ''): Promise<T> {
    const exchange = await this.#turn(lane, device, signal)
    const onAbort = (): void => exchange.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      if (signal.aborted) throw problemOf(signal, 'NONE')
      if (exchange.signal.aborted) throw problemOf(exchange.signal, 'NONE')
      return await work(exchange.signal)
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#running = undefined
      this.#next()
    }
  }

  /** As run, with an account that `work` keeps: what says that the port was lost says, too, whether the hardware may have acted. */
  async exchange<T>(lane: Lane, work: (signal: AbortSignal, account: Account) => Promise<T>, signal: AbortSignal, device = ''): Promise<T> {
    const account: Account = { soFar: 'NONE' }
    const told = async (inner: AbortSignal): Promise<T> => {
      try {
        return await work(inner, account)
      } catch (error) {
        throw error instanceof Problem && error.code === 'DEVICE_OFFLINE' ? error.with({ effect: account.soFar }) : error
      }
    }
    return await this.run(lane, told, signal, device)
  }

  /** Closes with the port. */
  closeWith(lost: AbortSignal): void {
    const onLost = (): void => this.close(lost.reason)
    if (lost.aborted) onLost()
    else lost.addEventListener('abort', onLost, { once: true })
  }

  /** Everything asked for before this moment is void: what waits is refused, what runs is interrupted. */
  preempt(reason: Problem): void {
    const untouched = reason.with({ effect: 'NONE' })
    for (const lane of Object.values(this.#waiting)) for (const waiting of lane.takeAll()) waiting.refuse(untouched)
    this.#running?.abort(reason)
  }

  /** As preempt, and nothing is accepted any more. */
  close(reason: Problem): void {
    this.#closed ??= reason
    this.preempt(reason)
  }

  async #turn(lane: Lane, device: string, signal: AbortSignal): Promise<AbortController> {
    if (this.#closed !== undefined) throw this.#closed.with({ effect: 'NONE' })
    if (signal.aborted) throw problemOf(signal, 'NONE')
    const queue = this.#waiting[lane]
    if (queue.waitingFor(device) >= MAX_WAITING) throw new DeviceBusy(`${MAX_WAITING} exchanges wait for this port already`, {})
    return await new Promise<AbortController>((resolve, reject) => {
      const settled = (): void => signal.removeEventListener('abort', onAbort)
      const waiting: Waiting = {
        lane,
        start: (exchange) => {
          settled()
          resolve(exchange)
        },
        refuse: (reason) => {
          settled()
          reject(reason)
        },
      }
      const onAbort = (): void => {
        queue.remove(device, waiting)
        reject(problemOf(signal, 'NONE'))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      queue.add(device, waiting)
      if (this.#running === undefined) this.#next()
    })
  }

  /** Takes the place at once, so that nobody slips in, and no preemption is lost, before the chosen one's microtask runs. */
  #next(): void {
    const { urgent, command, read } = this.#waiting
    const readIsDue = this.#commandsInARow >= COMMANDS_IN_A_ROW
    const chosen = urgent.next() ?? (readIsDue ? read.next() : undefined) ?? command.next() ?? read.next()
    if (chosen === undefined) return
    this.#commandsInARow = chosen.lane === 'command' ? this.#commandsInARow + 1 : 0
    this.#running = new AbortController()
    chosen.start(this.#running)
  }
}

/** Who waits in one lane. A device that was served goes to the end of the round. */
class FairLine {
  /** In the order of their turns. */
  readonly #byDevice = new Map<string, Waiting[]>()

  waitingFor(device: string): number {
    return this.#byDevice.get(device)?.length ?? 0
  }

  add(device: string, waiting: Waiting): void {
    const own = this.#byDevice.get(device)
    if (own === undefined) this.#byDevice.set(device, [waiting])
    else own.push(waiting)
  }

  remove(device: string, waiting: Waiting): void {
    const left = (this.#byDevice.get(device) ?? []).filter((other) => other !== waiting)
    if (left.length === 0) this.#byDevice.delete(device)
    else this.#byDevice.set(device, left)
  }

  next(): Waiting | undefined {
    for (const [device, [chosen, ...left]] of this.#byDevice) {
      this.#byDevice.delete(device)
      if (left.length > 0) this.#byDevice.set(device, left)
      return chosen
    }
    return undefined
  }

  takeAll(): readonly Waiting[] {
    const all = [...this.#byDevice.values()].flat()
    this.#byDevice.clear()
    return all
  }
}

/** The caller's own reason if it is one of our problems (a deadline, a stop); otherwise a plain word with the effect known here. */
export function problemOf(signal: AbortSignal, effect: 'NONE' | 'POSSIBLE'): Problem {
  if (signal.reason instanceof Problem) return signal.reason
  return new HardwareFault(
    effect === 'NONE' ? 'given up before anything was sent' : 'given up while waiting for the instrument',
    effect,
    {},
    { cause: signal.reason },
  )
}

/** A pause within an exchange, never shorter; throws the signal's problem. */
export async function waitFor(milliseconds: number, signal: AbortSignal, effect: 'NONE' | 'POSSIBLE'): Promise<void> {
  const untilMs = performance.now() + milliseconds
  // A timer counts from when the event loop last looked at the clock: it may be early by as long as the work since then took.
  for (let leftMs = milliseconds; leftMs > 0 && !signal.aborted; leftMs = untilMs - performance.now())
    await timer(Math.ceil(leftMs), undefined, { signal }).catch(() => undefined) // aborted: told next
  if (signal.aborted) throw problemOf(signal, effect)
}
