/**
 * What is read by hand of the flatbuffers in an Arrow file (flatbuffers.dev, "Internals"). Such a file may be damaged: whatever leads out of the bytes that are
 * there, or says that there is more than they can hold, is a RangeError.
 */

const MAX_TABLE_BYTES = 0x7fff // Arrow's tables have a dozen fields; apache-arrow takes what is more for negative

/** Where field `number` of a table stands; 0 where it has its default. A table begins with the distance back to its vtable, which holds the place of each. */
export function field(view: DataView, table: number, number: number): number {
  const vtable = table - view.getInt32(table, true)
  const slot = 4 + number * 2
  const offset = slot < view.getUint16(vtable, true) ? view.getUint16(vtable + slot, true) : 0
  if (offset > MAX_TABLE_BYTES) throw new RangeError(`a field cannot stand ${offset} bytes behind its table`)
  return offset === 0 ? 0 : table + offset
}

export function scalar(view: DataView, table: number, number: number, read: (at: number) => number): number {
  const at = field(view, table, number)
  return at === 0 ? 0 : read(at)
}

/** Where the offset at `at` leads. */
export function follow(view: DataView, at: number): number {
  return at + view.getUint32(at, true)
}

export function rootOf(view: DataView): number {
  return follow(view, 0)
}

/** Where each item of a vector of things of `itemBytes` stands. */
export function items(view: DataView, table: number, number: number, itemBytes: number): number[] {
  const at = field(view, table, number)
  if (at === 0) return []
  const vector = follow(view, at)
  const length = view.getUint32(vector, true)
  const first = vector + 4
  if (first + length * itemBytes > view.byteLength)
    throw new RangeError(`${length} items of ${itemBytes} bytes do not fit behind byte ${first} of ${view.byteLength}`)
  return Array.from({ length }, (_, index) => first + index * itemBytes)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
