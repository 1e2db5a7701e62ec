/** The .npy format of NumPy, version 1.0 (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1')
const ALIGNMENT = 64 // of the data, so that it can be mapped
const LENGTH_BYTES = 2

/** What stands before little-endian numbers of that shape, in C order: the last axis is the fastest. */
export function npyHeader(shape: readonly number[], type: 'u2' | 'f8' = 'u2'): Uint8Array {
  const text = `{'descr': '<${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const bare = MAGIC.byteLength + LENGTH_BYTES + text.length + 1
  const header = Buffer.alloc(Math.ceil(bare / ALIGNMENT) * ALIGNMENT, ' ')
  MAGIC.copy(header)
  header.writeUInt16LE(header.byteLength - MAGIC.byteLength - LENGTH_BYTES, MAGIC.byteLength)
  header.write(text, MAGIC.byteLength + LENGTH_BYTES, 'latin1')
  header.write('\n', header.byteLength - 1, 'latin1')
  return header
}

/**
 * Bytes `first` to `last`, both included, of a file of items that are each `itemBytes` long. `items` gives the bytes of `count` of them from `start` on, in pieces of
 * whole items. The header does not come before the first piece is there: what fails at once can still be told in another way.
 */
export async function* npyPart(
  header: Uint8Array,
  itemBytes: number,
  { first, last }: { readonly first: number; readonly last: number },
  items: (start: number, count: number) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const head = header.subarray(first, last + 1)
  if (last < header.byteLength) return yield head
  const from = Math.max(0, first - header.byteLength)
  const to = last - header.byteLength + 1
  const start = Math.floor(from / itemBytes)
  let at = start * itemBytes
  for await (const bytes of items(start, Math.ceil(to / itemBytes) - start)) {
    if (at <= from && head.byteLength > 0) yield head
    yield bytes.subarray(Math.max(0, from - at), Math.min(bytes.byteLength, to - at))
    at += bytes.byteLength
  }
}
