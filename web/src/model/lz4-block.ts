const MIN_MATCH = 4
const LONG_RUN = 15 // a length of four bits that goes on in the bytes behind
const BYTE_FULL = 255

/**
 * One block of LZ4 (github.com/lz4/lz4, doc/lz4_Block_format.md) into `out`, which it fills exactly. Throws on anything else: a block that was cut or altered
 * never writes or reads beside its place.
 */
export function unpackLz4(block: Uint8Array, out: Uint8Array): void {
  let from = 0
  let to = 0
  const damaged = (): Error => new Error(`The picture's LZ4 block is damaged at byte ${from} of ${block.length}`)
  const longer = (length: number): number => {
    if (length !== LONG_RUN) return length
    let sum = length
    for (;;) {
      const more = block[from]
      if (more === undefined) throw damaged()
      from += 1
      sum += more
      if (more !== BYTE_FULL) return sum
    }
  }
  for (;;) {
    const token = block[from]
    if (token === undefined) throw damaged()
    from += 1
    const literals = longer(token >> 4)
    if (from + literals > block.length || to + literals > out.length) throw damaged()
    out.set(block.subarray(from, from + literals), to)
    from += literals
    to += literals
    if (from === block.length) break // the last sequence has no match
    const offset = (block[from] ?? 0) | ((block[from + 1] ?? 0) << 8)
    from += 2
    const length = longer(token & LONG_RUN) + MIN_MATCH
    if (offset === 0 || offset > to || to + length > out.length) throw damaged()
    if (offset >= length) out.copyWithin(to, to - offset, to - offset + length)
    else for (let at = to; at < to + length; at += 1) out[at] = out[at - offset] ?? 0 // the match overlaps what it writes
    to += length
  }
  if (to !== out.length) throw damaged()
}
