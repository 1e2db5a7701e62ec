import { dateFromWallNs } from '../../core/time.ts'
import { builder } from '../builder.ts'

export const TimeRangeRef = builder.inputType('TimeRange', {
  fields: (t) => ({ from: t.field({ type: 'Time', required: true }), to: t.field({ type: 'Time' }) }),
})
export type TimeRangeGiven = { readonly from: bigint; readonly to?: bigint | null | undefined }

/** As a condition on a column; `to` itself is outside. */
export function within({ from, to }: TimeRangeGiven): { readonly gte: Date; readonly lt?: Date } {
  return { gte: dateFromWallNs(from), ...(to != null && { lt: dateFromWallNs(to) }) }
}
