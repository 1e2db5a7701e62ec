export type Levels = { readonly low: number; readonly high: number }

const EASE = 0.2 // share of the way to the frame's own extremes that automatic levels go with each frame: noise does not make the picture flicker

/** Automatic levels follow the frame's extremes slowly; the first frame sets them. */
export function easedLevels(last: Levels | undefined, minimum: number, maximum: number): Levels {
  const high = Math.max(maximum, minimum + 1)
  if (last === undefined) return { low: minimum, high }
  return { low: last.low + (minimum - last.low) * EASE, high: last.high + (high - last.high) * EASE }
}
