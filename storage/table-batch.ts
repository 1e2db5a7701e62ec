import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import { frameMetadata } from './arrow-message.ts'
import type { ColumnBuffer } from './column-buffer.ts'

const BODY_ALIGNMENT = 64 // of each buffer, as the Arrow format recommends

/** A record batch message, whole, as one piece: so that one write puts all of it into the file. */
export function encodeBatch(columns: readonly ColumnBuffer[]): { readonly bytes: Uint8Array; readonly headBytes: number } {
  const rows = columns[0]?.rows ?? 0
  const nodes = columns.map((column) => new FieldNode(rows, column.nulls))
  const buffers = columns.flatMap((column) => column.buffers())
  let bodyBytes = 0
  const regions = buffers.map((buffer) => {
    const region = new BufferRegion(bodyBytes, buffer.byteLength)
    bodyBytes += Math.ceil(buffer.byteLength / BODY_ALIGNMENT) * BODY_ALIGNMENT
    return region
  })
  const head = frameMetadata(Message.encode(Message.from(new RecordBatch(rows, nodes, regions, null), bodyBytes)), BODY_ALIGNMENT)
  const bytes = new Uint8Array(head.byteLength + bodyBytes)
  bytes.set(head)
  for (const [index, buffer] of buffers.entries()) bytes.set(buffer, head.byteLength + (regions[index]?.offset ?? 0))
  return { bytes, headBytes: head.byteLength }
}
