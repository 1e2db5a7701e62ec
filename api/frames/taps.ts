import type { Logger } from 'pino'
import { messageOf } from '../../core/errors.ts'
import type { Stations } from '../stations/stations.ts'
import { followFrames, type TappedFrame } from './follow.ts'
import type { FrameRequest } from './ticket.ts'

export type FrameWatcher = {
  frame(frame: TappedFrame): void
  /** No frames for the moment, and why; they come by themselves. */
  waiting(reason: string): void
}

type Tap = {
  readonly watchers: Set<FrameWatcher>
  readonly stop: AbortController
  readonly running: Promise<void>
  /** For one who comes later: the next frame may be minutes away. */
  last: TappedFrame | undefined
  waitsFor: string | undefined
}

/** Frames from the stations, one stream for all who look at the same. The newest counts: nothing is kept for a viewer. */
export interface FrameTaps extends AsyncDisposable {
  /** From the newest frame that is known, until the returned function is called. Goes on by itself when the station, or the camera, was away. */
  watch(request: FrameRequest, watcher: FrameWatcher): () => void
}

export function createFrameTaps(stations: Stations, log: Logger): FrameTaps {
  const taps = new Map<string, Tap>()

  function open(request: FrameRequest): Tap {
    const stop = new AbortController()
    const tap: Tap = { watchers: new Set(), stop, running: Promise.resolve(), last: undefined, waitsFor: undefined }
    return Object.assign(tap, { running: follow(request, tap) })
  }

  async function follow(request: FrameRequest, tap: Tap): Promise<void> {
    const away = (error: unknown): void => {
      const reason = messageOf(error)
      if (reason !== tap.waitsFor) log.info({ device: request.deviceId, error: reason }, 'the frames of a camera are not followed for the moment')
      tap.waitsFor = reason
      for (const watcher of tap.watchers) watcher.waiting(reason)
    }
    try {
      for await (const frame of followFrames(stations, request, tap.stop.signal, away)) {
        tap.last = frame
        tap.waitsFor = undefined
        for (const watcher of tap.watchers) watcher.frame(frame)
      }
    } catch (error) {
      away(error) // a frame that cannot be shown ends this view, not the process
    }
  }

  return {
    watch(request, watcher) {
      const key = JSON.stringify(request)
      const tap = taps.get(key) ?? open(request)
      taps.set(key, tap)
      tap.watchers.add(watcher)
      if (tap.last !== undefined) watcher.frame(tap.last)
      if (tap.waitsFor !== undefined) watcher.waiting(tap.waitsFor)
      return () => {
        tap.watchers.delete(watcher)
        if (tap.watchers.size > 0) return
        tap.stop.abort()
        if (taps.get(key) === tap) taps.delete(key)
      }
    },
    async [Symbol.asyncDispose]() {
      const all = [...taps.values()]
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ running }) => running))
    },
  }
}
