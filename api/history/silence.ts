import { freshNs } from '../../core/history.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { QUALITIES } from '../../core/reading.ts'
import type { WallNs } from '../../core/time.ts'
import type { SampleRow } from './samples.ts'

const STALE = QUALITIES.indexOf('STALE')

/**
 * Where what is read by itself misses two heartbeats, nobody read it from then on: a point without a value says so, also at the end, so that a constant and
 * what is dead look different. `end`: up to when the rows are all there is.
 */
export function withSilences(rows: readonly SampleRow[], spec: Pick<ParameterSpec, 'pollMs'>, end: WallNs | undefined): readonly SampleRow[] {
  if (spec.pollMs === undefined) return rows
  const fresh = freshNs(spec)
  return rows.flatMap((row, at) => {
    const silent = (row.sampledAt ?? row.time) + fresh
    const next = rows[at + 1]?.time ?? end
    const known = QUALITIES[row.quality] === 'GOOD' || QUALITIES[row.quality] === 'UNCERTAIN'
    if (!known || next === undefined || next <= silent || silent < row.time) return [row]
    return [row, { time: silent, quality: STALE, number: null, text: null }]
  })
}
