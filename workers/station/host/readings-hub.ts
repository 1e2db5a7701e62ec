import { QUALITIES, type Reading } from '../../../core/reading.ts'
import type { ReadingColumns, ReadingsItem, ReadingsParams, ReadingsPosition } from '../../../link/protocol.ts'
import { Bell } from './bell.ts'

export type ReadingKind = 'measured' | 'setpoint'
export type Published = { readonly handle: number; readonly reading: Reading; readonly kind: ReadingKind }

export type HubOptions = {
  readonly epoch: number
  /** Gets every batch once, as it is closed. */
  readonly onBatch: (batch: readonly Published[]) => void
  readonly maxHeldReadings?: number
}

const GATHER_MS = 5 // one message then carries what a whole poll brought, and no reader sees a value later than it could notice
const MAX_BATCH_READINGS = 10_000 // a batch closes early at this size: one message stays below a megabyte
/** What those who resume can go back to: some seconds at the highest rate, minutes in an ordinary lab. About 50 bytes each. */
const MAX_HELD_READINGS = 400_000

type Batch = { readonly position: number; readonly columns: ReadingColumns }

/** Every reading of the station passes here once: gathered into batches, kept for a while for those who resume, handed on once. */
export class ReadingsHub {
  readonly #epoch: number
  readonly #onBatch: HubOptions['onBatch']
  readonly #maxHeld: number
  readonly #latest: Record<ReadingKind, Map<number, Reading>> = { measured: new Map(), setpoint: new Map() }
  readonly #held = new Map<number, Batch>()
  /** Where each handle was last published among the batches that are no longer held. */
  readonly #forgottenAt = new Map<number, number>()
  readonly #bell = new Bell()
  #heldReadings = 0
  #newestForgotten = 0
  #last = 0
  #pending: Published[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: HubOptions) {
    this.#epoch = options.epoch
    this.#onBatch = options.onBatch
    this.#maxHeld = options.maxHeldReadings ?? MAX_HELD_READINGS
  }

  /** Of the newest closed batch. */
  get position(): ReadingsPosition {
    return { epoch: this.#epoch, position: this.#last }
  }

  publish(handle: number, reading: Reading, kind: ReadingKind): void {
    this.#pending.push({ handle, reading, kind })
    if (this.#pending.length >= MAX_BATCH_READINGS) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS)
  }

  /** Closes the batch that is being gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.length === 0) return
    const published = this.#pending
    this.#pending = []
    for (const { handle, reading, kind } of published) this.#latest[kind].set(handle, reading)
    this.#last += 1
    this.#held.set(this.#last, { position: this.#last, columns: columnsOf(published) })
    this.#heldReadings += published.length
    this.#forgetOldest()
    this.#onBatch(published)
    this.#bell.ring()
  }

  /** A removed device's values are nobody's present any more. */
  forget(handles: readonly number[]): void {
    this.flush() // what is being gathered would make them present again
    for (const handle of handles) {
      this.#latest.measured.delete(handle)
      this.#latest.setpoint.delete(handle)
    }
  }

  /** Lossless and in order until it says gap. Holds nothing for its reader but a position. */
  async *stream(params: ReadingsParams, signal: AbortSignal): AsyncGenerator<ReadingsItem, void, void> {
    const selected = params.handles === undefined ? undefined : new Set(params.handles)
    const { after } = params
    let position: number
    if (after === undefined) {
      this.flush()
      position = this.#last
      yield this.#snapshot(selected)
    } else if (after.epoch !== this.#epoch || after.position > this.#last) {
      position = this.#last
      yield { kind: 'gap', from: after, to: this.position, reason: 'the station has started again since' }
      yield this.#snapshot(selected)
    } else position = after.position

    while (!signal.aborted) {
      if (this.#hasMissed(selected, position)) {
        this.flush()
        const from = { epoch: this.#epoch, position }
        position = this.#last
        const snapshot = this.#snapshot(selected)
        yield { kind: 'gap', from, to: snapshot.at, reason: 'the reader fell behind what the station keeps' }
        yield snapshot
        continue
      }
      position = Math.max(position, this.#newestForgotten)
      const batch = this.#held.get(position + 1)
      if (batch === undefined) {
        await this.#bell.rung(signal)
        continue
      }
      position = batch.position
      const columns = selected === undefined ? batch.columns : pick(batch.columns, selected)
      if (columns !== undefined) yield { kind: 'batch', at: { epoch: this.#epoch, position }, columns }
    }
  }

  #snapshot(selected: ReadonlySet<number> | undefined): { readonly kind: 'snapshot'; readonly at: ReadingsPosition; readonly columns: ReadingColumns } {
    const all: Published[] = []
    for (const kind of ['measured', 'setpoint'] as const)
      for (const [handle, reading] of this.#latest[kind]) if (selected?.has(handle) !== false) all.push({ handle, reading, kind })
    return { kind: 'snapshot', at: this.position, columns: columnsOf(all) }
  }

  /** Nothing is missed as long as no forgotten batch after the position held one of the selected handles. */
  #hasMissed(selected: ReadonlySet<number> | undefined, position: number): boolean {
    if (position >= this.#newestForgotten) return false
    if (selected === undefined) return true
    for (const handle of selected) if ((this.#forgottenAt.get(handle) ?? 0) > position) return true
    return false
  }

  #forgetOldest(): void {
    for (const [position, { columns }] of this.#held) {
      if (this.#heldReadings <= this.#maxHeld) return
      this.#held.delete(position)
      this.#heldReadings -= columns.handles.length
      this.#newestForgotten = position
      for (const handle of columns.handles) this.#forgottenAt.set(handle, position)
    }
  }
}

function columnsOf(published: readonly Published[]): ReadingColumns {
  const start = published[0]?.reading.time ?? 0n
  const setpoints: number[] = []
  published.forEach(({ kind }, at) => {
    if (kind === 'setpoint') setpoints.push(at)
  })
  return {
    start,
    handles: published.map(({ handle }) => handle),
    offsetsMs: published.map(({ reading }) => Number(reading.time - start) / 1e6),
    qualities: published.map(({ reading }) => QUALITIES.indexOf(reading.quality)),
    values: published.map(({ reading }) => reading.value ?? null),
    ...(published.some(({ reading }) => reading.reason !== undefined) && { reasons: published.map(({ reading }) => reading.reason ?? null) }),
    ...(setpoints.length > 0 && { setpoints }),
  }
}

function pick(columns: ReadingColumns, selected: ReadonlySet<number>): ReadingColumns | undefined {
  const kept: number[] = []
  columns.handles.forEach((handle, at) => {
    if (selected.has(handle)) kept.push(at)
  })
  if (kept.length === 0) return undefined
  if (kept.length === columns.handles.length) return columns
  const setpoints = columns.setpoints === undefined ? [] : kept.flatMap((from, to) => (columns.setpoints?.includes(from) ? [to] : []))
  const of = <T>(column: readonly T[]): T[] => kept.map((at) => column[at] as T)
  return {
    start: columns.start,
    handles: of(columns.handles),
    offsetsMs: of(columns.offsetsMs),
    qualities: of(columns.qualities),
    values: of(columns.values),
    ...(columns.reasons !== undefined && { reasons: of(columns.reasons) }),
    ...(setpoints.length > 0 && { setpoints }),
  }
}
