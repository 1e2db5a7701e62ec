import type { FileHandle } from 'node:fs/promises'
import { field, follow, items, rootOf, scalar, viewOf } from './flatbuffer.ts'

/**
 * The framing of an Arrow IPC stream (arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format"): each message is
 * ffffffff, u32 length of its metadata with padding, the metadata (a flatbuffer of Message.fbs), then a body whose length the metadata gives.
 * Heads are read by hand because a file may have a million of them; the fields' numbers are those of Message.fbs.
 */

const CONTINUATION = 0xffff_ffff
export const PREFIX_BYTES = 8
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
const MAX_METADATA_BYTES = 16 * 1024 * 1024 // of a schema with ten thousand columns; more is a damaged file

type MessageKind = 'schema' | 'batch' | 'other'
export type BufferRegion = { readonly offset: number; readonly length: number }

/** One message in the file: [start, start + headBytes) is prefix and metadata, then bodyBytes of body. */
type MessageHead = {
  readonly start: number
  readonly headBytes: number
  readonly bodyBytes: number
  readonly kind: MessageKind
  readonly rows: number
  readonly metadata: Uint8Array
}

/** What stands at an offset: a whole message, the end marker, or nothing whole (the file was cut there, or is being written). */
export type MessageAt = { readonly at: 'message'; readonly head: MessageHead } | { readonly at: 'end' } | { readonly at: 'cut' }

export async function readMessageAt(source: ByteSource, start: number): Promise<MessageAt> {
  const prefix = await source.bytes(start, PREFIX_BYTES)
  if (prefix === undefined) return { at: 'cut' }
  const view = viewOf(prefix)
  const metadataBytes = view.getUint32(4, true)
  if (view.getUint32(0, true) !== CONTINUATION) return { at: 'cut' }
  if (metadataBytes === 0) return { at: 'end' }
  if (metadataBytes > MAX_METADATA_BYTES) return { at: 'cut' }
  const metadata = await source.bytes(start + PREFIX_BYTES, metadataBytes)
  if (metadata === undefined) return { at: 'cut' }
  const headBytes = PREFIX_BYTES + metadataBytes
  const parsed = parseMetadata(metadata)
  if (parsed === undefined || start + headBytes + parsed.bodyBytes > source.size) return { at: 'cut' }
  return { at: 'message', head: { start, headBytes, ...parsed, metadata } }
}

/** Prefix, metadata and zeros, so that the whole is a multiple of `alignment` bytes, less `already`, long. */
export function frameMetadata(metadata: Uint8Array, alignment = 8, already = 0): Uint8Array<ArrayBuffer> {
  const bare = already + PREFIX_BYTES + metadata.byteLength
  const framed = new Uint8Array(Math.ceil(bare / alignment) * alignment - already)
  const view = viewOf(framed)
  view.setUint32(0, CONTINUATION, true)
  view.setUint32(4, framed.byteLength - PREFIX_BYTES, true)
  framed.set(metadata, PREFIX_BYTES)
  return framed
}

/** Where each buffer of a record batch lies in its body, and how many nulls each of its columns has, in the order of the schema. RangeError: it is damaged. */
export function batchLayout(metadata: Uint8Array): { readonly nullCounts: readonly number[]; readonly buffers: readonly BufferRegion[] } {
  const view = viewOf(metadata)
  const root = rootOf(view)
  const batch = follow(view, field(view, root, HEADER))
  const bodyBytes = bodyBytesOf(view, root)
  const nullCounts = items(view, batch, NODES, STRUCT_BYTES).map((at) => Number(view.getBigInt64(at + 8, true)))
  const buffers = items(view, batch, BUFFERS, STRUCT_BYTES).map((at) => ({
    offset: Number(view.getBigInt64(at, true)),
    length: Number(view.getBigInt64(at + 8, true)),
  }))
  const wrong = buffers.find(({ offset, length }) => offset < 0 || length < 0 || offset + length > bodyBytes)
  if (wrong !== undefined) throw new RangeError(`${wrong.length} bytes from ${wrong.offset} on do not lie in a body of ${bodyBytes} bytes`)
  return { nullCounts, buffers }
}

