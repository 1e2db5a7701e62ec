import { DEFAULT_RECORD_RATE_HZ } from '../../../core/plans/record.ts'
import type { Clock } from '../../../core/time.ts'
import { pause } from '../host/deadline.ts'
import type { BoundRun } from './bound-plan.ts'
import type { FrameRecording } from './frame-recording.ts'
import { measureRow } from './measure.ts'
import { waitSeconds } from './settle.ts'

const POLL_MS = 200 // of the native recordings: as often as progress is told

export type Streams = {
  readonly bound: BoundRun
  readonly cameras: readonly FrameRecording[]
  readonly clock: Clock
  /** Of rows or frames. */
  readonly onPoints: (points: number) => void
  readonly append: (row: Awaited<ReturnType<typeof measureRow>>) => void
}

export type StreamLimits = { readonly frames?: number; readonly durationSeconds?: number; readonly rateHz?: number }

/**
 * Records until the frames are there, the time is over, or the signal fires (which it throws). Without a camera, `frames` counts rows. Leaves the native
 * recordings as they are: their owner ends them.
 */
export async function recordStreams(streams: Streams, limits: StreamLimits, signal: AbortSignal): Promise<void> {
  const { cameras, bound } = streams
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  for (const camera of cameras) await camera.start(limits.frames, signal)
  const parts: Promise<void>[] = []
  if (cameras.length > 0) parts.push(watchCameras(streams, stop))
  if (bound.detectors.length > 0) parts.push(readScalars(streams, cameras.length > 0 ? { ...limits, frames: undefined } : limits, stop))
  if (limits.durationSeconds !== undefined) parts.push(waitSeconds(limits.durationSeconds, stop))
  try {
    // Scalars beside a camera never end by themselves; whatever ends first, well or badly, ends all.
    await Promise.race(parts)
    signal.throwIfAborted()
  } finally {
    over.abort()
    await Promise.allSettled(parts)
  }
}

async function watchCameras({ cameras, onPoints }: Streams, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const polled = cameras.map((camera) => camera.poll())
    onPoints(Math.max(...polled.map(({ written }) => written)))
    if (polled.every(({ over }) => over)) return
    await pause(POLL_MS, stop)
  }
}

/** At a fixed rate from the start; a tick that is missed because an instrument is slower is left out, not made up for. */
async function readScalars(
  { bound, cameras, clock, append, onPoints }: Streams,
  { frames = Number.POSITIVE_INFINITY, rateHz = DEFAULT_RECORD_RATE_HZ }: { frames?: number | undefined; rateHz?: number },
  stop: AbortSignal,
): Promise<void> {
  const periodMs = 1000 / rateHz
  const startMs = performance.now()
  for (let row = 1; row <= frames; row += 1) {
    const cells = await measureRow(bound, row, [], clock, stop)
    if (stop.aborted) return
    append(cells)
    if (cameras.length === 0) onPoints(row)
    if (row >= frames) return
    const tick = Math.floor((performance.now() - startMs) / periodMs) + 1
    await waitSeconds((startMs + tick * periodMs - performance.now()) / 1000, stop)
  }
}
