import type { ParameterState } from '../../../core/device.ts'
import { NotFound } from '../../../core/errors.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Measured, ParameterValue, Reading } from '../../../core/reading.ts'
import type { Clock } from '../../../core/time.ts'
import type { Note } from './note.ts'
import type { ReadingsHub } from './readings-hub.ts'
import type { Sampler } from './sampler.ts'

export type TableContext = {
  readonly clock: Clock
  readonly hub: ReadingsHub
  readonly sampler: Sampler
  readonly note: Note
  /** Gives the next handle of this station. */
  readonly nextHandle: () => number
}

type Row = { spec: ParameterSpec; readonly handle: number; reading?: Reading; setpoint?: Reading }

/** What is known of one device's parameters: the latest reading and the latest setpoint of each. */
export class ParameterTable {
  readonly #deviceId: string
  readonly #deviceName: string
  readonly #context: TableContext
  readonly #rows = new Map<string, Row>()
  #described: readonly ParameterSpec[] = []
  /** Counts the sets, and remembers of each parameter which was the last. */
  #sets = 0
  readonly #lastSet = new Map<string, number>()

  constructor(deviceId: string, deviceName: string, context: TableContext) {
    this.#deviceId = deviceId
    this.#deviceName = deviceName
    this.#context = context
  }

  /** A driver describes its device at each connection; a parameter keeps its handle as long as the station runs. Whether a parameter is new. */
  describe(specs: readonly ParameterSpec[]): boolean {
    if (specs === this.#described) return false
    const { sampler, note, clock, nextHandle } = this.#context
    if (JSON.stringify(specs) !== JSON.stringify(this.#described)) note({ type: 'parameters', time: clock.wallNs(), deviceId: this.#deviceId, specs })
    this.#described = specs
    const known = this.#rows.size
    for (const spec of specs) {
      const row = this.#rows.get(spec.name) ?? { spec, handle: nextHandle() }
      row.spec = spec
      this.#rows.set(spec.name, row)
      sampler.know(row.handle, this.#deviceId, spec)
    }
    return this.#rows.size > known
  }

  get specs(): readonly ParameterSpec[] {
    return this.#described
  }

  get handles(): readonly number[] {
    return [...this.#rows.values()].map(({ handle }) => handle)
  }

  /** Throws NotFound. */
  spec(name: string): ParameterSpec {
    return this.#row(name).spec
  }

  reading(name: string): Reading | undefined {
    return this.#rows.get(name)?.reading
  }

  setpoint(name: string): Reading | undefined {
    return this.#rows.get(name)?.setpoint
  }

  /** Stores and announces what the instrument said just now. */
  measured(name: string, measured: Measured): Reading {
    const time = this.#context.clock.wallNs()
    return this.#store(
      name,
      'bad' in measured ? { time, quality: 'BAD', reason: measured.bad } : { time, quality: measured.quality ?? 'GOOD', value: measured.value },
    )
  }

  /** As measured, for what a set has confirmed: an answer to an older question does not speak of it any more. */
  confirmed(name: string, value: ParameterValue): Reading {
    this.#sets += 1
    this.#lastSet.set(name, this.#sets)
    return this.measured(name, { value })
  }

  /** How many sets there were: taken before the instrument is asked, given with its answer. */
  get sets(): number {
    return this.#sets
  }

  /** The answer to a question of several parameters, which was asked after so many sets: one that was set meanwhile keeps what the set has confirmed. */
  answered(name: string, measured: Measured, sets: number): Reading {
    const newer = (this.#lastSet.get(name) ?? 0) > sets ? this.reading(name) : undefined
    return newer ?? this.measured(name, measured)
  }

  /** Stores and announces what was asked of the instrument. */
  asked(name: string, value: ParameterValue): Reading {
    const row = this.#row(name)
    row.setpoint = { time: this.#context.clock.wallNs(), quality: 'GOOD', value }
    this.#context.hub.publish(row.handle, row.setpoint, 'setpoint')
    return row.setpoint
  }

  /** Stores and announces what has a time of its own. */
  observed(name: string, reading: Reading): void {
    this.#store(name, reading)
  }

  /** What was known may no longer be so: of everything when the connection is gone. */
  stale(reason: string, names: Iterable<string> = this.#rows.keys()): void {
    const time = this.#context.clock.wallNs()
    for (const name of names) {
      const reading = this.reading(name)
      if (reading?.value !== undefined && reading.quality !== 'STALE') this.#store(name, { time, quality: 'STALE', value: reading.value, reason })
    }
  }

  states(): readonly ParameterState[] {
    return [...this.#rows.values()].map(({ spec, handle, reading, setpoint }) => ({
      spec,
      handle,
      ...(reading !== undefined && { reading }),
      ...(setpoint !== undefined && { setpoint }),
    }))
  }

  #store(name: string, reading: Reading): Reading {
    const row = this.#row(name)
    row.reading = reading
    this.#context.hub.publish(row.handle, reading, 'measured')
    return reading
  }

  #row(name: string): Row {
    const row = this.#rows.get(name)
    if (row === undefined) throw new NotFound(`parameter ${name} of ${this.#deviceName}`)
    return row
  }
}

/** Of what has a value that can be asked for. */
export function readableNames(specs: readonly ParameterSpec[]): readonly string[] {
  return specs.filter(({ access, streamed }) => access !== 'WRITE_ONLY' && streamed !== true).map(({ name }) => name)
}
