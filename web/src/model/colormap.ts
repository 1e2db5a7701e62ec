/**
 * The colour maps of core/colormap.ts once more: the page imports nothing of the server's. A test holds both to the same bytes, so that what is seen live and a
 * PNG of the server look alike.
 *
 * viridis, inferno and magma: N. Smith, S. van der Walt, E. Firing, CC0, https://bids.github.io/colormap/. Kept as every 17th of their 256 published
 * colours; a Catmull-Rom spline through these is at most 3 of 255 away from the published value in any channel.
 * hilo: the range indicator of microscopes, gray but for saturated pixels in red and pixels of 0 in blue.
 */
export const COLORMAPS = ['gray', 'viridis', 'inferno', 'magma', 'hilo'] as const
export type Colormap = (typeof COLORMAPS)[number]

export function isColormap(value: unknown): value is Colormap {
  return COLORMAPS.some((name) => name === value)
}

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
