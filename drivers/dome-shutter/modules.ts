import { DeviceOffline, type Effect, HardwareFault, Problem } from '../../core/errors.ts'
import type { DriverPort } from '../driver.ts'
import type { EndSwitches, ShutterHardware } from './cycle.ts'
import { httpGet } from './http.ts'
import { ask, parseDeviceInfo, parseError, parseInput, parseSet, parseSwitch, setSwitch } from './protocol.ts'

const ANSWER_MS = 2000 // a module answers within tens of milliseconds

/** Where each part hangs: `http://host:port` and the number of the switch or input there. */
export type Wiring = {
  readonly supply: Terminal
  readonly motor: Terminal
  readonly direction: readonly Terminal[]
  readonly openSwitch: Terminal
  readonly closedSwitch: Terminal
  /** What an input says while its end switch is pressed. */
  readonly pressed: boolean
}
export type Terminal = { readonly base: string; readonly id: number }

/** The relays and inputs of a shutter, over one or several modules. */
export class ShutterModules implements DriverPort, ShutterHardware {
  readonly lost: AbortSignal
  readonly #wiring: Wiring
  readonly #lost = new AbortController()

  constructor(wiring: Wiring) {
    this.#wiring = wiring
    this.lost = this.#lost.signal
  }

  /** Who the module of the supply is. A wrong one is refused by name. */
  async identify(signal: AbortSignal): Promise<string> {
    const { base } = this.#wiring.supply
    const text = await this.#ask(base, ask.deviceInfo, 'NONE', signal)
    const info = parseDeviceInfo(text)
    if (info === undefined || info.generation < 2)
      throw new HardwareFault(`${base} answers ${JSON.stringify(text.slice(0, 80))}, which is not a Shelly module of generation 2 or later`, 'NONE')
    return `Shelly ${info.model} ${info.id}`
  }

  /** Whether the modules have as many switches and inputs as the wiring names: others of this make have fewer. Throws when they do not. */
  async fits(signal: AbortSignal): Promise<void> {
    const { direction, closedSwitch } = this.#wiring
    await Promise.all([...direction.slice(-1).map((terminal) => this.#switch(terminal, signal)), this.#input(closedSwitch, signal)])
  }

  async preflight(signal: AbortSignal): Promise<EndSwitches> {
    const { supply, motor, direction } = this.#wiring
    for (const terminal of [supply, motor, ...direction]) await this.#switch(terminal, signal)
    return await this.endSwitches(signal)
  }

  async endSwitches(signal: AbortSignal): Promise<EndSwitches> {
    const { openSwitch, closedSwitch, pressed } = this.#wiring
    return { open: (await this.#input(openSwitch, signal)) === pressed, closed: (await this.#input(closedSwitch, signal)) === pressed }
  }

  supplyOn(signal: AbortSignal): Promise<boolean> {
    return this.#switch(this.#wiring.supply, signal)
  }

  motorOn(signal: AbortSignal): Promise<boolean> {
    return this.#switch(this.#wiring.motor, signal)
  }

  async power(on: boolean, signal: AbortSignal): Promise<void> {
    await this.#set(this.#wiring.supply, on, signal)
  }

  async motor(on: boolean, signal: AbortSignal, forSeconds?: number): Promise<void> {
    await this.#set(this.#wiring.motor, on, signal, forSeconds)
  }

  async direction(opening: boolean, signal: AbortSignal): Promise<void> {
    for (const terminal of this.#wiring.direction) await this.#set(terminal, opening, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.lost.aborted) this.#lost.abort(new DeviceOffline(`${this.#wiring.supply.base}: closed`, {}))
  }

  async #set({ base, id }: Terminal, on: boolean, signal: AbortSignal, forSeconds?: number): Promise<void> {
    const path = setSwitch(id, on, forSeconds)
    const text = await this.#ask(base, path, 'POSSIBLE', signal)
    if (parseSet(text) === undefined) throw strange(base + path, text, 'POSSIBLE')
  }

  async #switch({ base, id }: Terminal, signal: AbortSignal): Promise<boolean> {
    const text = await this.#ask(base, ask.switchStatus(id), 'NONE', signal)
    const on = parseSwitch(text, id)
    if (on === undefined) throw strange(base + ask.switchStatus(id), text, 'NONE')
    return on
  }

  async #input({ base, id }: Terminal, signal: AbortSignal): Promise<boolean> {
    const text = await this.#ask(base, ask.inputStatus(id), 'NONE', signal)
    const state = parseInput(text, id)
    if (state === undefined) throw strange(base + ask.inputStatus(id), text, 'NONE')
    return state
  }

  async #ask(base: string, path: string, effect: Effect, signal: AbortSignal): Promise<string> {
    try {
      const { status, body } = await httpGet(base + path, effect, ANSWER_MS, signal)
      if (status === 200) return body
      const error = parseError(body)
      throw new HardwareFault(
        `${base}${path}: ${error === undefined ? `HTTP ${status}` : `${error.message} (${error.code})`}`,
        error === undefined ? effect : 'NONE',
        error === undefined ? {} : { instrumentCode: String(error.code) },
      )
    } catch (error) {
      if (error instanceof Problem && error.code === 'DEVICE_OFFLINE' && !this.lost.aborted) this.#lost.abort(error)
      throw error
    }
  }
}

function strange(question: string, text: string, effect: Effect): HardwareFault {
  return new HardwareFault(`${question} was answered by ${JSON.stringify(text.slice(0, 80))}`, effect)
}
