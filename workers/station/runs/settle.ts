import { DeadlineExceeded } from '../../../core/errors.ts'
import type { Settle } from '../../../core/plan.ts'
import { convert } from '../../../core/unit.ts'
import { deadline, orAbort, pause } from '../host/deadline.ts'
import type { BoundAxis } from './bound-plan.ts'
import { freshReadings, numberOf } from './measure.ts'
import { ofDevice } from './of-device.ts'
import { RunStopped } from './run-record.ts'

const DEFAULT_SETTLE_TIMEOUT_MS = 300_000 // the longest travel of a slow stage (100 mm at 0.4 mm/s) is shorter
const TOLERANCE_POLL_MS = 100

/** `stops`: how often the device had been stopped when the move began. */
export type Target = { readonly axis: BoundAxis; readonly value: number; readonly stops: number }

/**
 * Waits until everything that was set stands, by the devices' own status; then, if a tolerance is asked for, until each measured value is that close to its
 * target; then for the dwell time. Throws DeadlineExceeded; what still moves is then stopped by the engine.
 */
export async function settle(targets: readonly Target[], { tolerance, timeoutSeconds, dwellSeconds = 0 }: Settle, signal: AbortSignal): Promise<void> {
  const timeoutMs = timeoutSeconds === undefined ? DEFAULT_SETTLE_TIMEOUT_MS : timeoutSeconds * 1000
  const names = targets.map(({ axis }) => axis.measured.name).join(', ')
  let waitsFor = 'still on the way'
  using limit = deadline(signal, timeoutMs, () => new DeadlineExceeded(`${names} did not settle within ${timeoutMs} ms: ${waitsFor}`, timeoutMs, 'DONE'))
  const standing = targets.map(({ axis: { device, moves } }) => ofDevice(device, moves ? device.settled(limit.signal) : device.arrived(limit.signal)))
  await orAbort(Promise.all(standing), limit.signal)
  const stopped = targets.find(({ axis, stops }) => axis.device.stops !== stops)
  if (stopped !== undefined)
    throw new RunStopped({
      state: 'ABORTED',
      exitReason: `${stopped.axis.device.record.name} was stopped on its way to ${stopped.value} ${stopped.axis.unit ?? ''}`.trim(),
    })

  if (tolerance !== undefined) {
    for (;;) {
      const distant = await farthest(targets, limit.signal)
      if (distant === undefined || distant.distance <= tolerance) break
      waitsFor = `${distant.name} is ${distant.distance} from its target, more than ${tolerance}`
      await pause(TOLERANCE_POLL_MS, limit.signal)
      limit.signal.throwIfAborted()
    }
  }
  await waitSeconds(dwellSeconds, signal)
}

/** Throws the signal's reason. */
export async function waitSeconds(seconds: number, signal: AbortSignal): Promise<void> {
  for (const endMs = performance.now() + seconds * 1000; ; ) {
    signal.throwIfAborted()
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) return
    await pause(leftMs, signal)
  }
}

async function farthest(targets: readonly Target[], signal: AbortSignal): Promise<{ readonly name: string; readonly distance: number } | undefined> {
  const readings = await freshReadings(
    targets.map(({ axis }) => axis),
    signal,
  )
  const distances = targets.map(({ axis, value }) => ({
    name: axis.measured.name,
    distance: Math.abs(convert(numberOf(readings(axis), axis), axis.spec.unit, axis.unit) - value),
  }))
  return distances.sort((a, b) => b.distance - a.distance)[0]
}
