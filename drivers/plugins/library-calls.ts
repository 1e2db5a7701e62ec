import { DeviceOffline } from '../../core/errors.ts'

/**
 * Calls into a library, each with a deadline. One that does not return cannot be ended: it is left to its thread, and remembered, so that nobody calls the
 * same device again behind its back.
 */
export class LibraryCalls {
  readonly #withinMs: number
  readonly #hanging = new Map<string, string>()

  constructor(withinMs: number) {
    this.#withinMs = withinMs
  }

  /** `device` names it, `what` is the function. Throws DeviceOffline when it does not return in time, or when an earlier one has not. */
  async make<T>(device: string, what: string, call: () => Promise<T>): Promise<T> {
    const earlier = this.#hanging.get(device)
    if (earlier !== undefined) throw new DeviceOffline(`${device}: ${earlier} has not returned yet; the library is not called before it has`, {})
    const made = call()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#hanging.set(device, what)
        const returned = (): void => void this.#hanging.delete(device)
        made.then(returned, returned)
        reject(new DeviceOffline(`${device}: ${what} did not return within ${this.#withinMs} ms`, { effect: 'POSSIBLE' }))
      }, this.#withinMs)
    })
    try {
      return await Promise.race([made, late])
    } finally {
      clearTimeout(timer)
    }
  }

  hangs(device: string): boolean {
    return this.#hanging.has(device)
  }
}
