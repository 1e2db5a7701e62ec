import type { ConnectionState, DeviceRecord } from '../../../core/device.ts'
import { asProblem, DeviceOffline, type Problem } from '../../../core/errors.ts'
import type { WallNs } from '../../../core/time.ts'
import type { DeviceHandle, Driver, DriverContext } from '../../../drivers/driver.ts'
import { Bell } from './bell.ts'
import { deadline, orAbort } from './deadline.ts'
import type { PortPool } from './port-pool.ts'

export type ConnectionOptions = {
  readonly record: DeviceRecord
  readonly driver: Driver
  readonly ports: PortPool
  readonly context: DriverContext
  /** What must be done with a fresh handle before anybody may command it. The signal fires when the connection ends. */
  readonly opened: (handle: DeviceHandle, connection: AbortSignal) => Promise<void>
  /** A handle was let go of, before its loss is told. */
  readonly closed: (handle: DeviceHandle) => void
  readonly onChange: (connection: Connection) => void
}

export type Connection = { readonly state: ConnectionState; readonly since: WallNs; readonly reason?: string }

export type LiveHandle = { readonly handle: DeviceHandle; readonly signal: AbortSignal }

const OPEN_WITHIN_MS = 20_000 // the slowest identification that we know (a camera library) takes a few seconds
const LET_GO_WITHIN_MS = 5_000 // closing a camera takes one; what takes longer goes on behind
const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 10_000 // a person who plugs a cable in again waits no longer than this

/** Connects one device and keeps it connected: after a loss it tries again with back-off until it is told to stop. */
export class DeviceConnection {
  readonly #options: ConnectionOptions
  readonly #stopping = new AbortController()
  readonly #bell = new Bell()
  #connection: Connection
  #live: LiveHandle | undefined
  readonly #running: Promise<void>

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#connection = { state: 'CONNECTING', since: options.context.clock.wallNs() }
    this.#running = this.#run(this.#stopping.signal)
  }

  get connection(): Connection {
    return this.#connection
  }

  /** The handle while connected, with a signal that fires when the connection ends. */
  get live(): LiveHandle | undefined {
    return this.#live
  }

  /** A person does not want to wait for the next try. */
  tryNow(): void {
    if (this.#live !== undefined) return
    this.#note('CONNECTING')
    this.#bell.ring()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new DeviceOffline(`${this.#options.record.name} was disconnected`, { deviceId: this.#options.record.id }))
    await this.#running
  }

  async #run(stopping: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!stopping.aborted) {
      const problem = await this.#connectOnce(stopping).then(
        (lost) => {
          retryMs = FIRST_RETRY_MS
          if (!stopping.aborted) this.#note('RECONNECTING', lost.message)
          return lost
        },
        (error: unknown) => asProblem(error, 'NONE'),
      )
      if (stopping.aborted) break
      // Of a lost connection nobody needs to be told at each try; what a person must mend is shown as failed.
      if (this.#connection.state !== 'RECONNECTING' || problem.code !== 'DEVICE_OFFLINE') this.#note('FAILED', problem.message)
      await this.#wait(retryMs * (0.75 + Math.random() / 4), stopping)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
    this.#note('DISCONNECTED')
  }

  /** Returns why the connection ended; throws why there was none. */
  async #connectOnce(stopping: AbortSignal): Promise<Problem> {
    const { driver, record, ports, context, opened, closed } = this.#options
    const late = (): Problem => new DeviceOffline(`${record.name} did not open within ${OPEN_WITHIN_MS} ms`, { deviceId: record.id })
    using opening = deadline(stopping, OPEN_WITHIN_MS, late)
    const share = await ports.share(driver, record.settings, context, opening.signal)
    await using _port = this.#lettingGo(share, 'its port')
    const handle = await inTime(driver.openDevice(share.port, record.settings, context, opening.signal), opening.signal)
    using _closed = { [Symbol.dispose]: () => closed(handle) }
    await using _device = this.#lettingGo(handle, 'it')
    using connection = connectionOf([share.port.lost, ...(handle.lost === undefined ? [] : [handle.lost]), stopping]) // ends also what `opened` has begun, when that fails
    await orAbort(opened(handle, connection.signal), opening.signal)
    opening[Symbol.dispose]()
    try {
      connection.signal.throwIfAborted()
      this.#live = { handle, signal: connection.signal }
      this.#note('CONNECTED')
      return await connection.ended
    } finally {
      this.#live = undefined
    }
  }

  /** Disposed of in time: a driver that hangs there must not keep the registry, or another version of itself, from going on. */
  #lettingGo(part: AsyncDisposable, what: string): AsyncDisposable {
    const { record, context } = this.#options
    return {
      [Symbol.asyncDispose]: async () => {
        const ended = Promise.resolve(part[Symbol.asyncDispose]())
        const late = (): Problem => new DeviceOffline(`${record.name}: ${what} was not let go of within ${LET_GO_WITHIN_MS} ms`, { deviceId: record.id })
        using limit = deadline(new AbortController().signal, LET_GO_WITHIN_MS, late)
        await orAbort(ended, limit.signal).catch((error: unknown) => context.log(asProblem(error).message))
      },
    }
  }

  async #wait(milliseconds: number, stopping: AbortSignal): Promise<void> {
    const timer = setTimeout(() => this.#bell.ring(), milliseconds)
    await this.#bell.rung(stopping)
    clearTimeout(timer)
  }

  #note(state: ConnectionState, reason?: string): void {
    if (this.#connection.state === state && this.#connection.reason === reason) return
    const since = this.#connection.state === state ? this.#connection.since : this.#options.context.clock.wallNs()
    this.#connection = { state, since, ...(reason !== undefined && { reason }) }
    this.#options.onChange(this.#connection)
  }
}

/** A handle that comes after nobody waits for it any more is closed. */
async function inTime(opening: Promise<DeviceHandle>, signal: AbortSignal): Promise<DeviceHandle> {
  try {
    return await orAbort(opening, signal)
  } catch (error) {
    opening.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined)
    throw error
  }
}

type LiveConnection = Disposable & { readonly signal: AbortSignal; readonly ended: Promise<Problem> }

/** Fires when one of these does (the port or the device is lost, it is to be let go), or it is disposed of. */
function connectionOf(ends: readonly AbortSignal[]): LiveConnection {
  const controller = new AbortController()
  const ended = new Promise<Problem>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(controller.signal.reason), { once: true })
  })
  const end = (reason: unknown): void =>
    controller.abort(reason instanceof Error ? asProblem(reason, 'NONE') : new DeviceOffline('the connection was lost', {}))
  for (const signal of ends) {
    if (signal.aborted) end(signal.reason)
    else signal.addEventListener('abort', () => end(signal.reason), { once: true, signal: controller.signal })
  }
  return { signal: controller.signal, ended, [Symbol.dispose]: () => end(undefined) }
}
