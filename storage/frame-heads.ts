import { Field, FixedSizeList, Schema, TimestampNanosecond, Uint16, Uint64 } from 'apache-arrow'
import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import type { FrameLayout } from '../core/frame.ts'
import { END_OF_STREAM, frameMetadata } from './arrow-message.ts'

/**
 * The bytes around the pixels of a recording. With one frame a batch, a fixed shape and no nulls, every record batch has the same head; only the sequence
 * and the time in its body differ. A batch is laid out so that the pixels start on a page of the file and fill whole pages, for O_DIRECT and mmap:
 *
 *   0       head: prefix, metadata, zeros that the metadata's length counts
 *   1024    sequence, u64
 *   1088    time, i64 nanoseconds since 1970
 *   4096    pixels, row by row, zeros up to the next 4096
 */
const PAGE_BYTES = 4096 // the strictest block size that O_DIRECT asks for on common disks
const HEAD_BYTES = 1024 // the metadata needs about 500
const SEQUENCE_OFFSET = HEAD_BYTES
const TIME_OFFSET = SEQUENCE_OFFSET + 64 // Arrow recommends that buffers start at multiples of 64
const SCALAR_BYTES = 8
const PIXEL_BYTES = 2

/** In the schema's metadata: which layout of batches the file has. */
export const LAYOUT_KEY = 'kymograph.frames'
export const LAYOUT_VERSION = '1'

/** What is the same for all frames of a recording. Kept in the schema, so that a file explains itself. */
export type FrameSettings = { readonly roi: Roi; readonly binning: number; readonly exposureSeconds: number }

/** The layout of a recording with these settings. `metadata` (device, run ...) goes into the schema as it is. */
export function prepareFrameLayout(settings: FrameSettings, metadata: Readonly<Record<string, string>> = {}): FrameLayout {
  const { roi, binning, exposureSeconds } = settings
  const width = roi.width / binning
  const height = roi.height / binning
  if (!isSide(width) || !isSide(height)) throw new InvalidValue(`a region of ${roi.width} x ${roi.height} cannot be binned by ${binning}`, ['roi'])
  const known = { [LAYOUT_KEY]: LAYOUT_VERSION, roi: JSON.stringify(roi), binning: String(binning), exposureSeconds: String(exposureSeconds) }
  const schema = new Schema(frameFields(width, height), new Map(Object.entries({ ...metadata, ...known })))
  return layoutAround(frameMetadata(Message.encode(Message.from(schema)), PAGE_BYTES), width, height)
}

/** The layout that follows from a schema message which is already there. */
export function layoutAround(schemaMessage: Uint8Array, width: number, height: number): FrameLayout {
  const frameBytes = width * height * PIXEL_BYTES
  const batchBytes = PAGE_BYTES + Math.ceil(frameBytes / PAGE_BYTES) * PAGE_BYTES
  return {
    width,
    height,
    schemaMessage,
    batchHead: batchHead(frameBytes, batchBytes),
    sequenceOffset: SEQUENCE_OFFSET,
    timeOffset: TIME_OFFSET,
    pixelOffset: PAGE_BYTES,
    batchBytes,
    endOfStream: END_OF_STREAM,
  }
}

/** `shape` is ours; the extension type lets other readers see images and not lists (arrow.apache.org, "Canonical Extension Types"). */
function frameFields(width: number, height: number): Field[] {
  const shape = [height, width]
  const image = new Map([
    ['shape', JSON.stringify(shape)],
    ['unit', '{count}'],
    ['ARROW:extension:name', 'arrow.fixed_shape_tensor'],
    ['ARROW:extension:metadata', JSON.stringify({ shape, dim_names: ['y', 'x'] })],
  ])
  return [
    new Field('sequence', new Uint64(), false),
    new Field('time', new TimestampNanosecond('UTC'), false),
    new Field('frame', new FixedSizeList(width * height, new Field('item', new Uint16(), false)), false, image),
  ]
}

/** One row: a node for each column and for the list's items; for each of these an absent validity buffer, then its data. Places count from the body. */
function batchHead(frameBytes: number, batchBytes: number): Uint8Array {
  const node = (length: number) => new FieldNode(length, 0)
  const data = (offset: number, length: number) => new BufferRegion(offset - HEAD_BYTES, length)
  const absent = new BufferRegion(0, 0)
  const batch = new RecordBatch(
    1,
    [node(1), node(1), node(1), node(frameBytes / PIXEL_BYTES)],
    [absent, data(SEQUENCE_OFFSET, SCALAR_BYTES), absent, data(TIME_OFFSET, SCALAR_BYTES), absent, absent, data(PAGE_BYTES, frameBytes)],
    null,
  )
  return frameMetadata(Message.encode(Message.from(batch, batchBytes - HEAD_BYTES)), HEAD_BYTES)
}

function isSide(pixels: number): boolean {
  return Number.isSafeInteger(pixels) && pixels > 0
}
