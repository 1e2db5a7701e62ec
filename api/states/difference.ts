import { IncompatibleUnit } from '../../core/errors.ts'
import { exceedsDeadband, type ParameterSpec } from '../../core/parameter.ts'
import type { Reading } from '../../core/reading.ts'
import { convert } from '../../core/unit.ts'
import type { ReadingSource } from '../refs.ts'
import type { Snapshot, StateValue } from './snapshot.ts'

/** `to - from` in the unit of `to`; relative to `from`. */
export type Difference = {
  readonly deviceId: string
  readonly parameter: string
  readonly from: ReadingSource | undefined
  readonly to: ReadingSource
  readonly delta: number | undefined
  readonly relative: number | undefined
}

/**
 * What differs between two states by more than the parameters' deadbands: settings before what was measured, each the largest relative change first.
 * A value that is there once only is a difference; a value that is the same with another quality is none.
 */
export function differencesOf(from: Snapshot, to: Snapshot, specOf: (id: string) => ParameterSpec | undefined): readonly Difference[] {
  const ids = new Set([...from.values.keys(), ...to.values.keys()])
  const found = [...ids].flatMap((id) => {
    const [before, after] = [from.values.get(id), to.values.get(id)]
    if ((from.partial === true && before === undefined) || (to.partial === true && after === undefined)) return []
    const difference = differenceOf(before, after, to, specOf(id))
    return difference === undefined ? [] : [{ ...difference, rank: specOf(id)?.access === 'READ_ONLY' ? 1 : 0, size: sizeOf(difference) }]
  })
  return found.sort((a, b) => a.rank - b.rank || b.size - a.size)
}

function differenceOf(before: StateValue | undefined, after: StateValue | undefined, to: Snapshot, spec: ParameterSpec | undefined): Difference | undefined {
  const { deviceId, parameter } = after ?? before ?? {}
  if (deviceId === undefined || parameter === undefined) return undefined
  const gone: Reading = { time: to.time, quality: 'BAD', reason: 'nothing is known of it at that moment' }
  const next: ReadingSource = { ...(after?.reading ?? gone), unit: after?.unit ?? before?.unit }
  const last = before && inUnitOf(before, next.unit)
  if (!differs(last, next, spec)) return undefined
  const [a, b] = [last?.value, next.value]
  const delta = typeof a === 'number' && typeof b === 'number' && last?.unit === next.unit ? b - a : undefined
  return { deviceId, parameter, from: last, to: next, delta, relative: delta === undefined || a === 0 ? undefined : delta / Math.abs(Number(a)) }
}

function differs(last: ReadingSource | undefined, next: ReadingSource, spec: ParameterSpec | undefined): boolean {
  if (last?.value === undefined || next.value === undefined || last.unit !== next.unit) return last?.value !== next.value
  return exceedsDeadband(spec ?? {}, last.value, next.value)
}

/** As it was measured where the units have nothing in common: a parameter may have become another. */
function inUnitOf({ reading, unit }: StateValue, wanted: string | undefined): ReadingSource {
  if (typeof reading.value !== 'number' || unit === wanted) return { ...reading, unit }
  try {
    return { ...reading, value: convert(reading.value, unit ?? '1', wanted), unit: wanted }
  } catch (error) {
    if (error instanceof IncompatibleUnit) return { ...reading, unit }
    throw error
  }
}

/** From 0 to 2 for numbers; what has no size counts like a doubling. */
function sizeOf({ from, to, delta }: Difference): number {
  return delta === undefined ? 1 : Math.abs(delta) / Math.max(Math.abs(Number(from?.value)), Math.abs(Number(to.value)))
}
