/** The .npy format of NumPy, version 1.0 (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1')
const ALIGNMENT = 64 // of the data, so that it can be mapped
const LENGTH_BYTES = 2

/** What stands before unsigned 16-bit little-endian numbers of that shape, in C order: the last axis is the fastest. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const text = `{'descr': '<u2', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const bare = MAGIC.byteLength + LENGTH_BYTES + text.length + 1
  const header = Buffer.alloc(Math.ceil(bare / ALIGNMENT) * ALIGNMENT, ' ')
  MAGIC.copy(header)
  header.writeUInt16LE(header.byteLength - MAGIC.byteLength - LENGTH_BYTES, MAGIC.byteLength)
  header.write(text, MAGIC.byteLength + LENGTH_BYTES, 'latin1')
  header.write('\n', header.byteLength - 1, 'latin1')
  return header
}