/** Where in a framed record batch message the i64 numbers are that say how many rows it has: of the batch, and of each of its columns. */
export function rowCountPlaces(framed: Uint8Array): readonly number[] {
  const view = viewOf(framed.subarray(PREFIX_BYTES))
  const batch = follow(view, field(view, rootOf(view), HEADER))
  return [field(view, batch, LENGTH), ...items(view, batch, NODES, STRUCT_BYTES)].map((at) => PREFIX_BYTES + at)
}

/** Where in the metadata of a record batch its body's length stands, and that of its last buffer, i64 each. They must not be 0: that is not written. */
export function batchLengthPlaces(metadata: Uint8Array): { readonly bodyLengthAt: number; readonly lastBufferLengthAt: number } {
  const view = viewOf(metadata)
  const root = rootOf(view)
  const last = items(view, follow(view, field(view, root, HEADER)), BUFFERS, STRUCT_BYTES).at(-1) ?? 0
  return { bodyLengthAt: field(view, root, BODY_LENGTH), lastBufferLengthAt: last + 8 }
}

/** Where in a message's metadata the table of its header is (of a schema message: the Schema). */
export function headerTableAt(metadata: Uint8Array): number {
  const view = viewOf(metadata)
  return follow(view, field(view, rootOf(view), HEADER))
}

// Field numbers: Message { version, header_type, header, bodyLength }, RecordBatch { length, nodes, buffers }.
const HEADER_TYPE = 1
const HEADER = 2
const BODY_LENGTH = 3
const LENGTH = 0
const NODES = 1
const BUFFERS = 2
const NO_HEADER = 0
const SCHEMA_HEADER = 1
const BATCH_HEADER = 3
const STRUCT_BYTES = 16 // FieldNode and Buffer are two int64 each
const ROWS_IN_A_BYTE = 8 // at most: of a column of booleans

function bodyBytesOf(view: DataView, message: number): number {
  return scalar(view, message, BODY_LENGTH, (at) => Number(view.getBigInt64(at, true)))
}

/** undefined for what is no whole message: a power cut can leave the beginning of one, with zeros where the rest of its page was never written. */
function parseMetadata(metadata: Uint8Array): { kind: MessageKind; rows: number; bodyBytes: number } | undefined {
  const view = viewOf(metadata)
  try {
    const message = rootOf(view)
    const type = scalar(view, message, HEADER_TYPE, (at) => view.getUint8(at))
    const bodyBytes = bodyBytesOf(view, message)
    if (type === NO_HEADER || bodyBytes < 0) return undefined
    if (type !== BATCH_HEADER) return { kind: type === SCHEMA_HEADER ? 'schema' : 'other', rows: 0, bodyBytes }
    const batch = follow(view, field(view, message, HEADER))
    const rows = scalar(view, batch, LENGTH, (at) => Number(view.getBigInt64(at, true)))
    return rows < 0 || rows > bodyBytes * ROWS_IN_A_BYTE ? undefined : { kind: 'batch', rows, bodyBytes }
  } catch (error) {
    if (error instanceof RangeError) return undefined // an offset that leads out of the metadata
    throw error
  }
}

const WINDOW_BYTES = 64 * 1024 // of one read while walking heads: many small batches, or one head of a large one

/** Bytes of a file through a window, for walking forward in small steps. Beyond `size` nothing is there, though the file may have grown. */
export class ByteSource {
  readonly size: number
  readonly #file: FileHandle
  #window = new Uint8Array(0)
  #start = 0

  constructor(file: FileHandle, size: number) {
    this.#file = file
    this.size = size
  }

  /** undefined where the file ends before. What is returned is a view, good until the next call. */
  async bytes(at: number, length: number): Promise<Uint8Array | undefined> {
    if (at + length > this.size) return undefined
    if (at < this.#start || at + length > this.#start + this.#window.byteLength) {
      this.#window = await readExactly(this.#file, at, Math.min(Math.max(length, WINDOW_BYTES), this.size - at))
      this.#start = at
      if (this.#window.byteLength < length) return undefined
    }
    return this.#window.subarray(at - this.#start, at - this.#start + length)
  }
}

/** Fewer bytes only where the file ends. */
export async function readExactly(file: FileHandle, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled)
    if (bytesRead === 0) return bytes.slice(0, filled)
    filled += bytesRead
  }
  return bytes
}
