import { type FileHandle, open } from 'node:fs/promises'
import { Schema } from 'apache-arrow'
import { Message } from 'apache-arrow/ipc/metadata/message'
import type { DatasetColumn } from '../core/dataset.ts'
import type { Roi } from '../core/device.ts'
import { HardwareFault, NotFound } from '../core/errors.ts'
import type { FrameLayout } from '../core/frame.ts'
import type { RowCell } from '../core/row.ts'
import type { WallNs } from '../core/time.ts'
import { crc32c } from '../native/files.ts'
import { ByteSource, PREFIX_BYTES, readExactly, readMessageAt } from './arrow-message.ts'
import { decodeSchema } from './arrow-schema.ts'
import { type BatchEntry, readBatchEntry } from './batch-index.ts'
import { type CellPlace, cellPlaces, cellsIn } from './frame-cells.ts'
import { type FrameSettings, LAYOUT_KEY, LAYOUT_VERSION, layoutAround } from './frame-heads.ts'
import { batchStart, hasHardwareTime, isBatchHead, wholeBatches } from './frame-index.ts'

export type FrameLabel = {
  readonly index: number
  /** The camera's own count; a gap is a frame that is missing here. */
  readonly sequence: number
  /** Host clock at the end of the exposure. */
  readonly time: WallNs
  /** The camera's clock then, from a start of its own; absent where it has none. */
  readonly hardwareTimeNs?: bigint
  readonly exposureNs: bigint
}
export type RecordedFrame = FrameLabel & { readonly pixels: Uint16Array }
export type FrameStatistics = { readonly minimum: number; readonly maximum: number; readonly mean: number; readonly standardDeviation: number }
/** Frames whose pixels stand in a file as they are, row by row: those of the first at `offset`, of each next one `step` bytes further. */
export type PixelRun = { readonly path: string; readonly offset: number; readonly step: number; readonly frames: number }

/** A recording of frames: being written, whole, or cut. Only whole batches are seen. */
export interface FrameFile extends AsyncDisposable {
  readonly layout: FrameLayout
  readonly settings: FrameSettings
  /** Everything that the schema says beside the columns. */
  readonly metadata: ReadonlyMap<string, string>
  /** Whole frames now; it grows while the file is being recorded. */
  count(): Promise<number>
  label(index: number): Promise<FrameLabel>
  /** One read. The pixels are the caller's. Throws NotFound beyond the last whole frame. */
  frame(index: number): Promise<RecordedFrame>
  /** The same, checked: throws HardwareFault when the batch is not what was recorded, NotFound when nobody has kept its checksum. */
  checkedFrame(index: number): Promise<RecordedFrame>
  /** The columns beside the pixels that have one value a frame. */
  readonly columns: readonly DatasetColumn[]
  /** Those values, in that order. Throws NotFound beyond the last whole frame. */
  cells(index: number): Promise<readonly RowCell[]>
  /** Whole frames from `index` on of which single rows can be read; undefined where they cannot (beyond the last one, or compressed): read frame(). */
  pixelRun(index: number): Promise<PixelRun | undefined>
  /** What the index has to say of this frame, made from the bytes that are here now. */
  entry(index: number): Promise<BatchEntry>
  /** Frames `from` (0) up to, not including, `to` (count()). The pixels are good until the next step: one buffer serves them all. */
  frames(range?: { readonly from?: number; readonly to?: number }, signal?: AbortSignal): AsyncGenerator<RecordedFrame>
}

