import type { Roi } from '../core/device.ts'
import { InvalidValue } from '../core/errors.ts'
import { END_OF_STREAM, frameMetadata } from './arrow-message.ts'
import { encodeSchema, schemaOf } from './arrow-schema.ts'
import { ColumnBuffer } from './column-buffer.ts'
import type { FrameFile } from './frame-file.ts'
import { imageField } from './frame-heads.ts'
import { binned, checkedRegion, type RegionFrames, readRegion } from './frame-region.ts'
import { cellsOf } from './frame-table.ts'
import { npyHeader, npyPart } from './npy.ts'
import { type CheckedFrames, checkedFrames, type FrameRange } from './roi-series.ts'
import { encodeImageBatch } from './table-batch.ts'

/** A block out of a recording: some of its frames, a region of each, binned. It streams through the memory of a few frames, however large it is. */

export type SliceRequest = FrameRange & { readonly roi?: Roi | undefined; readonly bin?: number | undefined }
export type FrameSlice = CheckedFrames & {
  readonly roi: Roi
  readonly bin: number
  /** [frames, height, width] of what comes out. */
  readonly shape: readonly [number, number, number]
  /** Of the pixels alone. */
  readonly bytes: number
}

const PIECE_BYTES = 1024 * 1024 // small frames are put together to pieces of this size; a larger frame is a piece of its own
const PIECE_FRAMES = 1_024 // and no more, because an Arrow batch has its columns too
const MAX_BIN = 64 // squares whose mean still is of one place
const PIXEL_BYTES = Uint16Array.BYTES_PER_ELEMENT

/** What the request means for this recording as it is now. Throws InvalidValue, with what is allowed. */
export async function sliceOf(file: FrameFile, request: SliceRequest): Promise<FrameSlice> {
  const frames = checkedFrames(request, await file.count())
  const roi = checkedRegion(request.roi, file.layout)
  const { bin = 1 } = request
  const largest = Math.min(MAX_BIN, roi.width, roi.height)
  if (!Number.isSafeInteger(bin) || bin < 1 || bin > largest)
    throw new InvalidValue(`bin: ${bin} is not a whole number from 1 to ${largest} for ${roi.width} x ${roi.height} pixels`, ['bin'])
  const shape = [frames.frames, Math.floor(roi.height / bin), Math.floor(roi.width / bin)] as const
  return { ...frames, roi, bin, shape, bytes: shape[0] * shape[1] * shape[2] * PIXEL_BYTES }
}

/** How long the .npy file of a slice is. */
export function npyBytes({ shape, bytes }: FrameSlice): number {
  return npyHeader(shape).byteLength + bytes
}

/** Bytes first up to and with last of the slice as a .npy file: header, then frame after frame. Throws HardwareFault at a whole frame that is damaged. */
export function readNpy(file: FrameFile, slice: FrameSlice, first: number, last: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const frameBytes = slice.shape[1] * slice.shape[2] * PIXEL_BYTES
  return npyPart(npyHeader(slice.shape), frameBytes, { first, last }, async function* (start, frames) {
    for await (const { pixels } of readPieces(file, { ...slice, from: slice.from + start * slice.step, frames }, signal))
      yield new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  })
}

/** The slice as an Arrow IPC stream: the columns of the recording, then `frame` as a tensor of fixed shape. */
export async function* readArrow(file: FrameFile, slice: FrameSlice, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const [, height, width] = slice.shape
  const schema = schemaOf(file.columns, { slice: JSON.stringify({ roi: slice.roi, bin: slice.bin, from: slice.from, step: slice.step }) })
  schema.fields.push(imageField(width, height))
  yield frameMetadata(encodeSchema(schema))
  for await (const { indices, pixels } of readPieces(file, slice, signal)) {
    const buffers = file.columns.map((column) => new ColumnBuffer(column))
    for (const cells of await cellsOf(file, indices)) for (const [at, buffer] of buffers.entries()) buffer.push(cells[at] ?? null)
    yield encodeImageBatch(buffers, pixels).bytes
  }
  yield END_OF_STREAM
}

type Piece = { readonly indices: readonly number[]; readonly pixels: Uint16Array }

async function* readPieces(file: FrameFile, { from, step, frames, roi, bin, shape }: FrameSlice, signal: AbortSignal | undefined): AsyncGenerator<Piece> {
  const most = Math.min(PIECE_FRAMES, Math.max(1, Math.floor(PIECE_BYTES / (roi.width * roi.height * PIXEL_BYTES))))
  for (let done = 0; done < frames; ) {
    signal?.throwIfAborted()
    const first = from + done * step
    const read = await readRegion(file, roi, first, step, Math.min(most, frames - done))
    yield { indices: Array.from({ length: read.frames }, (_, at) => first + at * step), pixels: binnedFrames(read, roi, bin, shape[1] * shape[2]) }
    done += read.frames
  }
}

/** `size`: pixels of a binned frame. */
function binnedFrames({ frames, pixels }: RegionFrames, roi: Roi, bin: number, size: number): Uint16Array {
  if (bin === 1) return pixels
  const before = roi.width * roi.height
  const means = new Uint16Array(frames * size)
  for (let frame = 0; frame < frames; frame += 1) means.set(binned(pixels.subarray(frame * before, (frame + 1) * before), roi, bin), frame * size)
  return means
}
