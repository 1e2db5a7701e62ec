import type { Logger } from 'pino'
import type { LinkStreams } from '../../link/protocol.ts'
import type { Stations } from '../stations/stations.ts'
import { pause } from '../subscriptions/pause.ts'
import type { FrameView } from './ticket.ts'

export type TappedFrame = LinkStreams['frames']['item']
type Tap = { readonly viewers: Set<(frame: TappedFrame) => void>; readonly stop: AbortController; readonly running: Promise<void> }

const RETRY_MS = 500 // a station that is away, or a camera that is not connected

/** Frames from the stations, one stream for all who look at the same. The newest counts: nothing is kept for a viewer. */
export interface FrameTaps extends AsyncDisposable {
  /** Until the returned function is called. Goes on by itself when the station, or the camera, was away. */
  watch(view: FrameView, onFrame: (frame: TappedFrame) => void): () => void
}

export function createFrameTaps(stations: Stations, log: Logger): FrameTaps {
  const taps = new Map<string, Tap>()

  function open(view: FrameView): Tap {
    const stop = new AbortController()
    const viewers = new Set<(frame: TappedFrame) => void>()
    return { viewers, stop, running: follow(view, viewers, stop.signal) }
  }

  async function follow(view: FrameView, viewers: ReadonlySet<(frame: TappedFrame) => void>, signal: AbortSignal): Promise<void> {
    let said = ''
    while (!signal.aborted) {
      try {
        const mirror = stations.all().find(({ devices, online }) => online && devices.has(view.deviceId))
        if (mirror !== undefined) for await (const frame of mirror.link.stream('frames', view, signal)) for (const viewer of viewers) viewer(frame)
      } catch (error) {
        const text = String(error)
        if (!signal.aborted && text !== said) log.info({ device: view.deviceId, error: text }, 'the frames of a camera are not followed for the moment')
        said = text
      }
      await pause(RETRY_MS, signal)
    }
  }

  return {
    watch(view, onFrame) {
      const key = `${view.deviceId}/${view.quality}/${view.maxRateHz}`
      const tap = taps.get(key) ?? open(view)
      taps.set(key, tap)
      tap.viewers.add(onFrame)
      return () => {
        tap.viewers.delete(onFrame)
        if (tap.viewers.size > 0) return
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
