import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'
import { COLORMAPS, type Colormap, colorIndex, colormapTable } from '../core/colormap.ts'
import { binned, type FrameSize } from './frame-region.ts'

/** Pictures of 16-bit pixels as PNG (w3.org/TR/png): through a colour map, 8 bits a pixel; or `gray16`, the recorded values themselves. */
export const PNG_COLORMAPS = [...COLORMAPS, 'gray16'] as const
export type PngColormap = Colormap | 'gray16'

export type PngOptions = {
  readonly colormap?: PngColormap | undefined
  /** Pixels of this value and below get the first colour; absent: the least of the picture. Not of gray16. */
  readonly minimum?: number | undefined
  /** And of this value and above the last; absent: the greatest. */
  readonly maximum?: number | undefined
  /** The count from which a pixel is saturated, for hilo: 2^bitDepth - 1. */
  readonly saturated?: number | undefined
  /** Neither side is longer: squares of pixels are put together to their mean. */
  readonly maxSide?: number | undefined
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const GRAY = 0 // colour types of the header
const PALETTE = 3
const DEFLATE_LEVEL = 1 // images are looked at once: speed before size
const LEVELS = 65_536
const MAX_LEVEL = LEVELS - 1

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate)

/** Compresses in the thread pool; the rest is a pass or two over the pixels. */
export async function renderPng(
  pixels: Uint16Array,
  size: FrameSize,
  { colormap = 'gray', minimum, maximum, saturated = MAX_LEVEL, maxSide }: PngOptions = {},
): Promise<Uint8Array> {
  const bin = maxSide === undefined ? 1 : Math.max(1, Math.ceil(Math.max(size.width, size.height) / maxSide))
  const shown = { width: Math.max(1, Math.floor(size.width / bin)), height: Math.max(1, Math.floor(size.height / bin)) }
  const small = bin > Math.min(size.width, size.height) ? thinned(pixels, size, shown, bin) : binned(pixels, size, bin)
  if (colormap === 'gray16') return encode(shown, 16, GRAY, [], linesOf16(small, shown))
  const own = minimum === undefined || maximum === undefined ? extremes(pixels) : undefined
  const levels = { low: minimum ?? own?.low ?? 0, high: maximum ?? own?.high ?? MAX_LEVEL, saturated }
  const colors = Uint8Array.from({ length: LEVELS }, (_, value) => colorIndex(colormap, value, levels))
  const palette = colormap === 'gray' ? [] : [chunk('PLTE', colormapTable(colormap))]
  return encode(shown, 8, colormap === 'gray' ? GRAY : PALETTE, palette, linesOf8(small, shown, colors))
}

function extremes(pixels: Uint16Array): { readonly low: number; readonly high: number } {
  let low = MAX_LEVEL
  let high = 0
  for (const pixel of pixels) {
    if (pixel < low) low = pixel
    if (pixel > high) high = pixel
  }
  return { low, high }
}

/** Of a picture that is too narrow for squares: every bin-th pixel. */
function thinned(pixels: Uint16Array, size: FrameSize, shown: FrameSize, bin: number): Uint16Array {
  return Uint16Array.from({ length: shown.width * shown.height }, (_, at) => {
    const [x, y] = [(at % shown.width) * bin, Math.trunc(at / shown.width) * bin]
    return pixels[y * size.width + x] ?? 0
  })
}

/** Each line begins with its filter: 0, none. */
function linesOf8(pixels: Uint16Array, { width, height }: FrameSize, colors: Uint8Array): Uint8Array {
  const lines = new Uint8Array((width + 1) * height)
  for (let y = 0, from = 0, to = 0; y < height; y += 1) {
    to += 1
    for (const end = from + width; from < end; from += 1, to += 1) lines[to] = colors[pixels[from] ?? 0] ?? 0
  }
  return lines
}

/** As above, big-endian as PNG has it. */
function linesOf16(pixels: Uint16Array, { width, height }: FrameSize): Uint8Array {
  const lines = new Uint8Array((2 * width + 1) * height)
  for (let y = 0, from = 0, to = 0; y < height; y += 1) {
    to += 1
    for (const end = from + width; from < end; from += 1, to += 2) {
      const pixel = pixels[from] ?? 0
      lines[to] = pixel >> 8
      lines[to + 1] = pixel
    }
  }
  return lines
}

async function encode(
  { width, height }: FrameSize,
  bitDepth: number,
  colorType: number,
  palette: readonly Uint8Array[],
  lines: Uint8Array,
): Promise<Uint8Array> {
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([bitDepth, colorType, 0, 0, 0], 8)
  const data = chunk('IDAT', await compress(lines, { level: DEFLATE_LEVEL }))
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), ...palette, data, chunk('IEND', new Uint8Array(0))])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.byteLength)
  bytes.writeUInt32BE(data.byteLength, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.byteLength)), 8 + data.byteLength)
  return bytes
}
