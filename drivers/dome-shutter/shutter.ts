import { setTimeout as pause } from 'node:timers/promises'
import type { CommandSpec } from '../../core/command-spec.ts'
import { asProblem, Conflict, DeviceBusy, EmergencyStopped, InvalidValue, NotFound, Problem } from '../../core/errors.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { CommandFacet, DeviceHandle, ShutterFacet } from '../driver.ts'
import { readEach } from '../readings.ts'
import { allOff, type CycleTools, checkBefore, travel } from './cycle.ts'
import { requireAll } from './interlock.ts'
import type { ShutterModules } from './modules.ts'
import { PARAMETERS, type ShutterState } from './parameters.ts'
import type { ShutterSettings } from './settings.ts'

const COMMANDS = [{ name: 'stop', description: 'Ends the cycle where it is: motor off, supply off', arguments: [] }] as const satisfies readonly CommandSpec[]

const STOPPED = 'STOPPED' // the code of a cycle that was told to end: no error of the shutter's

const TOOLS: CycleTools = {
  pause: async (seconds, signal) => {
    await pause(seconds * 1000, undefined, { signal }).catch(() => undefined) // given up: told next
  },
  seconds: () => performance.now() / 1000,
}

/** The shutter of a dome. A cycle goes on by itself once it was accepted; `underWay` follows it. */
export class DomeShutter implements DeviceHandle {
  readonly identity: string
  readonly parameters = PARAMETERS
  readonly shutter: ShutterFacet = { parameter: 'open' }
  readonly commands: CommandFacet = { specs: COMMANDS, invoke: (name) => this.#invoke(name) }
  readonly #modules: ShutterModules
  readonly #settings: ShutterSettings
  #cycle: { readonly abort: AbortController; readonly done: Promise<void> } | undefined
  /** A cycle is being prepared: interlocks and modules are asked. */
  #preparing = false
  /** Counts stops: a cycle that was asked for before one must not begin after it. */
  #stops = 0
  #failure: Problem | undefined
  #coolUntilSeconds = Number.NEGATIVE_INFINITY

  constructor(modules: ShutterModules, settings: ShutterSettings, identity: string) {
    this.#modules = modules
    this.#settings = settings
    this.identity = identity
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const { lost } = this.#modules
    if (lost.aborted) throw asProblem(lost.reason).with({ effect: 'NONE' })
    return await readEach(names, (name) => this.#readOne(name, signal), { lost, signal })
  }

  /** Returns once the cycle has begun, or at once when the shutter is there already. */
  async write(name: string, value: ParameterValue, signal: AbortSignal): Promise<ParameterValue> {
    if (name !== 'open' || typeof value !== 'boolean') throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    this.#requireReady()
    this.#preparing = true
    const stops = this.#stops
    try {
      const { toOpen, toMove } = this.#settings
      await requireAll(value ? [...toMove, ...toOpen] : toMove, signal)
      const there = await checkBefore(this.#modules, value, signal)
      if (stops !== this.#stops) throw new Conflict('overtaken by a stop before anything was switched on')
      this.#failure = undefined
      if (!there) this.#begin(value)
      return value
    } catch (error) {
      throw asProblem(error, 'NONE').with({ effect: 'NONE' })
    } finally {
      this.#preparing = false
    }
  }

  /** Throws how the last cycle ended badly, until the next one. */
  async underWay(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure
    return this.#cycle !== undefined
  }

  /** Motor and supply off; nothing is moved. */
  async makeSafe(): Promise<void> {
    await this.#stop(new Conflict('made safe', { effect: 'DONE', instrumentCode: STOPPED }))
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    await this.#stop(new EmergencyStopped('stopped by an emergency stop', { effect: 'DONE', instrumentCode: STOPPED }))
    return { confirmed: this.#isOff(signal) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cycle?.abort.abort(new Conflict('the device was closed', { effect: 'DONE' }))
    await this.#cycle?.done
  }

  get #state(): ShutterState {
    if (!this.#settings.enabled) return 'disabled'
    if (this.#cycle !== undefined) return 'cycle'
    if (this.#failure !== undefined && this.#failure.facts.instrumentCode !== STOPPED) return 'error'
    return this.#cooldownLeft > 0 ? 'cooldown' : 'idle'
  }

  get #cooldownLeft(): number {
    return Math.max(0, this.#coolUntilSeconds - TOOLS.seconds())
  }

  #requireReady(): void {
    if (!this.#settings.enabled) throw new Problem('INTERLOCK_BLOCKED', 'the shutter is disabled by its setting', { effect: 'NONE' })
    if (this.#cycle !== undefined || this.#preparing) throw new DeviceBusy('the shutter is on its way already; stop it first', {})
    const left = this.#cooldownLeft
    if (left > 0) throw new DeviceBusy(`the shutter cools down for another ${left.toFixed(1)} s`, {})
  }

  #begin(open: boolean): void {
    const abort = new AbortController()
    const { times, cooldownSeconds } = this.#settings
    const done = travel(this.#modules, open, times, TOOLS, abort.signal).then(
      () => this.#ended(cooldownSeconds, undefined),
      (error: unknown) => this.#ended(cooldownSeconds, asProblem(error, 'DONE')),
    )
    this.#cycle = { abort, done }
  }

  #ended(cooldownSeconds: number, failure: Problem | undefined): void {
    this.#failure = failure
    this.#coolUntilSeconds = TOOLS.seconds() + cooldownSeconds
    this.#cycle = undefined
  }

  /** The cycle switches everything off when it is given up; whatever it does, it is done here too, and at once. */
  async #stop(why: Problem): Promise<void> {
    this.#stops += 1
    const cycle = this.#cycle
    cycle?.abort.abort(why)
    await allOff(this.#modules, true)
    await cycle?.done
  }

  async #isOff(signal: AbortSignal): Promise<boolean> {
    try {
      return !(await this.#modules.motorOn(signal)) && !(await this.#modules.supplyOn(signal))
    } catch {
      return false // who does not answer has confirmed nothing
    }
  }

  async #invoke(name: string): Promise<undefined> {
    if (name !== 'stop') throw new NotFound(`command ${name}`)
    await this.#stop(new Conflict('stopped on its way', { effect: 'DONE', instrumentCode: STOPPED }))
    return undefined
  }

  async #readOne(name: string, signal: AbortSignal): Promise<Measured> {
    switch (name) {
      case 'open': {
        const { open, closed } = await this.#modules.endSwitches(signal)
        if (open === closed) return { bad: open ? 'both end switches are pressed' : 'the shutter is between its end switches' }
        return { value: open }
      }
      case 'end_switches': {
        const { open, closed } = await this.#modules.endSwitches(signal)
        return { value: open ? (closed ? 'both' : 'open') : closed ? 'closed' : 'between' }
      }
      case 'state':
        return { value: this.#state }
      case 'supply_on':
        return { value: await this.#modules.supplyOn(signal) }
      case 'motor_on':
        return { value: await this.#modules.motorOn(signal) }
      case 'cooldown_left':
        return { value: this.#cooldownLeft }
      case 'last_error':
        return { value: this.#failure?.message ?? '' }
    }
    throw new NotFound(`parameter ${name}`)
  }
}
