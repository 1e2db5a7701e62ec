import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import type { ScanLayout } from '../core/acquisition.ts'
import type { DatasetColumn } from '../core/dataset.ts'
import { END_OF_STREAM, frameMetadata, rowCountPlaces } from './arrow-message.ts'
import { encodeSchema, schemaOf } from './arrow-schema.ts'

/**
 * The bytes around the samples of a device that samples by its own clock. The file is a table like every other: one row for each scan, with when it was taken, its
 * number, and a column for each input. Its batches are written by the writer of frames: where a frame has its pixels, a batch has its columns, so that they
 * start on a page of the file and fill whole pages.
 *
 *   0              head: prefix, metadata, zeros that the metadata's length counts
 *   a page less 64 four numbers of the writer's own, in no column
 *   columns        time, i64 nanoseconds since 1970; number, i64 from 1 on; one f64 for each input; each from a multiple of 64 on
 */
const PAGE_BYTES = 4096 // the strictest block size that O_DIRECT asks for on common disks
const ALIGNMENT = 64 // of each buffer, as the Arrow format recommends
const SCRATCH_BYTES = 64
const CELL_BYTES = 8
const SCALAR_BYTES = 8
const ROW_BYTES = PAGE_BYTES / 2 // a slot of a ring is told in pixels of two bytes

/** In the schema's metadata: what the recording's clock and inputs were, as JSON. */
export const ACQUISITION_KEY = 'kymograph.acquisition'

/** `inputs`: the columns of the inputs, in the order of a scan. The table has time and seq_num before them. */
export function prepareScanLayout(inputs: readonly DatasetColumn[], rowsPerBatch: number, metadata: Readonly<Record<string, string>> = {}): ScanLayout {
  const columns: readonly DatasetColumn[] = [...SCAN_COLUMNS, ...inputs]
  const columnBytes = roundUp(rowsPerBatch * CELL_BYTES, ALIGNMENT)
  const columnsBytes = roundUp(columns.length * columnBytes, PAGE_BYTES)
  const bare = encodeBatchHead(columns.length, rowsPerBatch, columnBytes, 0, columnsBytes)
  const headBytes = roundUp(bare.byteLength + ALIGNMENT, ALIGNMENT) // its numbers are of fixed width: it is as long whatever they are
  const columnsOffset = roundUp(headBytes + SCRATCH_BYTES, PAGE_BYTES)
  const scratch = columnsOffset - SCRATCH_BYTES
  const batchHead = frameMetadata(
    encodeBatchHead(columns.length, rowsPerBatch, columnBytes, columnsOffset - headBytes, columnsOffset - headBytes + columnsBytes),
    headBytes,
  )
  return {
    width: ROW_BYTES,
    height: columnsBytes / PAGE_BYTES,
    schemaMessage: frameMetadata(encodeSchema(schemaOf(columns, metadata)), PAGE_BYTES),
    batchHead,
    batchHeadWithoutClock: batchHead,
    constants: new Uint8Array(0),
    constantsOffset: 0,
    sequenceOffset: scratch,
    timeOffset: scratch + SCALAR_BYTES,
    hardwareTimeOffset: scratch + 2 * SCALAR_BYTES,
    exposureOffset: scratch + 3 * SCALAR_BYTES,
    pixelOffset: columnsOffset,
    batchBytes: columnsOffset + columnsBytes,
    endOfStream: END_OF_STREAM,
    rowsPerBatch,
    rowCountOffsets: rowCountPlaces(batchHead),
    columnsOffset,
    columnsBytes,
    timeColumnOffset: 0,
    numberColumnOffset: columnBytes,
    valueColumnOffsets: inputs.map((_, at) => (SCAN_COLUMNS.length + at) * columnBytes),
  }
}

/** Named as in the tables of scans. */
export const SCAN_COLUMNS: readonly DatasetColumn[] = [
  { name: 'time', type: 'timestamp[ns]' },
  { name: 'seq_num', type: 'int64' },
]

/** For each column a node; an absent validity buffer, then its data. Places count from the body, whose columns begin at `first`. */
function encodeBatchHead(columns: number, rows: number, columnBytes: number, first: number, bodyBytes: number): Uint8Array {
  const each = Array.from({ length: columns }, (_, at) => at)
  const batch = new RecordBatch(
    rows,
    each.map(() => new FieldNode(rows, 0)),
    each.flatMap((at) => [new BufferRegion(0, 0), new BufferRegion(first + at * columnBytes, rows * CELL_BYTES)]),
    null,
  )
  return Message.encode(Message.from(batch, bodyBytes))
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
