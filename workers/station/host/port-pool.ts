import type { DeviceSettings } from '../../../core/device.ts'
import { Conflict, DeviceOffline } from '../../../core/errors.ts'
import type { Driver, DriverContext, DriverPort } from '../../../drivers/driver.ts'
import { orAbort, pause } from './deadline.ts'

/** A share in an open port; the port closes with its last share. */
export interface PortShare extends AsyncDisposable {
  readonly port: DriverPort
}

type Pooled = { readonly driver: Driver; readonly opening: Promise<DriverPort>; port?: DriverPort; shares: number; closing?: Promise<void> }

const LET_GO_WITHIN_MS = 3_000 // closing a line or a connection takes milliseconds

/** Each port is opened once and shared by every device on it. */
export class PortPool {
  readonly #ports = new Map<string, Pooled>()
  /** Nobody may open these before their promise is fulfilled. */
  readonly #kept = new Map<string, Promise<void>>()

  /** Throws Conflict when another driver has the port, or what opening it throws. */
  async share(driver: Driver, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<PortShare> {
    const { address } = driver.locate(settings)
    for (;;) {
      const held = this.#ports.get(address)
      const letGo = this.#kept.get(address) ?? held?.closing
      if (letGo === undefined) break
      const ownVersion = held === undefined || held.driver === driver
      await orAbort(ownVersion ? letGo : inTime(letGo), signal) // an exclusive line cannot be opened before it is let go
      // An earlier version that never lets go may be what the new one mends.
      if (!ownVersion && this.#ports.get(address) === held) this.#ports.delete(address)
    }
    const present = this.#ports.get(address)
    if (present !== undefined && present.driver !== driver && !(driver.portFamily !== undefined && driver.portFamily === present.driver.portFamily))
      throw new Conflict(`${address} is in use by ${present.driver.id === driver.id ? 'an earlier version of ' : ''}${present.driver.id}`)
    if (present?.port?.lost.aborted) throw new DeviceOffline(`${address} was lost and is not let go of by all its devices yet`, {})
    // The first to come opens; its signal ends the attempt for all of them, and each tries again by itself.
    const pooled: Pooled = present ?? { driver, opening: driver.openPort(settings, context, signal), shares: 0 }
    this.#ports.set(address, pooled)
    pooled.shares += 1
    let released = false
    const release = async (): Promise<void> => {
      if (released) return
      released = true
      await this.#release(address, pooled)
    }
    try {
      pooled.port = await orAbort(pooled.opening, signal)
      return { port: pooled.port, [Symbol.asyncDispose]: release }
    } catch (error) {
      void release().catch(() => undefined) // a driver that hears no signal may never be done; whoever comes next waits for it
      throw error
    }
  }

  /** Does `work` while nobody can open any of these; undefined, and not begun, when one of them is open. */
  async whileClosed<T>(addresses: readonly string[], work: () => Promise<T>): Promise<T | undefined> {
    if (addresses.some((address) => this.#ports.has(address) || this.#kept.has(address))) return undefined
    const working = work()
    const over = working.then(
      () => undefined,
      () => undefined, // whoever asked for the work hears of it
    )
    for (const address of addresses) this.#kept.set(address, over)
    try {
      return await working
    } finally {
      for (const address of addresses) this.#kept.delete(address)
    }
  }

  async #release(address: string, pooled: Pooled): Promise<void> {
    pooled.shares -= 1
    if (pooled.shares > 0) return
    pooled.closing = (async () => {
      const port = await pooled.opening.catch(() => undefined)
      await port?.[Symbol.asyncDispose]()
    })()
    try {
      await pooled.closing
    } finally {
      if (this.#ports.get(address) === pooled) this.#ports.delete(address)
    }
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  const done = new AbortController()
  await Promise.race([work.catch(() => undefined), pause(LET_GO_WITHIN_MS, done.signal)]) // whoever closes it hears of its failure
  done.abort()
}
