/** Counts that are shown as black and as white. */
export type Levels = { readonly low: number; readonly high: number }

/** How counts become colours. `saturated`: the largest count of the camera, 2^bitDepth - 1. */
export type Tone = { readonly levels: Levels /** 1: in proportion; above 1 the dark parts are lifted. */; readonly gamma: number; readonly saturated: number }

const EASE_MS = 250 // time in which automatic levels go 63 % of their way: noise does not make the picture flicker, a new scene is there at once for the eye
const AT_REST = 0.5 // counts: nobody sees less

/** Automatic levels follow their aim slowly; the first ones are the aim. */
export function easedLevels(last: Levels | undefined, aim: Levels, elapsedMs: number): Levels {
  if (last === undefined) return aim
  const share = 1 - Math.exp(-Math.max(0, elapsedMs) / EASE_MS)
  const next = { low: last.low + (aim.low - last.low) * share, high: last.high + (aim.high - last.high) * share }
  return Math.abs(next.low - aim.low) < AT_REST && Math.abs(next.high - aim.high) < AT_REST ? aim : next
}

/** What a person set by hand, in whole counts, black below white, both that the camera can give. `moved` stays and the other gives way to it. */
export function settledLevels({ low, high }: Levels, saturated: number, moved: 'low' | 'high'): Levels {
  const within = (value: number, least: number, most: number) => Math.min(most, Math.max(least, Math.round(value)))
  if (moved === 'low') {
    const settled = within(low, 0, saturated - 1)
    return { low: settled, high: within(high, settled + 1, saturated) }
  }
  const settled = within(high, 1, saturated)
  return { low: within(low, 0, settled - 1), high: settled }
}

const ENTRIES = 256

/**
 * Which of a colour map's 256 colours a count gets; with `marks` (the map hilo) the first is kept for 0 and the last for saturated pixels,
 * as in core/colormap.ts. The shader of the panel does the same.
 */
export function toneIndex(value: number, { levels: { low, high }, gamma, saturated }: Tone, marks: boolean): number {
  if (marks && value === 0) return 0
  if (marks && value >= saturated) return ENTRIES - 1
  const share = Math.min(1, Math.max(0, (value - low) / Math.max(high - low, 1))) ** (1 / gamma)
  return marks ? 1 + Math.round(share * (ENTRIES - 3)) : Math.round(share * (ENTRIES - 1))
}