export async function openFrameFile(path: string): Promise<FrameFile> {
  const file = await open(path, 'r')
  try {
    return new OpenedFrameFile(file, path, await readSchema(file, path))
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Over all pixels, in two passes so that the deviation of a bright, flat image keeps its digits. */
export function frameStatistics(pixels: Uint16Array): FrameStatistics {
  let minimum = 0xffff
  let maximum = 0
  let sum = 0
  for (const pixel of pixels) {
    if (pixel < minimum) minimum = pixel
    if (pixel > maximum) maximum = pixel
    sum += pixel
  }
  const mean = sum / pixels.length
  let squares = 0
  for (const pixel of pixels) squares += (pixel - mean) ** 2
  return { minimum, maximum, mean, standardDeviation: Math.sqrt(squares / pixels.length) }
}

type FileSchema = {
  readonly layout: FrameLayout
  readonly settings: FrameSettings
  readonly metadata: ReadonlyMap<string, string>
  readonly places: readonly CellPlace[]
}

async function readSchema(file: FileHandle, path: string): Promise<FileSchema> {
  const { size } = await file.stat()
  const first = await readMessageAt(new ByteSource(file, size), 0)
  if (first.at !== 'message' || first.head.kind !== 'schema') throw new Error(`${path} does not begin with a whole Arrow schema`)
  const schema: unknown = Message.decode(first.head.metadata.slice()).header()
  if (!(schema instanceof Schema) || schema.metadata.get(LAYOUT_KEY) !== LAYOUT_VERSION)
    throw new Error(`${path} is not a recording of frames (version ${LAYOUT_VERSION})`)
  const shape = JSON.parse(schema.fields.at(-1)?.metadata.get('shape') ?? '[]') as readonly number[]
  const [height, width] = shape
  if (height === undefined || width === undefined) throw new Error(`${path}: its schema does not tell the shape of a frame`)
  const schemaMessage = await readExactly(file, 0, PREFIX_BYTES + first.head.metadata.byteLength)
  const settings = settingsOf(schema.metadata)
  const places = cellPlaces(decodeSchema(first.head.metadata).columns)
  return { layout: layoutAround(schemaMessage, width, height, settings.roi), settings, metadata: schema.metadata, places }
}

function settingsOf(metadata: ReadonlyMap<string, string>): FrameSettings {
  return {
    roi: JSON.parse(metadata.get('roi') ?? '{}') as Roi,
    binning: Number(metadata.get('binning')),
    exposureSeconds: Number(metadata.get('exposureSeconds')),
  }
}

/** Back from the end: a power cut can leave space behind that was allocated and never written. */
async function lastWholeBatch(file: FileHandle, layout: FrameLayout, fileBytes: number): Promise<number> {
  let frames = wholeBatches(layout, fileBytes)
  while (frames > 0 && !isBatchHead(layout, await readExactly(file, batchStart(layout, frames - 1), layout.batchHead.byteLength))) frames -= 1
  return frames
}

class OpenedFrameFile implements FrameFile {
  readonly layout: FrameLayout
  readonly settings: FrameSettings
  readonly metadata: ReadonlyMap<string, string>
  readonly columns: readonly DatasetColumn[]
  readonly #places: readonly CellPlace[]
  readonly #file: FileHandle
  readonly #path: string

  constructor(file: FileHandle, path: string, schema: FileSchema) {
    this.#file = file
    this.#path = path
    this.layout = schema.layout
    this.settings = schema.settings
    this.metadata = schema.metadata
    this.#places = schema.places
    this.columns = schema.places.map(({ column }) => column)
  }

  async count(): Promise<number> {
    return lastWholeBatch(this.#file, this.layout, (await this.#file.stat()).size)
  }

  async label(index: number): Promise<FrameLabel> {
    return this.#labelOf(index, await this.#read(index, new Uint8Array(this.layout.pixelOffset)))
  }

  async frame(index: number): Promise<RecordedFrame> {
    return this.#frameIn(index, await this.#read(index, this.#batchBuffer()))
  }

  async checkedFrame(index: number): Promise<RecordedFrame> {
    const batch = await this.#read(index, new Uint8Array(this.layout.batchBytes))
    const recorded = await readBatchEntry(this.#path, index)
    if (recorded === undefined) throw new NotFound(`checksum of frame ${index} of ${this.#path}`)
    if (recorded.crc32c !== crc32c(batch)) throw new HardwareFault(`frame ${index} of ${this.#path} is damaged: it is not what was recorded`, 'NONE')
    return this.#frameIn(index, batch)
  }

  async cells(index: number): Promise<readonly RowCell[]> {
    const batch = await this.#read(index, new Uint8Array(this.layout.pixelOffset))
    return cellsIn(batch, this.layout.batchHead.byteLength, this.#places)
  }

  async pixelRun(index: number): Promise<PixelRun | undefined> {
    const frames = (await this.count()) - index
    const { pixelOffset, batchBytes } = this.layout
    return frames > 0 ? { path: this.#path, offset: batchStart(this.layout, index) + pixelOffset, step: batchBytes, frames } : undefined
  }

  async entry(index: number): Promise<BatchEntry> {
    const batch = await this.#read(index, new Uint8Array(this.layout.batchBytes))
    const { sequence, time } = this.#labelOf(index, batch)
    return { offset: batchStart(this.layout, index), bytes: batch.byteLength, sequence, time, crc32c: crc32c(batch) }
  }

  async *frames(range: { readonly from?: number; readonly to?: number } = {}, signal?: AbortSignal): AsyncGenerator<RecordedFrame> {
    const end = Math.min(range.to ?? Number.POSITIVE_INFINITY, await this.count())
    const buffer = this.#batchBuffer()
    for (let index = range.from ?? 0; index < end; index += 1) {
      signal?.throwIfAborted()
      yield this.#frameIn(index, await this.#read(index, buffer))
    }
  }

  /** The padding behind the pixels is not read. */
  #batchBuffer(): Uint8Array<ArrayBuffer> {
    const { pixelOffset, width, height } = this.layout
    return new Uint8Array(pixelOffset + width * height * Uint16Array.BYTES_PER_ELEMENT)
  }

  async #read(index: number, buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const missing = new NotFound(`frame ${index} in ${this.#path}`)
    if (!Number.isSafeInteger(index) || index < 0) throw missing
    const start = batchStart(this.layout, index)
    if (start + this.layout.batchBytes > (await this.#file.stat()).size) throw missing
    let filled = 0
    while (filled < buffer.byteLength) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.byteLength - filled, start + filled)
      if (bytesRead === 0) throw missing
      filled += bytesRead
    }
    if (!isBatchHead(this.layout, buffer)) throw missing
    return buffer
  }

  #labelOf(index: number, batch: Uint8Array<ArrayBuffer>): FrameLabel {
    const view = new DataView(batch.buffer)
    const { sequenceOffset, timeOffset, hardwareTimeOffset, exposureOffset } = this.layout
    return {
      index,
      sequence: Number(view.getBigUint64(sequenceOffset, true)),
      time: view.getBigInt64(timeOffset, true),
      ...(hasHardwareTime(this.layout, batch) && { hardwareTimeNs: view.getBigInt64(hardwareTimeOffset, true) }),
      exposureNs: view.getBigInt64(exposureOffset, true),
    }
  }

  #frameIn(index: number, batch: Uint8Array<ArrayBuffer>): RecordedFrame {
    const { pixelOffset, width, height } = this.layout
    return { ...this.#labelOf(index, batch), pixels: new Uint16Array(batch.buffer, pixelOffset, width * height) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}
