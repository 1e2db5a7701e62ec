import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import { frameMetadata } from './arrow-message.ts'
import type { ColumnBuffer } from './column-buffer.ts'

const BODY_ALIGNMENT = 64 // of each buffer, as the Arrow format recommends

/** A record batch message, whole, as one piece: so that one write puts all of it into the file. */
export function encodeBatch(columns: readonly ColumnBuffer[]): { readonly bytes: Uint8Array; readonly headBytes: number } {
  return encodeNodes(columns[0]?.rows ?? 0, nodesOf(columns), buffersOf(columns))
}

/** The same, with an array of pixels in each row behind the columns: one fixed-size list, without nulls. */
export function encodeImageBatch(columns: readonly ColumnBuffer[], pixels: Uint16Array): { readonly bytes: Uint8Array; readonly headBytes: number } {
  const rows = columns[0]?.rows ?? 0
  const absent = new Uint8Array(0)
  const image = [new FieldNode(rows, 0), new FieldNode(pixels.length, 0)]
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  return encodeNodes(rows, [...nodesOf(columns), ...image], [...buffersOf(columns), absent, absent, bytes])
}

function nodesOf(columns: readonly ColumnBuffer[]): readonly FieldNode[] {
  return columns.map((column) => new FieldNode(column.rows, column.nulls))
}

function buffersOf(columns: readonly ColumnBuffer[]): readonly Uint8Array[] {
  return columns.flatMap((column) => column.buffers())
}

function encodeNodes(rows: number, nodes: readonly FieldNode[], buffers: readonly Uint8Array[]): { readonly bytes: Uint8Array; readonly headBytes: number } {
  let bodyBytes = 0
  const regions = buffers.map((buffer) => {
    const region = new BufferRegion(bodyBytes, buffer.byteLength)
    bodyBytes += Math.ceil(buffer.byteLength / BODY_ALIGNMENT) * BODY_ALIGNMENT
    return region
  })
  const head = frameMetadata(Message.encode(Message.from(new RecordBatch(rows, [...nodes], regions, null), bodyBytes)), BODY_ALIGNMENT)
  const bytes = new Uint8Array(head.byteLength + bodyBytes)
  bytes.set(head)
  for (const [index, buffer] of buffers.entries()) bytes.set(buffer, head.byteLength + (regions[index]?.offset ?? 0))
  return { bytes, headBytes: head.byteLength }
}
