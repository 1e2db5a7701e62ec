import type { ReadingsPosition } from '../../link/protocol.ts'
import { encodeStreamCursor } from '../cursor.ts'
import type { Slot, SlotWatcher, StationMirror } from '../stations/mirror.ts'
import type { Stations } from '../stations/stations.ts'
import { pause } from './pause.ts'
import { type Chosen, type LiveSeries, type ReadingBatch, SeriesBuilder } from './reading-batch.ts'
import type { Selection } from './selection.ts'
import { type LiveSource, liveSource, Wake } from './source.ts'

type Watched = { readonly mirror: StationMirror; readonly slots: ReadonlyMap<Slot, Chosen>; readonly online: boolean; readonly epoch: number }

/**
 * The newest value of each parameter, at most maxRateHz times a second, straight from the mirrors: a subscription costs the station nothing. A value that
 * is passed over for a newer one is counted.
 */
export function latestReadings(
  selection: Selection,
  after: ReadonlyMap<string, ReadingsPosition> | undefined,
  maxRateHz: number,
  stations: Stations,
): LiveSource<ReadingBatch> {
  const changed = new Wake()
  let watched: readonly Watched[] = []
  const dirty = new Set<Slot>()
  let dropped = 0
  const watcher: SlotWatcher = {
    touched(slot) {
      if (dirty.has(slot)) dropped += 1
      dirty.add(slot)
      changed.wake()
    },
  }

  return liveSource({
    delivery: 'LATEST',
    joinable: after === undefined, // what changed since a cursor is for one client
    present: (passed) => batch(() => true, true, passed),
    async *run(signal) {
      const unwatch = stations.onChange(follow)
      try {
        follow()
        dirty.clear()
        yield first()
        while (!signal.aborted) {
          await pause(1000 / maxRateHz, signal)
          if (dirty.size === 0) await changed.wait(signal)
          if (signal.aborted || dirty.size === 0) continue
          const passed = dropped
          const due = new Set(dirty)
          dirty.clear()
          dropped = 0
          const next = batch((slot) => due.has(slot), false, passed)
          if (next.series.length > 0) yield next
        }
      } finally {
        unwatch()
        unfollow()
      }
    },
  })

  /** Again for each station whose parameters, or whose connection, are not what they were. */
  function follow(): void {
    const before = new Map(watched.map((each) => [each.mirror, each]))
    watched = selection.stationIds().flatMap((id) => {
      const mirror = stations.find(id)
      if (mirror === undefined) return []
      const slots = new Map<Slot, Chosen>()
      for (const [handle, chosen] of selection.chosenOf(mirror)) {
        const slot = mirror.slotOf(handle)
        if (slot !== undefined) slots.set(slot, chosen)
      }
      const known = before.get(mirror)
      before.delete(mirror)
      const turned = known !== undefined && (known.online !== mirror.online || known.epoch !== mirror.epoch)
      for (const slot of slots.keys()) {
        if (turned || known?.slots.has(slot) !== true) watcher.touched(slot)
        slot.watchers.add(watcher)
      }
      for (const slot of known?.slots.keys() ?? []) if (!slots.has(slot)) slot.watchers.delete(watcher)
      return [{ mirror, slots, online: mirror.online, epoch: mirror.epoch }]
    })
    for (const { slots } of before.values()) for (const slot of slots.keys()) slot.watchers.delete(watcher)
  }

  function unfollow(): void {
    for (const { slots } of watched) for (const slot of slots.keys()) slot.watchers.delete(watcher)
  }

  function first(): ReadingBatch {
    if (after === undefined) return batch(() => true, true, 0)
    const lost = watched.filter(({ mirror }) => after.get(mirror.stationId)?.epoch !== mirror.epoch)
    const fresh = batch(
      (slot, mirror) => lost.some((one) => one.mirror === mirror) || slot.position > (after.get(mirror.stationId)?.position ?? 0),
      lost.length === watched.length,
      0,
    )
    if (lost.length === 0) return fresh
    const names = lost.map(({ mirror }) => mirror.name).join(', ')
    return {
      ...fresh,
      gap: {
        from: encodeStreamCursor({ stations: after }),
        to: fresh.cursor(),
        reason: `station ${names} has started again since; its values are the present ones`,
      },
    }
  }

  function batch(wanted: (slot: Slot, mirror: StationMirror) => boolean, snapshot: boolean, passed: number): ReadingBatch {
    const series: LiveSeries[] = []
    const positions = new Map<string, ReadingsPosition>()
    for (const { mirror, slots } of watched) {
      positions.set(mirror.stationId, mirror.at)
      for (const [slot, chosen] of slots) {
        if (!wanted(slot, mirror)) continue
        const reading = mirror.now(slot.reading)
        if (reading === undefined) continue
        const one = new SeriesBuilder(chosen)
        one.add(reading)
        series.push(one.build())
      }
    }
    return { cursor: () => encodeStreamCursor({ stations: positions }), snapshot, dropped: passed, series }
  }
}
