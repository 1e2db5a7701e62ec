/** What NativeRing.startTestPattern puts into frame `sequence`. */
export function patternFrame(sequence: number, width: number, height: number, period = 65_536): Uint16Array {
  return Uint16Array.from({ length: width * height }, (_, at) => (at < width ? at + 7 * sequence : (at % period) * 31))
}

/** The same for many frames one after the other: below its first row the pattern does not change. The pixels are good until the next call. */
export function patternSource(width: number, height: number, period?: number): (sequence: number) => Uint16Array {
  const pixels = patternFrame(0, width, height, period)
  return (sequence) => {
    for (let x = 0; x < width; x += 1) pixels[x] = x + 7 * sequence
    return pixels
  }
}

type Region = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** The mean of each bin x bin square of a region, rounded half up. */
export function binned(pixels: Uint16Array, rowPixels: number, { x: left, y: top, width, height }: Region, bin: number): Uint16Array {
  const [across, down] = [Math.floor(width / bin), Math.floor(height / bin)]
  const means = new Uint16Array(across * down)
  for (let row = 0; row < down; row += 1)
    for (let column = 0; column < across; column += 1) {
      let sum = 0
      for (let dy = 0; dy < bin; dy += 1) for (let dx = 0; dx < bin; dx += 1) sum += pixels[(top + row * bin + dy) * rowPixels + left + column * bin + dx] ?? 0
      means[row * across + column] = Math.floor((sum + (bin * bin) / 2) / (bin * bin))
    }
  return means
}

/** The pixels of a tap that is not packed. */
export function pixelsOf({ data }: { readonly data: Uint8Array }): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
}

/** Compares whole images at once; an assertion on each pixel takes seconds. */
export function samePixels(one: Uint16Array, other: Uint16Array): boolean {
  const bytes = (pixels: Uint16Array) => Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  return bytes(one).equals(bytes(other))
}
