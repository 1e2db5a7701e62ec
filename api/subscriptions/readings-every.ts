import type { Reading } from '../../core/reading.ts'
import type { ReadingsItem, ReadingsPosition } from '../../link/protocol.ts'
import { encodeStreamCursor } from '../cursor.ts'
import { isProblem } from '../problem-code.ts'
import { forEachReading, type StationMirror } from '../stations/mirror.ts'
import type { Stations } from '../stations/stations.ts'
import { pause } from './pause.ts'
import { type Chosen, type ReadingBatch, SeriesBuilder } from './reading-batch.ts'
import type { Selection } from './selection.ts'
import { type LiveSource, liveSource, Wake } from './source.ts'

const RETRY_MS = 100 // until a station that is away is asked again; what it measured meanwhile it still has

/**
 * Each reading, in the order of its station, on a stream of its own from each station: lossless across a lost connection, as far back as the station
 * remembers, and with a Gap where it does not.
 */
export function everyReading(selection: Selection, after: ReadonlyMap<string, ReadingsPosition> | undefined, stations: Stations): LiveSource<ReadingBatch> {
  const positions = new Map(after)
  const newest = new Map<string, { readonly chosen: Chosen; readonly reading: Reading }>()
  const cursor = (): (() => string) => {
    const at = new Map(positions)
    return () => encodeStreamCursor({ stations: at })
  }
  return liveSource({
    delivery: 'EVERY',
    joinable: after === undefined,
    present: () => (newest.size === 0 ? undefined : snapshot()),
    behind: (delivered, next) => ({
      cursor: next.cursor,
      gap: {
        ...(delivered !== undefined && { from: delivered.cursor() }),
        to: next.cursor(),
        reason: 'the client did not keep up; subscribe again after the last cursor',
      },
      snapshot: false,
      dropped: 0,
      series: [],
    }),
    async *run(signal) {
      const merged = new Merge<ReadingBatch>()
      const ended = new AbortController()
      const both = AbortSignal.any([signal, ended.signal])
      const readers = selection.stationIds().map((id) => readStation(id, merged, both).catch((error: unknown) => merged.fail(error)))
      try {
        while (!signal.aborted) {
          const next = await merged.next(signal)
          if (next === undefined) return
          yield next
        }
      } finally {
        ended.abort()
        merged.close()
        await Promise.all(readers)
      }
    },
  })

  async function readStation(stationId: string, merged: Merge<ReadingBatch>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const mirror = stations.find(stationId)
      if (mirror?.online === true) {
        const chosen = selection.chosenOf(mirror)
        if (chosen.size > 0) await follow(mirror, chosen, merged, signal)
      }
      await pause(RETRY_MS, signal)
    }
  }

  /** Until the connection is lost, or the handles mean something else. */
  async function follow(mirror: StationMirror, chosen: ReadonlyMap<number, Chosen>, merged: Merge<ReadingBatch>, signal: AbortSignal): Promise<void> {
    const again = new AbortController()
    const both = AbortSignal.any([signal, again.signal])
    const unwatch = mirror.onChange(() => {
      const now = selection.chosenOf(mirror)
      if (now.size !== chosen.size || [...now.keys()].some((handle) => !chosen.has(handle))) again.abort()
    })
    const from = positions.get(mirror.stationId)
    try {
      for await (const item of mirror.link.stream('readings', { handles: [...chosen.keys()], ...(from !== undefined && { after: from }) }, both)) {
        const batch = batchOf(mirror.stationId, item, chosen)
        if (batch !== undefined) await merged.put(batch)
      }
    } catch (error) {
      if (!both.aborted && !isProblem(error, 'STATION_OFFLINE')) throw error
    } finally {
      unwatch()
    }
  }

  function batchOf(stationId: string, item: ReadingsItem, chosen: ReadonlyMap<number, Chosen>): ReadingBatch | undefined {
    const from = cursor()
    if (item.kind === 'gap') {
      positions.set(stationId, item.to)
      const to = cursor()
      return { cursor: to, gap: { from: from(), to: to(), reason: item.reason }, snapshot: false, dropped: 0, series: [] }
    }
    positions.set(stationId, item.at)
    const series = new Map<number, SeriesBuilder>()
    forEachReading(item, (handle, reading, setpoint) => {
      const one = chosen.get(handle)
      if (one === undefined || setpoint) return
      let builder = series.get(handle)
      if (builder === undefined) {
        builder = new SeriesBuilder(one)
        series.set(handle, builder)
      }
      builder.add(reading)
      newest.set(`${one.deviceId}/${one.spec.name}`, { chosen: one, reading })
    })
    if (series.size === 0 && item.kind === 'batch') return undefined
    return { cursor: cursor(), snapshot: item.kind === 'snapshot', dropped: 0, series: [...series.values()].map((builder) => builder.build()) }
  }

  function snapshot(): ReadingBatch {
    const series = [...newest.values()].map(({ chosen, reading }) => {
      const one = new SeriesBuilder(chosen)
      one.add(reading)
      return one.build()
    })
    return { cursor: cursor(), snapshot: true, dropped: 0, series }
  }
}

/** Streams of several stations as one; each is read on only when its batch was taken, so nothing piles up here. */
class Merge<Item> {
  readonly #waiting: { readonly item: Item; readonly taken: () => void }[] = []
  readonly #wake = new Wake()
  #failure: { readonly error: unknown } | undefined
  #closed = false

  /** Resolves when it was taken, or when nothing is taken any more. */
  async put(item: Item): Promise<void> {
    if (this.#closed) return
    await new Promise<void>((resolve) => {
      this.#waiting.push({ item, taken: resolve })
      this.#wake.wake()
    })
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#wake.wake()
  }

  close(): void {
    this.#closed = true
    for (const { taken } of this.#waiting.splice(0)) taken()
  }

  /** undefined once the signal has fired. */
  async next(signal: AbortSignal): Promise<Item | undefined> {
    for (;;) {
      const first = this.#waiting.shift()
      if (first !== undefined) {
        first.taken()
        return first.item
      }
      if (this.#failure !== undefined) throw this.#failure.error
      if (signal.aborted) return undefined
      await this.#wake.wait(signal)
    }
  }
}
