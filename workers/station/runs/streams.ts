import { DEFAULT_RECORD_RATE_HZ } from '../../../core/plans/record.ts'
import type { Clock } from '../../../core/time.ts'
import { pause } from '../host/deadline.ts'
import type { BoundRun } from './bound-plan.ts'
import { measureRow } from './measure.ts'
import { waitSeconds } from './settle.ts'

const POLL_MS = 200 // of the native recordings: as often as progress is told

/** What is recorded past JavaScript: a camera's frames, the scans of a device that samples by its own clock. */
export interface NativeStream {
  /** Frames, or scans. */
  readonly written: number
  /** Ends by itself. */
  readonly bounded: boolean
  start(limits: StreamLimits, signal: AbortSignal): Promise<void>
  /** How far it is; throws when it has ended badly. */
  poll(): { readonly written: number; readonly over: boolean }
}

export type Streams = {
  readonly bound: BoundRun
  readonly cameras: readonly NativeStream[]
  readonly scans: readonly NativeStream[]
  readonly clock: Clock
  /** Of rows or frames. */
  readonly onPoints: (points: number) => void
  readonly append: (row: Awaited<ReturnType<typeof measureRow>>) => void
  /** Of a rate that was asked for: ticks that are over and have no row. */
  readonly onMissed: (ticks: number) => void
}

export type StreamLimits = { readonly frames?: number; readonly durationSeconds?: number; readonly rateHz?: number }

/**
 * Records until the frames are there, the time is over, or the signal fires (which it throws). Without a camera, `frames` counts rows or scans. Where a device samples by its own clock, a time is over by that
 * clock, with the last scan of it. Leaves the native recordings as they are: their owner ends them.
 */
export async function recordStreams(streams: Streams, limits: StreamLimits, signal: AbortSignal): Promise<void> {
  const { cameras, scans, bound } = streams
  const natives = [...cameras, ...scans]
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  for (const native of natives) await native.start(limits, signal)
  const parts: Promise<void>[] = []
  if (natives.length > 0) parts.push(watchNatives(streams, natives, stop))
  if (bound.detectors.length > 0) parts.push(readScalars(streams, natives.length > 0 ? { ...limits, frames: undefined } : limits, stop))
  if (limits.durationSeconds !== undefined && scans.length === 0) parts.push(waitSeconds(limits.durationSeconds, stop))
  try {
    // Scalars beside a native recording never end by themselves; whatever ends first, well or badly, ends all.
    await Promise.race(parts)
    signal.throwIfAborted()
  } finally {
    over.abort()
    await Promise.allSettled(parts)
  }
}

/** Until all that end by themselves have ended. */
async function watchNatives(streams: Streams, natives: readonly NativeStream[], stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const polled = natives.map((native) => ({ ...native.poll(), bounded: native.bounded }))
    streams.onPoints(pointsOf(streams))
    const awaited = polled.some(({ bounded }) => bounded) ? polled.filter(({ bounded }) => bounded) : polled
    if (awaited.every(({ over }) => over)) return
    await pause(POLL_MS, stop)
  }
}

/** How far a run is: its frames, where a camera is in it. */
export function pointsOf({ cameras, scans }: Pick<Streams, 'cameras' | 'scans'>): number {
  return Math.max(...(cameras.length > 0 ? cameras : scans).map(({ written }) => written))
}

/** At a fixed rate from the start; a tick that is missed because an instrument is slower is left out, not made up for. */
async function readScalars(
  { bound, cameras, scans, clock, append, onPoints, onMissed }: Streams,
  { frames = Number.POSITIVE_INFINITY, rateHz }: { frames?: number | undefined; rateHz?: number },
  stop: AbortSignal,
): Promise<void> {
  const periodMs = 1000 / (rateHz ?? DEFAULT_RECORD_RATE_HZ)
  const startMs = performance.now()
  const ticksOver = (): number => Math.floor((performance.now() - startMs) / periodMs)
  let rows = 0
  const tellMissed = (): void => {
    if (rateHz !== undefined) onMissed(Math.max(0, ticksOver() - rows))
  }
  try {
    while (rows < frames) {
      const cells = await measureRow(bound, rows + 1, [], clock, stop)
      if (stop.aborted) return
      rows += 1
      append(cells)
      tellMissed()
      if (cameras.length + scans.length === 0) onPoints(rows)
      if (rows < frames) await waitSeconds((startMs + (ticksOver() + 1) * periodMs - performance.now()) / 1000, stop)
    }
  } finally {
    tellMissed()
  }
}
