/** What NativeRing.startTestPattern puts into frame `sequence`. */
export function patternFrame(sequence: number, width: number, height: number): Uint16Array {
  return Uint16Array.from({ length: width * height }, (_, at) => (at < width ? at + 7 * sequence : at * 31))
}

/** The same for many frames one after the other: below its first row the pattern does not change. The pixels are good until the next call. */
export function patternSource(width: number, height: number): (sequence: number) => Uint16Array {
  const pixels = patternFrame(0, width, height)
  return (sequence) => {
    for (let x = 0; x < width; x += 1) pixels[x] = x + 7 * sequence
    return pixels
  }
}

/** The mean of each bin x bin square, rounded half up. */
export function binned(pixels: Uint16Array, width: number, height: number, bin: number): Uint16Array {
  const [across, down] = [Math.floor(width / bin), Math.floor(height / bin)]
  return Uint16Array.from({ length: across * down }, (_, at) => {
    const [x, y] = [(at % across) * bin, Math.floor(at / across) * bin]
    let sum = 0
    for (let dy = 0; dy < bin; dy += 1) for (let dx = 0; dx < bin; dx += 1) sum += pixels[(y + dy) * width + x + dx] ?? 0
    return Math.floor((sum + (bin * bin) / 2) / (bin * bin))
  })
}

/** Compares whole images at once; an assertion on each pixel takes seconds. */
export function samePixels(one: Uint16Array, other: Uint16Array): boolean {
  const bytes = (pixels: Uint16Array) => Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  return bytes(one).equals(bytes(other))
}
