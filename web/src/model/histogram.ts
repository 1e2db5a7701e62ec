import type { Levels } from './levels.ts'

const COUNTS = 65_536 // of 16 bits

/** How often each count occurs in a picture: of every pixel, nothing is left out. */
export function countPixels(pixels: Uint16Array): Uint32Array {
  const occurrences = new Uint32Array(COUNTS)
  for (const value of pixels) occurrences[value] = (occurrences[value] ?? 0) + 1
  return occurrences
}

/** The smallest count that at least this share of the pixels does not exceed; 0 without pixels. */
export function percentile(occurrences: Uint32Array, share: number): number {
  let total = 0
  for (const number of occurrences) total += number
  const wanted = Math.max(1, share * total)
  let seen = 0
  for (let count = 0; count < occurrences.length; count += 1) {
    seen += occurrences[count] ?? 0
    if (seen >= wanted) return count
  }
  return 0
}

const CUT_OFF = 0.001 // share of the pixels at either end that automatic levels leave: hot and dead ones do not decide how the picture looks

/** Black and white such that nearly every pixel lies between them; never the same. */
export function automaticLevels(occurrences: Uint32Array): Levels {
  const low = percentile(occurrences, CUT_OFF)
  return { low, high: Math.max(low + 1, percentile(occurrences, 1 - CUT_OFF)) }
}

/** Pixels per bin of `width` counts each, from the axis's beginning to its end; what lies beyond is in none. */
export function binned(occurrences: Uint32Array, { from, to }: Span, width: number): Uint32Array {
  const heights = new Uint32Array(Math.ceil((to - from + 1) / width))
  for (let count = from; count <= Math.min(occurrences.length - 1, to); count += 1) {
    const bin = Math.floor((count - from) / width)
    heights[bin] = (heights[bin] ?? 0) + (occurrences[count] ?? 0)
  }
  return heights
}

/** Counts that an axis shows, whole numbers, both ends in it. */
export type Span = { readonly from: number; readonly to: number }

const LEAST_FILLED = 0.45 // of the axis: below that the picture became so much darker that the axis follows
const ROOM = 0.1 // of the data, at either side, to drag a level beyond it

/** An axis around the data that stays as it is while the data fits, so that it can be read. */
export function steadySpan(last: Span | undefined, data: Span, saturated: number): Span {
  if (last !== undefined && data.from >= last.from && data.to <= last.to && data.to - data.from >= (last.to - last.from) * LEAST_FILLED) return last
  const room = Math.max(8, (data.to - data.from) * ROOM)
  const step = 10 ** Math.floor(Math.log10(room))
  return { from: Math.max(0, Math.floor((data.from - room) / step) * step), to: Math.min(saturated, Math.ceil((data.to + room) / step) * step) }
}

/** What a page shows of a picture's counts. */
export type HistogramSummary = {
  readonly span: Span
  /** Pixels per bin of the span. */
  readonly heights: Uint32Array
  readonly automatic: Levels
}

const MOST_BINS = 128 // about as many as a narrow panel has pixels for, two each
const AXIS_CUT_OFF = 0.0001 // share of the pixels at either end that the axis leaves out: one hot pixel would make the rest a line

/** `last`: the axis so far. `levels`: by hand, which the axis has to show. */
export function summarise(occurrences: Uint32Array, last: Span | undefined, levels: Levels | undefined, saturated: number): HistogramSummary {
  const data = {
    from: Math.min(levels?.low ?? saturated, percentile(occurrences, AXIS_CUT_OFF)),
    to: Math.max(levels?.high ?? 0, percentile(occurrences, 1 - AXIS_CUT_OFF)),
  }
  const { from, to } = steadySpan(last, data, saturated)
  const width = Math.ceil((to - from + 1) / MOST_BINS) // whole counts, the same in each bin: else some hold more counts than others and stand out
  const span = { from, to: from + Math.ceil((to - from + 1) / width) * width - 1 }
  return { span, heights: binned(occurrences, span, width), automatic: automaticLevels(occurrences) }
}
