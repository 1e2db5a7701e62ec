/**
 * Colour maps for 16-bit pictures, the same names and colours wherever a picture is shown or rendered.
 *
 * viridis, inferno and magma: N. Smith, S. van der Walt, E. Firing, CC0, https://bids.github.io/colormap/. Kept as every 17th of their 256 published
 * colours; a Catmull-Rom spline through these is at most 3 of 255 away from the published value in any channel.
 * hilo: the range indicator of microscopes, gray but for saturated pixels in red and pixels of 0 in blue.
 */
export const COLORMAPS = ['gray', 'viridis', 'inferno', 'magma', 'hilo'] as const
export type Colormap = (typeof COLORMAPS)[number]

/** Counts that become the first and the last colour, and the count from which a pixel is saturated: 2^bitDepth - 1. */
export type ColorLevels = { readonly low: number; readonly high: number; readonly saturated: number }

const ENTRIES = 256
const STEP = 17 // 255 = 15 * 17: the first and the last colour are stops
const STOPS: Readonly<Record<Exclude<Colormap, 'gray' | 'hilo'>, string>> = {
  viridis: '440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725',
  inferno: '000004 0c0826 240c4f 420a68 5d126e 781c6d 932667 ae305c c73e4c dd513a ed6925 f8850f fca50a fac62d f2e661 fcffa4',
  magma: '000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf',
}
const BLUE = [0, 0, 255]
const RED = [255, 0, 0]

/** 256 colours of three bytes: red, green, blue. */
export function colormapTable(name: Colormap): Uint8Array {
  const table = new Uint8Array(ENTRIES * 3)
  if (name === 'gray' || name === 'hilo') {
    for (let at = 0; at < table.length; at += 1) table[at] = Math.trunc(at / 3)
    if (name === 'hilo') {
      table.set(BLUE, 0)
      table.set(RED, table.length - 3)
    }
    return table
  }
  const stops = STOPS[name].split(' ')
  for (let channel = 0; channel < 3; channel += 1) {
    const points = stops.map((stop) => Number.parseInt(stop.slice(2 * channel, 2 * channel + 2), 16))
    for (let at = 0; at < ENTRIES; at += 1) table[at * 3 + channel] = Math.min(255, Math.max(0, Math.round(splineAt(points, at / STEP))))
  }
  return table
}

/**
 * Which of the 256 colours a pixel gets. With hilo the first is kept for pixels of 0 and the last for saturated ones, whatever the levels are:
 * a picture whose levels cut its brightest pixels off is not saturated.
 */
export function colorIndex(name: Colormap, value: number, { low, high, saturated }: ColorLevels): number {
  const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : value >= high ? 1 : 0
  if (name !== 'hilo') return Math.round(share * 255)
  if (value === 0) return 0
  return value >= saturated ? 255 : 1 + Math.round(share * 253)
}

/** Catmull-Rom through the points; beyond both ends a point that continues the last three as a parabola. */
function splineAt(points: readonly number[], position: number): number {
  const at = (index: number): number => {
    const known = points[index]
    if (known !== undefined) return known
    return index < 0 ? 3 * at(0) - 3 * at(1) + at(2) : 3 * at(points.length - 1) - 3 * at(points.length - 2) + at(points.length - 3)
  }
  const first = Math.min(Math.floor(position), points.length - 2)
  const t = position - first
  const [a, b, c, d] = [at(first - 1), at(first), at(first + 1), at(first + 2)] as const
  return (2 * b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d)))) / 2
}
