/** Arrow's bitmaps: one bit a row, least significant first. */

export function bitAt(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
}

export function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
}

/** Whether it was set. */
export function clearBit(bits: Uint8Array, index: number): boolean {
  const byte = bits[index >> 3] ?? 0
  bits[index >> 3] = byte & ~(1 << (index & 7))
  return byte !== bits[index >> 3]
}

export function setBits(bits: Uint8Array, from: number, to: number): void {
  let index = from
  for (; index < to && (index & 7) !== 0; index += 1) setBit(bits, index)
  bits.fill(0xff, index >> 3, to >> 3)
  for (index = Math.max(index, to & ~7); index < to; index += 1) setBit(bits, index)
}

/** The same bytes with more room behind. */
export function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(length)
  more.set(bytes)
  return more
}
