import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Reading } from '../../core/reading.ts'
import type { ReadingsItem, ReadingsPosition } from '../../link/protocol.ts'
import { encodeStreamCursor } from '../cursor.ts'
import { isProblem } from '../problem-code.ts'
import { forEachReading, type StationMirror } from '../stations/mirror.ts'
import type { Stations } from '../stations/stations.ts'
import { Inbox } from './inbox.ts'
import { pause } from './pause.ts'
import { type Chosen, type ReadingBatch, SeriesBuilder } from './reading-batch.ts'
import type { Selection } from './selection.ts'
import { type LiveSource, liveSource } from './source.ts'

/** No life of a station: whoever goes on from here is told of a gap. */
const NOWHERE: ReadingsPosition = { epoch: 0, position: 0 }
const RETRY_MS = 100 // until a station that is away is asked again; what it measured meanwhile it still has

type Arrived = { readonly stationId: string; readonly item: ReadingsItem; readonly chosen: ReadonlyMap<number, Chosen> }
type Positions = ReadonlyMap<string, ReadingsPosition>
type Built = { readonly batch: ReadingBatch; readonly positions: Positions; readonly last: readonly (readonly [Chosen, Reading])[] }

/**
 * Each reading, in the order of its station, on a stream of its own from each station: lossless across a lost connection, as far back as the station
 * remembers, and with a Gap where it does not. Batches that arrive while one is being sent go out together.
 */
export function everyReading(selection: Selection, after: Positions | undefined, stations: Stations): LiveSource<ReadingBatch> {
  /** What has come; a stream that is opened again goes on from here. */
  const received = new Map(after)
  /** What was sent on, and where that was: the present of one who joins. */
  let sent: Positions = new Map(after)
  const newest = new Map<Chosen, Reading>()

  return liveSource({
    delivery: 'EVERY',
    joinable: after === undefined,
    present: () => (newest.size === 0 ? undefined : present()),
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
      const inbox = new Inbox<Arrived>()
      const ended = new AbortController()
      const both = AbortSignal.any([signal, ended.signal])
      const readers = selection.stationIds().map((id) => readStation(id, inbox, both).catch((error: unknown) => inbox.fail(error)))
      try {
        while (!signal.aborted) {
          for (const { batch, positions, last } of build(await inbox.take(signal), sent)) {
            yield batch
            // Only now: one who joins while the batch is on its way gets it, and must not be told of it before.
            sent = positions
            for (const [chosen, reading] of last) newest.set(chosen, reading)
          }
        }
      } finally {
        ended.abort()
        inbox.close()
        await Promise.all(readers)
      }
    },
  })

  async function readStation(stationId: string, inbox: Inbox<Arrived>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const mirror = stations.find(stationId)
      if (mirror?.online === true) {
        const chosen = selection.chosenOf(mirror)
        if (chosen.size > 0) await follow(mirror, chosen, inbox, signal)
      }
      await pause(RETRY_MS, signal)
    }
  }

  /** Until the connection is lost, or the handles mean something else. */
  async function follow(mirror: StationMirror, chosen: ReadonlyMap<number, Chosen>, inbox: Inbox<Arrived>, signal: AbortSignal): Promise<void> {
    const { stationId } = mirror
    const again = new AbortController()
    const both = AbortSignal.any([signal, again.signal])
    const unwatch = mirror.onChange(() => {
      const now = selection.chosenOf(mirror)
      if (now.size !== chosen.size || [...now.keys()].some((handle) => !chosen.has(handle))) again.abort()
    })
    const from = received.get(stationId) ?? (after === undefined ? undefined : NOWHERE)
    try {
      for await (const item of mirror.link.stream('readings', { handles: [...chosen.keys()], ...(from !== undefined && { after: from }) }, both)) {
        // The station says what new handles mean before it publishes their readings: what came before this item is taken in first. If there are new ones,
        // this item may lack them, and is asked for again with them.
        await nextTurn()
        if (both.aborted) return
        received.set(stationId, item.kind === 'gap' ? item.to : item.at)
        await inbox.put({ stationId, item, chosen })
      }
    } catch (error) {
      if (!both.aborted && !isProblem(error, 'STATION_OFFLINE')) throw error
    } finally {
      unwatch()
    }
  }

  function present(): ReadingBatch {
    const series = [...newest].map(([chosen, reading]) => {
      const one = new SeriesBuilder(chosen)
      one.add(reading)
      return one.build()
    })
    return { cursor: cursorAt(sent), snapshot: true, dropped: 0, series }
  }
}

/** What came together goes out together; a gap and a snapshot stand alone, in their place. */
function* build(arrived: readonly Arrived[], before: Positions): Generator<Built, void, void> {
  let positions = before
  let series = new Map<Chosen, SeriesBuilder>()
  const whole = (snapshot: boolean): Built => {
    const batch = { cursor: cursorAt(positions), snapshot, dropped: 0, series: [...series.values()].map((one) => one.build()) }
    const last = [...series].flatMap(([chosen, { last }]) => (last === undefined ? [] : [[chosen, last] as const]))
    series = new Map()
    return { batch, positions, last }
  }
  for (const { stationId, item, chosen } of arrived) {
    if (item.kind !== 'batch' && series.size > 0) yield whole(false)
    if (item.kind === 'gap') {
      // Who is cut off before the snapshot that follows must be told again: until then the cursor stays where it was.
      const to = cursorAt(new Map(positions).set(stationId, item.to))()
      const reason = positions.has(stationId) ? item.reason : 'the cursor says nothing of this station; its values are the present ones'
      yield {
        batch: { cursor: cursorAt(positions), gap: { from: cursorAt(positions)(), to, reason }, snapshot: false, dropped: 0, series: [] },
        positions,
        last: [],
      }
      continue
    }
    positions = new Map(positions).set(stationId, item.at)
    forEachReading(item, (handle, reading, setpoint) => {
      const one = chosen.get(handle)
      if (one === undefined || setpoint) return
      let builder = series.get(one)
      if (builder === undefined) {
        builder = new SeriesBuilder(one)
        series.set(one, builder)
      }
      builder.add(reading)
    })
    if (item.kind === 'snapshot') yield whole(true)
  }
  if (series.size > 0) yield whole(false)
}

function cursorAt(stations: Positions): () => string {
  return () => encodeStreamCursor({ stations })
}
