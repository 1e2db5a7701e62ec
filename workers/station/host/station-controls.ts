import { checkArguments } from '../../../core/command-spec.ts'
import type { DeviceRecord } from '../../../core/device.ts'
import { asProblem, NotFound, NotSupported } from '../../../core/errors.ts'
import { checkValue } from '../../../core/parameter.ts'
import type { ParameterValue, Reading } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { ActivityWatch, activityOf } from './activity-watch.ts'
import { orAbort } from './deadline.ts'
import type { LiveHandle } from './device-connection.ts'
import type { Writer } from './hosted-device.ts'
import { type ParameterTable, readableNames } from './parameter-table.ts'
import type { StationAxis } from './station-axis.ts'

export type StationControlsContext = {
  readonly record: DeviceRecord
  readonly table: ParameterTable
  readonly axis: StationAxis
  readonly log: (line: string) => void
  /** Throws DeviceOffline. */
  readonly live: () => LiveHandle
  /** Fires when the connection of now ends; undefined while there is none. */
  readonly connection: () => AbortSignal | undefined
  /** Throws EmergencyStopped or DeviceBusy when this writer may not write now. */
  readonly permit: (writer: Writer) => void
  readonly readNow: (names: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, Reading>>
  readonly noteChange: (name: string, old: Reading | undefined, next: Reading, writer: Writer) => void
  readonly onBegun: () => void
  readonly onChange: () => void
}

/** What can be set on a device, and the commands of its own; and whether what they have begun still goes on. */
export class StationControls {
  readonly #context: StationControlsContext
  readonly #activity: ActivityWatch

  constructor(context: StationControlsContext) {
    this.#context = context
    this.#activity = new ActivityWatch(context.onChange)
  }

  get going(): boolean {
    return this.#activity.going === true
  }

  /** The checks of set, without the write: the value in the parameter's unit. */
  checkSet(name: string, value: ParameterValue, unit: string | undefined): ParameterValue {
    const { record, table, live } = this.#context
    const checked = checkValue(table.spec(name), value, unit)
    if (live().handle.write === undefined) throw new NotSupported(`nothing of ${record.name} can be set`, 'SETTABLE')
    return checked
  }

  /** See HostedDevice. */
  async set(name: string, value: ParameterValue, unit: string | undefined, writer: Writer, signal: AbortSignal): Promise<Reading> {
    const { table, live, permit, noteChange } = this.#context
    const checked = this.checkSet(name, value, unit)
    const { handle } = live()
    const spec = table.spec(name)
    permit(writer)
    const old = spec.access === 'WRITE_ONLY' ? table.setpoint(name) : table.reading(name)
    const confirmed = await this.#followed(
      (each) => each.write?.(name, checked, signal) ?? Promise.reject(new NotSupported(`${name} cannot be set`, 'SETTABLE')),
      signal,
    )
    const asked = table.asked(name, checked)
    const reading = spec.access === 'WRITE_ONLY' ? asked : table.confirmed(name, confirmed)
    noteChange(name, old, reading, writer)
    this.#describe(handle)
    this.#rereadUnpolled()
    return reading
  }

  /** The checks of a command of the driver's own, without it: its arguments with their defaults. */
  checkInvoke(name: string, given: Readonly<Record<string, ParameterValue>>): Readonly<Record<string, ParameterValue>> {
    const { record, live } = this.#context
    const { commands } = live().handle
    if (commands === undefined) throw new NotSupported(`${record.name} has no commands of its own`, 'COMMANDABLE')
    const spec = commands.specs.find((candidate) => candidate.name === name)
    if (spec === undefined) throw new NotFound(`command ${name} of ${record.name}; it has ${commands.specs.map((known) => known.name).join(', ')}`)
    return checkArguments(spec, given)
  }

  /** Returns what it answers with, once it has accepted; `arrived` and the axis' `settled` wait for what it has begun. */
  async invoke(name: string, given: Readonly<Record<string, ParameterValue>>, writer: Writer, signal: AbortSignal): Promise<ParameterValue | undefined> {
    const { live, permit } = this.#context
    const checked = this.checkInvoke(name, given)
    permit(writer)
    const { handle } = live()
    const value = await this.#followed(({ commands }) => commands?.invoke(name, checked, signal) ?? Promise.resolve(undefined), signal, 'mayMove')
    this.#describe(handle)
    this.#rereadUnpolled()
    return value
  }

  /** Until what was set, or begun by a command of its own, is there, by the instrument's own word. Throws what ended it badly. */
  async arrived(signal: AbortSignal): Promise<void> {
    await this.#activity.settled(signal)
  }

  /** What goes on already when it is met. */
  async look(handle: DeviceHandle, connection: AbortSignal): Promise<void> {
    const activity = activityOf(handle)
    if (activity !== undefined) await this.#activity.look(activity, connection)
  }

  /** The connection is gone: nobody knows. */
  forget(): void {
    this.#activity.forget()
  }

  /** Carries out what may go on after the instrument has taken it, and watches it from then on; also when the answer is lost and it may go on all the same. */
  async #followed<T>(begin: (handle: DeviceHandle) => Promise<T>, signal: AbortSignal, axis?: 'mayMove'): Promise<T> {
    const live = this.#context.live()
    const watch = (): void => {
      if (axis === 'mayMove') this.#context.axis.follow(live) // nobody but the instrument knows
      const question = activityOf(live.handle)
      if (question === undefined) return
      this.#activity.begin(question, live.signal)
      this.#context.onBegun()
    }
    try {
      const done = await orAbort(begin(live.handle), signal)
      watch()
      return done
    } catch (error) {
      if (asProblem(error).effect !== 'NONE') {
        watch()
        this.#rereadUnpolled()
      }
      throw error
    }
  }

  /** Readers learn of a new parameter before its first reading. */
  #describe({ parameters }: DeviceHandle): void {
    if (this.#context.table.describe(parameters)) this.#context.onChange()
  }

  /** One set may change what else the instrument says; what is not polled is read again in the background. */
  #rereadUnpolled(): void {
    const { record, table, connection, readNow, log } = this.#context
    const signal = connection()
    const names = readableNames(table.specs.filter(({ pollMs, streamed }) => pollMs === undefined && streamed !== true))
    if (signal === undefined || names.length === 0) return
    readNow(names, signal).catch((error: unknown) => {
      if (!signal.aborted) log(`${record.name}: ${asProblem(error).message}`)
    })
  }
}
