import type { BatchPlace } from '../stream-index.ts'

/**
 * The footer of an Arrow IPC file (File.fbs): the schema again, and where each record batch is. Written by hand, because a library holds an object for each
 * batch and a dataset may have millions. Offsets in a flatbuffer are relative, so the schema's message is embedded as it is and the footer points into it.
 */

const BLOCK_BYTES = 24 // Block { int64 offset, int32 metaDataLength, 4 bytes of padding, int64 bodyLength }
const NUMBERS_PER_BLOCK = 3

/** Places of record batches in a file, in the order of their writing; 24 bytes each. */
export class Blocks {
  #numbers = new Float64Array(64 * NUMBERS_PER_BLOCK)
  #count = 0

  get count(): number {
    return this.#count
  }

  add({ start, headBytes, bodyBytes }: Pick<BatchPlace, 'start' | 'headBytes' | 'bodyBytes'>): void {
    const at = this.#count * NUMBERS_PER_BLOCK
    if (at === this.#numbers.length) {
      const more = new Float64Array(at * 2)
      more.set(this.#numbers)
      this.#numbers = more
    }
    this.#numbers.set([start, headBytes, bodyBytes], at)
    this.#count += 1
  }

  encodeInto(view: DataView, at: number): void {
    for (let block = 0; block < this.#count; block += 1) {
      const [start = 0, headBytes = 0, bodyBytes = 0] = this.#numbers.subarray(block * NUMBERS_PER_BLOCK, (block + 1) * NUMBERS_PER_BLOCK)
      view.setBigInt64(at + block * BLOCK_BYTES, BigInt(start), true)
      view.setInt32(at + block * BLOCK_BYTES + 8, headBytes, true)
      view.setBigInt64(at + block * BLOCK_BYTES + 16, BigInt(bodyBytes), true)
    }
  }
}

const METADATA_V5 = 4
const FIELDS = { version: 0, schema: 1, dictionaries: 2, recordBatches: 3 } as const
const VTABLE_AT = 4
const VTABLE_BYTES = 4 + Object.keys(FIELDS).length * 2
const TABLE_AT = 16 // behind the vtable, on a multiple of 4
const TABLE = { vtable: 0, schema: 4, dictionaries: 8, recordBatches: 12, version: 16 } as const
const TABLE_BYTES = 18
const DICTIONARIES_AT = 36 // an empty vector: its length, 0
const EMBEDDED_AT = 40 // a multiple of 8, as its own alignments need

/** `schemaMessage`: metadata of a schema message; `schemaAt`: where in it the Schema table is. */
export function encodeFooter(schemaMessage: Uint8Array, schemaAt: number, blocks: Blocks): Uint8Array {
  const vectorAt = Math.ceil((EMBEDDED_AT + schemaMessage.byteLength) / 8) * 8 + 4 // so that the blocks behind the length are on a multiple of 8
  const blocksAt = vectorAt + 4
  const bytes = new Uint8Array(blocksAt + blocks.count * BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  const point = (at: number, target: number): void => view.setUint32(at, target - at, true)

  point(0, TABLE_AT)
  view.setUint16(VTABLE_AT, VTABLE_BYTES, true)
  view.setUint16(VTABLE_AT + 2, TABLE_BYTES, true)
  for (const [name, number] of Object.entries(FIELDS)) view.setUint16(VTABLE_AT + 4 + number * 2, TABLE[name as keyof typeof FIELDS], true)
  view.setInt32(TABLE_AT + TABLE.vtable, TABLE_AT - VTABLE_AT, true)
  point(TABLE_AT + TABLE.schema, EMBEDDED_AT + schemaAt)
  point(TABLE_AT + TABLE.dictionaries, DICTIONARIES_AT)
  point(TABLE_AT + TABLE.recordBatches, vectorAt)
  view.setInt16(TABLE_AT + TABLE.version, METADATA_V5, true)
  bytes.set(schemaMessage, EMBEDDED_AT)
  view.setUint32(vectorAt, blocks.count, true)
  blocks.encodeInto(view, blocksAt)
  return bytes
}
