import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'

/** An 8-bit gray PNG (w3.org/TR/png) of 16-bit pixels. */

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const BIT_DEPTH = 8
const GRAY = 0
const DEFLATE_LEVEL = 1 // images are looked at once: speed before size
const LEVELS = 65_536

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate)

/** `low` and darker becomes black, `high` and brighter white. Compresses in the thread pool; the rest is one pass over the pixels. */
export async function grayPng(pixels: Uint16Array, width: number, height: number, low: number, high: number): Promise<Uint8Array> {
  const shade = shades(low, high)
  const lines = new Uint8Array((width + 1) * height) // each line begins with its filter: 0, none
  for (let y = 0, from = 0, to = 0; y < height; y += 1) {
    to += 1
    for (const end = from + width; from < end; from += 1, to += 1) lines[to] = shade[pixels[from] ?? 0] ?? 0
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([BIT_DEPTH, GRAY, 0, 0, 0], 8)
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', await compress(lines, { level: DEFLATE_LEVEL })), chunk('IEND', new Uint8Array(0))])
}

function shades(low: number, high: number): Uint8ClampedArray {
  const table = new Uint8ClampedArray(LEVELS)
  const scale = high > low ? 255 / (high - low) : Number.POSITIVE_INFINITY
  for (let level = 0; level < LEVELS; level += 1) table[level] = level <= low ? 0 : (level - low) * scale
  return table
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.byteLength)
  bytes.writeUInt32BE(data.byteLength, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.byteLength)), 8 + data.byteLength)
  return bytes
}
