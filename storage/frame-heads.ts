import { Field, FixedSizeList, Int64, Schema, TimestampNanosecond, Uint16, Uint64 } from 'apache-arrow'
import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import type { FrameLayout } from '../core/frame.ts'
import { END_OF_STREAM, frameMetadata } from './arrow-message.ts'

/**
 * The bytes around the pixels of a recording. With one frame a batch and a fixed shape, every record batch has one of two heads (with or without a hardware
 * time); but for the pixels, only four numbers in its body differ. A batch is laid out so that the pixels start on a page of the file and fill whole pages, for O_DIRECT and mmap:
 *
 *   0       head: prefix, metadata, zeros that the metadata's length counts
 *   1024    sequence, u64
 *   1088    time, i64 nanoseconds since 1970, host clock at the end of the exposure
 *   1152    one byte of validity for the hardware time that is null: 0
 *   1216    hardwareTime, i64 nanoseconds from a start of the camera's own
 *   1280    exposure, i64 nanoseconds
 *   1344    roiX, and 64 bytes further each roiY, roiWidth, roiHeight: u16, pixels of the sensor
 *   4096    pixels, row by row, zeros up to the next 4096
 */
const PAGE_BYTES = 4096 // the strictest block size that O_DIRECT asks for on common disks
const HEAD_BYTES = 1024 // the metadata needs about 500
const SEQUENCE_OFFSET = HEAD_BYTES
const TIME_OFFSET = SEQUENCE_OFFSET + 64 // Arrow recommends that buffers start at multiples of 64
const VALIDITY_OFFSET = TIME_OFFSET + 64
const HARDWARE_TIME_OFFSET = VALIDITY_OFFSET + 64
const EXPOSURE_OFFSET = HARDWARE_TIME_OFFSET + 64
const ROI_OFFSET = EXPOSURE_OFFSET + 64
const ROI_STEP = 64
const ROI_SIDES = ['x', 'y', 'width', 'height'] as const // u16 each, as PVCAM has them
const SCALAR_BYTES = 8
const PIXEL_BYTES = 2

/** The columns of the region on the sensor. */
export const ROI_COLUMNS = ['roiX', 'roiY', 'roiWidth', 'roiHeight'] as const

/** In the schema's metadata: which layout of batches the file has. */
export const LAYOUT_KEY = 'kymograph.frames'
export const LAYOUT_VERSION = '2'

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
  return layoutAround(frameMetadata(Message.encode(Message.from(schema)), PAGE_BYTES), width, height, roi)
}

/** The layout that follows from a schema message which is already there. */
export function layoutAround(schemaMessage: Uint8Array, width: number, height: number, roi: Roi): FrameLayout {
  const frameBytes = width * height * PIXEL_BYTES
  const batchBytes = PAGE_BYTES + Math.ceil(frameBytes / PAGE_BYTES) * PAGE_BYTES
  return {
    width,
    height,
    schemaMessage,
    batchHead: batchHead(frameBytes, batchBytes, true),
    batchHeadWithoutClock: batchHead(frameBytes, batchBytes, false),
    constants: roiColumns(roi),
    constantsOffset: ROI_OFFSET,
    sequenceOffset: SEQUENCE_OFFSET,
    timeOffset: TIME_OFFSET,
    hardwareTimeOffset: HARDWARE_TIME_OFFSET,
    exposureOffset: EXPOSURE_OFFSET,
    pixelOffset: PAGE_BYTES,
    batchBytes,
    endOfStream: END_OF_STREAM,
  }
}

/** The pixels. `shape` is ours; the extension type lets other readers see images and not lists (arrow.apache.org, "Canonical Extension Types"). */
export function imageField(width: number, height: number): Field {
  const shape = [height, width]
  const metadata = new Map([
    ['shape', JSON.stringify(shape)],
    ['unit', '{count}'],
    ['ARROW:extension:name', 'arrow.fixed_shape_tensor'],
    ['ARROW:extension:metadata', JSON.stringify({ shape, dim_names: ['y', 'x'] })],
  ])
  return new Field('frame', new FixedSizeList(width * height, new Field('item', new Uint16(), false)), false, metadata)
}

function frameFields(width: number, height: number): Field[] {
  return [
    new Field('sequence', new Uint64(), false),
    new Field('time', new TimestampNanosecond('UTC'), false),
    new Field('hardwareTime', new Int64(), true, new Map([['unit', 'ns']])),
    new Field('exposure', new Int64(), false, new Map([['unit', 'ns']])),
    ...ROI_COLUMNS.map((name) => new Field(name, new Uint16(), false, new Map([['unit', '{pixel}']]))),
    imageField(width, height),
  ]
}

/** One row: a node for each column and for the list's items; for each of these an absent validity buffer, then its data. Places count from the body. */
function batchHead(frameBytes: number, batchBytes: number, hasClock: boolean): Uint8Array {
  const node = (length: number) => new FieldNode(length, 0)
  const data = (offset: number, length: number) => new BufferRegion(offset - HEAD_BYTES, length)
  const absent = new BufferRegion(0, 0)
  const batch = new RecordBatch(
    1,
    [node(1), node(1), new FieldNode(1, hasClock ? 0 : 1), node(1), ...ROI_COLUMNS.map(() => node(1)), node(1), node(frameBytes / PIXEL_BYTES)],
    [
      ...[absent, data(SEQUENCE_OFFSET, SCALAR_BYTES)],
      ...[absent, data(TIME_OFFSET, SCALAR_BYTES)],
      ...[hasClock ? absent : data(VALIDITY_OFFSET, 1), data(HARDWARE_TIME_OFFSET, SCALAR_BYTES)],
      ...[absent, data(EXPOSURE_OFFSET, SCALAR_BYTES)],
      ...ROI_COLUMNS.flatMap((_, at) => [absent, data(ROI_OFFSET + at * ROI_STEP, PIXEL_BYTES)]),
      ...[absent, absent, data(PAGE_BYTES, frameBytes)],
    ],
    null,
  )
  return frameMetadata(Message.encode(Message.from(batch, batchBytes - HEAD_BYTES)), HEAD_BYTES)
}

function roiColumns(roi: Roi): Uint8Array {
  const bytes = new Uint8Array(ROI_SIDES.length * ROI_STEP)
  const view = new DataView(bytes.buffer)
  for (const [at, side] of ROI_SIDES.entries()) view.setUint16(at * ROI_STEP, roi[side], true)
  return bytes
}

function isSide(pixels: number): boolean {
  return Number.isSafeInteger(pixels) && pixels > 0
}
