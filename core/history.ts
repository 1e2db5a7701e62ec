import { exceedsDeadband, type ParameterSpec } from './parameter.ts'
import type { Reading } from './reading.ts'
import { NS_PER_MS, type WallNs } from './time.ts'

/**
 * How often a reading that stays the same is written down all the same, so that a constant can be told from what nobody reads any more. A minute: a hundred
 * quiet parameters then cost two rows a second, and a death is known to two minutes.
 */
export const HEARTBEAT_MS = 60_000

/** Whether `next` enters the history after `last`, which is the newest one there. */
export function isSample(spec: ParameterSpec, last: Reading | undefined, next: Reading): boolean {
  if (spec.streamed === true) return true
  if (last === undefined || last.quality !== next.quality || exceedsDeadband(spec, last.value, next.value)) return true
  return next.time - last.time >= BigInt(HEARTBEAT_MS) * NS_PER_MS
}

/** A parameter that is read by itself; others are read at connect, after a set and on request, and have no heartbeat. */
function isPolled(spec: ParameterSpec): boolean {
  return spec.pollMs !== undefined
}

/** How old the newest sample of a polled parameter is at most while it is read: two heartbeats, or two polls where these are rarer. */
export function freshNs(spec: Pick<ParameterSpec, 'pollMs'>): bigint {
  return 2n * BigInt(Math.ceil(Math.max(HEARTBEAT_MS, spec.pollMs ?? 0))) * NS_PER_MS
}

export type Sampled = { readonly spec: ParameterSpec /** The newest one at that moment or before. */; readonly reading: Reading }

/**
 * What one device's history says of a moment: a GOOD or UNCERTAIN value whose heartbeat is missing is STALE. A parameter that is not polled has the
 * heartbeat of its device: it is as fresh as the freshest polled one beside it.
 */
export function readingsAt(samples: readonly Sampled[], at: WallNs): readonly Reading[] {
  const isFresh = ({ spec, reading }: Sampled): boolean => at - reading.time <= freshNs(spec)
  const isKnown = ({ reading: { quality } }: Sampled): boolean => quality === 'GOOD' || quality === 'UNCERTAIN'
  const alive = samples.some((sample) => isPolled(sample.spec) && isKnown(sample) && isFresh(sample))
  return samples.map((sample) => {
    const { reading, spec } = sample
    if (!isKnown(sample) || isFresh(sample) || (alive && !isPolled(spec))) return reading
    return { ...reading, quality: 'STALE', reason: 'nobody had read it for two heartbeats' }
  })
}

/** The unit that a parameter had up to that moment (decimal text: it is kept as JSON), null for none. In order of time. */
export type PastUnit = { readonly until: string; readonly unit: string | null }

/** What a value of that moment is in; `unit` is the present one. */
export function unitAt(time: WallNs, unit: string | undefined, past: readonly PastUnit[]): string | undefined {
  const then = past.find(({ until }) => time < BigInt(until))
  return then === undefined ? unit : (then.unit ?? undefined)
}

export type UnitSpan = { readonly from: WallNs; readonly to: WallNs; readonly unit: string | undefined }

/** The stretches of [from, to) within which the unit is one. */
export function unitSpans({ from, to, unit }: UnitSpan, past: readonly PastUnit[]): readonly UnitSpan[] {
  const cuts = past.map(({ until }) => BigInt(until)).filter((until) => until > from && until < to)
  return [from, ...cuts].map((begin, at) => ({ from: begin, to: cuts[at] ?? to, unit: unitAt(begin, unit, past) }))
}
