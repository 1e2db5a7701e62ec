import { Field, FixedSizeList, Float64, Int64, Schema, TimestampNanosecond, Uint16, Uint64 } from 'apache-arrow'
import { CompressionType } from 'apache-arrow/fb/compression-type'
import { BodyCompression, BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import type { FrameCompression, FrameLayout } from '../core/frame.ts'
import { batchLengthPlaces, END_OF_STREAM, frameMetadata, PREFIX_BYTES } from './arrow-message.ts'

/**
 * The bytes around the pixels of a recording. With one frame a batch and a fixed shape, every record batch has one of two heads (with or without a hardware
 * time); but for the pixels, only a few numbers in its body differ. A batch is laid out so that the pixels start on a page of the file and fill whole pages, for O_DIRECT and mmap:
 *
 *   0       head: prefix, metadata, zeros that the metadata's length counts
 *   2048    sequence, u64, and 64 bytes further each:
 *           time, i64 nanoseconds since 1970, host clock at the end of the exposure
 *           one byte of validity for the hardware time that is null: 0
 *           hardwareTime, i64 nanoseconds from a start of the camera's own
 *           exposure, i64 nanoseconds
 *           roiX, roiY, roiWidth, roiHeight: u16, pixels of the sensor
 *           minimum, maximum: u16; mean: f64; saturated: u64; roiMean1 ...: f64
 *   4096    pixels, row by row, zeros up to the next 4096
 *
 * In a compressed recording an i64 stands before each of these values, and before the pixels: their uncompressed length, or -1 where they stand as they are
 * (Message.fbs, BodyCompressionMethod). Version 2 had no statistics, no compression, and its values at 1024.
 */
const PAGE_BYTES = 4096 // the strictest block size that O_DIRECT asks for on common disks
const HEAD_BYTES: Readonly<Record<string, number>> = { 2: 1024, 3: 2048 } // the metadata needs about 500, and 1300 with all regions
const STEP = 64 // Arrow recommends that buffers start at multiples of 64
const SLOTS = { sequence: 0, time: 1, validity: 2, hardwareTime: 3, exposure: 4, roi: 5, minimum: 9, maximum: 10, mean: 11, saturated: 12, regions: 13 }
const ROI_SIDES = ['x', 'y', 'width', 'height'] as const // u16 each, as PVCAM has them
const SCALAR_BYTES = 8
const PIXEL_BYTES = 2
const LENGTH_BYTES = 8
const AS_IT_IS = -1n
const CODECS: Readonly<Record<FrameCompression, CompressionType | undefined>> = {
  NONE: undefined,
  LZ4: CompressionType.LZ4_FRAME,
  ZSTD: CompressionType.ZSTD,
}

/** The columns of the region on the sensor. */
export const ROI_COLUMNS = ['roiX', 'roiY', 'roiWidth', 'roiHeight'] as const

/** In the schema's metadata: which layout of batches the file has. */
export const LAYOUT_KEY = 'kymograph.frames'
const LAYOUT_VERSION = '3'

export function isKnownLayout(version: string | undefined): version is string {
  return version !== undefined && version in HEAD_BYTES
}

/** What is the same for all frames of a recording. Kept in the schema, so that a file explains itself. */
export type FrameSettings = {
  readonly roi: Roi
  readonly binning: number
  readonly exposureSeconds: number
  /** Whose means are columns: those that the ring measures; told in pixels of the sensor, as roi is. */
  readonly regions?: readonly Roi[]
  readonly compression?: FrameCompression
}

/** The layout of a recording with these settings. `metadata` (device, run ...) goes into the schema as it is. */
export function prepareFrameLayout(settings: FrameSettings, metadata: Readonly<Record<string, string>> = {}): FrameLayout {
  const { roi, binning, exposureSeconds, regions = [], compression = 'NONE' } = settings
  const width = roi.width / binning
  const height = roi.height / binning
  if (!isSide(width) || !isSide(height)) throw new InvalidValue(`a region of ${roi.width} x ${roi.height} cannot be binned by ${binning}`, ['roi'])
  const known = {
    [LAYOUT_KEY]: LAYOUT_VERSION,
    roi: JSON.stringify(roi),
    binning: String(binning),
    exposureSeconds: String(exposureSeconds),
    ...(regions.length > 0 && { regions: JSON.stringify(regions) }),
    ...(compression !== 'NONE' && { compression }),
  }
  const schema = new Schema(frameFields(width, height, regions.length), new Map(Object.entries({ ...metadata, ...known })))
  const schemaMessage = frameMetadata(Message.encode(Message.from(schema)), PAGE_BYTES)
  return layoutAround(schemaMessage, { width, height, version: LAYOUT_VERSION, settings })
}

/** The layout that follows from a schema message which is already there. */
export function layoutAround(
  schemaMessage: Uint8Array,
  frame: { readonly width: number; readonly height: number; readonly version: string; readonly settings: FrameSettings },
): FrameLayout {
  const { width, height, version, settings } = frame
  const { regions = [], compression = 'NONE' } = settings
  const frameBytes = width * height * PIXEL_BYTES
  const head: Head = { bytes: HEAD_BYTES[version] ?? 0, frameBytes, compression, statistics: version !== '2', regions: regions.length }
  const batchBytes = PAGE_BYTES + Math.ceil(frameBytes / PAGE_BYTES) * PAGE_BYTES
  const at = (slot: number): number => head.bytes + slot * STEP + (compression === 'NONE' ? 0 : LENGTH_BYTES)
  const batchHead = encodedHead(head, batchBytes, true)
  const places = batchLengthPlaces(batchHead.subarray(PREFIX_BYTES))
  return {
    width,
    height,
    schemaMessage,
    batchHead,
    batchHeadWithoutClock: encodedHead(head, batchBytes, false),
    constants: constantColumns(head, settings.roi),
    constantsOffset: head.bytes,
    sequenceOffset: at(SLOTS.sequence),
    timeOffset: at(SLOTS.time),
    hardwareTimeOffset: at(SLOTS.hardwareTime),
    exposureOffset: at(SLOTS.exposure),
    ...(head.statistics && {
      statistics: {
        minimumOffset: at(SLOTS.minimum),
        maximumOffset: at(SLOTS.maximum),
        meanOffset: at(SLOTS.mean),
        saturatedOffset: at(SLOTS.saturated),
        regionMeansOffset: at(SLOTS.regions),
        regionMeansStep: STEP,
        regions: regions.length,
      },
    }),
    pixelOffset: PAGE_BYTES,
    batchBytes,
    ...(compression !== 'NONE' && {
      compressed: { codec: compression, bodyLengthOffset: PREFIX_BYTES + places.bodyLengthAt, pixelLengthOffset: PREFIX_BYTES + places.lastBufferLengthAt },
    }),
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

function frameFields(width: number, height: number, regions: number): Field[] {
  const count = new Map([['unit', '{count}']])
  return [
    new Field('sequence', new Uint64(), false),
    new Field('time', new TimestampNanosecond('UTC'), false),
    new Field('hardwareTime', new Int64(), true, new Map([['unit', 'ns']])),
    new Field('exposure', new Int64(), false, new Map([['unit', 'ns']])),
    ...ROI_COLUMNS.map((name) => new Field(name, new Uint16(), false, new Map([['unit', '{pixel}']]))),
    new Field('minimum', new Uint16(), false, count),
    new Field('maximum', new Uint16(), false, count),
    new Field('mean', new Float64(), false, count),
    new Field('saturated', new Uint64(), false, new Map([['unit', '{pixel}']])),
    ...regionMeanColumns(regions).map((name) => new Field(name, new Float64(), false, count)),
    imageField(width, height),
  ]
}

/** The columns of the means of a ring's regions. */
export function regionMeanColumns(regions: number): readonly string[] {
  return Array.from({ length: regions }, (_, region) => `roiMean${region + 1}`)
}

type Head = {
  readonly bytes: number
  readonly frameBytes: number
  readonly compression: FrameCompression
  readonly statistics: boolean
  readonly regions: number
}

/** One row: a node for each column and for the list's items; for each of these an absent validity buffer, then its data. Places count from the body. */
function encodedHead(head: Head, batchBytes: number, hasClock: boolean): Uint8Array {
  const codec = CODECS[head.compression]
  const extra = codec === undefined ? 0 : LENGTH_BYTES
  const node = (length: number) => new FieldNode(length, 0)
  const data = (slot: number, length: number) => new BufferRegion(slot * STEP, length + extra)
  const absent = new BufferRegion(0, 0)
  const column = (slot: number, length: number) => [absent, data(slot, length)]
  const statistics = head.statistics
    ? [
        ...column(SLOTS.minimum, PIXEL_BYTES),
        ...column(SLOTS.maximum, PIXEL_BYTES),
        ...column(SLOTS.mean, SCALAR_BYTES),
        ...column(SLOTS.saturated, SCALAR_BYTES),
        ...Array.from({ length: head.regions }, (_, region) => column(SLOTS.regions + region, SCALAR_BYTES)).flat(),
      ]
    : []
  const batch = new RecordBatch(
    1,
    [
      ...[node(1), node(1), new FieldNode(1, hasClock ? 0 : 1), node(1)],
      ...ROI_COLUMNS.map(() => node(1)),
      ...Array.from({ length: statistics.length / 2 }, () => node(1)),
      ...[node(1), node(head.frameBytes / PIXEL_BYTES)],
    ],
    [
      ...column(SLOTS.sequence, SCALAR_BYTES),
      ...column(SLOTS.time, SCALAR_BYTES),
      ...[hasClock ? absent : data(SLOTS.validity, 1), data(SLOTS.hardwareTime, SCALAR_BYTES)],
      ...column(SLOTS.exposure, SCALAR_BYTES),
      ...ROI_COLUMNS.flatMap((_, at) => column(SLOTS.roi + at, PIXEL_BYTES)),
      ...statistics,
      ...[absent, absent, new BufferRegion(PAGE_BYTES - head.bytes, head.frameBytes + extra)],
    ],
    codec === undefined ? null : new BodyCompression(codec),
  )
  return frameMetadata(Message.encode(Message.from(batch, batchBytes - head.bytes)), head.bytes)
}

/** What stands in the columns of every batch: the region on the sensor, and before each value of a compressed batch that it stands as it is. */
function constantColumns(head: Head, roi: Roi): Uint8Array {
  const slots = head.statistics ? SLOTS.regions + head.regions : SLOTS.minimum
  const bytes = new Uint8Array(slots * STEP)
  const view = new DataView(bytes.buffer)
  const isCompressed = head.compression !== 'NONE'
  if (isCompressed) for (let slot = 0; slot < slots; slot += 1) view.setBigInt64(slot * STEP, AS_IT_IS, true)
  for (const [at, side] of ROI_SIDES.entries()) view.setUint16((SLOTS.roi + at) * STEP + (isCompressed ? LENGTH_BYTES : 0), roi[side], true)
  return bytes
}

function isSide(pixels: number): boolean {
  return Number.isSafeInteger(pixels) && pixels > 0
}
