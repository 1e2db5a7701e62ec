import { open } from 'node:fs/promises'
import type { DatasetColumn } from '../core/dataset.ts'
import { HardwareFault, NotFound } from '../core/errors.ts'
import type { FrameLayout } from '../core/frame.ts'
import type { RowCell } from '../core/row.ts'
import { crc32c } from '../native/files.ts'
import type { BatchEntry } from './batch-index.ts'
import { type FrameLabel, labelIn, pixelsIn, type RecordedFrame } from './frame-batch.ts'
import { type CellPlace, cellsIn } from './frame-cells.ts'
import type { FrameSettings } from './frame-heads.ts'
import { batchStart } from './frame-index.ts'
import { type FrameSchema, readFrameSchema } from './frame-schema.ts'
import { FrameSegment } from './frame-segment.ts'
import { bytesOf, segmentPath } from './frame-segments.ts'

/** Frames whose pixels stand in a file as they are, row by row: those of the first at `offset`, of each next one `step` bytes further. */
export type PixelRun = { readonly path: string; readonly offset: number; readonly step: number; readonly frames: number }

/** What is used again for each of many frames. */
type Buffers = { batch: Uint8Array<ArrayBuffer>; readonly pixels: Uint16Array<ArrayBuffer> }

/** A recording of frames, over all its segments: being written, whole, or cut. Only whole batches are seen. */
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
  /** What the index has to say of it; undefined where nobody has kept that. */
  recorded(index: number): Promise<BatchEntry | undefined>
  /** Frames `from` (0) up to, not including, `to` (count()). The pixels are good until the next step: one buffer serves them all. */
  frames(range?: { readonly from?: number; readonly to?: number }, signal?: AbortSignal): AsyncGenerator<RecordedFrame>
}

export async function openFrameFile(path: string): Promise<FrameFile> {
  const file = await open(path, 'r')
  try {
    return new OpenedFrameFile(path, await readFrameSchema(file, path))
  } finally {
    await file.close()
  }
}

const MAX_OPEN_SEGMENTS = 4 // a reader goes through them in order, or jumps; a recording of a day has hundreds

type Opened = { readonly segment: Promise<FrameSegment>; users: number }

class OpenedFrameFile implements FrameFile {
  readonly layout: FrameLayout
  readonly settings: FrameSettings
  readonly metadata: ReadonlyMap<string, string>
  readonly columns: readonly DatasetColumn[]
  readonly #places: readonly CellPlace[]
  readonly #path: string
  /** Of each segment that is known: the number of its first frame. Only the last one can still grow. */
  readonly #starts = [0]
  /** The longest unused first. */
  readonly #opened = new Map<number, Opened>()

  constructor(path: string, schema: FrameSchema) {
    this.#path = path
    this.layout = schema.layout
    this.settings = schema.settings
    this.metadata = schema.metadata
    this.#places = schema.places
    this.columns = schema.places.map(({ column }) => column)
  }

  async count(): Promise<number> {
    for (;;) {
      const last = this.#starts.length - 1
      const count = (this.#starts[last] ?? 0) + (await this.#with(last, (segment) => segment.count()))
      if (!(await this.#knowNext(count))) return count
    }
  }

  async label(index: number): Promise<FrameLabel> {
    return labelIn(this.layout, index, await this.#head(index))
  }

  async cells(index: number): Promise<readonly RowCell[]> {
    const { batchHead, compressed } = this.layout
    return cellsIn(await this.#head(index), batchHead.byteLength, this.#places, compressed !== undefined)
  }

  async frame(index: number): Promise<RecordedFrame> {
    return this.#frameIn(index, await this.#batch(index, 'pixels'))
  }

  async checkedFrame(index: number): Promise<RecordedFrame> {
    const batch = await this.#batch(index, 'all')
    const recorded = await this.recorded(index)
    if (recorded === undefined) throw new NotFound(`checksum of frame ${index} of ${this.#path}`)
    if (recorded.crc32c !== crc32c(batch)) throw new HardwareFault(`frame ${index} of ${this.#path} is damaged: it is not what was recorded`, 'NONE')
    return this.#frameIn(index, batch)
  }

  async pixelRun(index: number): Promise<PixelRun | undefined> {
    const { pixelOffset, batchBytes, compressed } = this.layout
    if (compressed !== undefined) return undefined
    return this.#at(index, async (segment, local) => {
      const frames = (await segment.count()) - local
      return frames > 0 ? { path: segment.path, offset: batchStart(this.layout, local) + pixelOffset, step: batchBytes, frames } : undefined
    })
  }

  async entry(index: number): Promise<BatchEntry> {
    const batch = await this.#batch(index, 'all')
    const { sequence, time } = labelIn(this.layout, index, batch)
    const place = await this.#at(index, (segment, local) => segment.place(local))
    if (place === undefined) throw this.#missing(index)
    return { offset: place.offset, bytes: batch.byteLength, sequence, time, crc32c: crc32c(batch) }
  }

  recorded(index: number): Promise<BatchEntry | undefined> {
    return this.#at(index, (segment, local) => segment.recorded(local))
  }

  async *frames(range: { readonly from?: number; readonly to?: number } = {}, signal?: AbortSignal): AsyncGenerator<RecordedFrame> {
    const end = Math.min(range.to ?? Number.POSITIVE_INFINITY, await this.count())
    const { width, height } = this.layout
    const pixels = new Uint16Array(width * height)
    const buffer: Buffers = { batch: new Uint8Array(0), pixels }
    for (let index = range.from ?? 0; index < end; index += 1) {
      signal?.throwIfAborted()
      yield await this.#frameIn(index, await this.#batch(index, 'pixels', buffer), buffer)
    }
  }

  #missing(index: number): NotFound {
    return new NotFound(`frame ${index} in ${this.#path}`)
  }

  /** Everything of a batch before its pixels. */
  async #head(index: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#read(index, () => new Uint8Array(this.layout.pixelOffset))
  }

  /** With its pixels, or with the padding behind them. */
  #batch(index: number, upTo: 'pixels' | 'all', reused?: Buffers): Promise<Uint8Array<ArrayBuffer>> {
    const { pixelOffset, width, height, compressed } = this.layout
    return this.#read(index, (bytes) => {
      const wanted = upTo === 'all' || compressed !== undefined ? bytes : pixelOffset + width * height * Uint16Array.BYTES_PER_ELEMENT
      if (reused === undefined) return new Uint8Array(wanted)
      if (reused.batch.byteLength < wanted) reused.batch = new Uint8Array(wanted)
      return reused.batch.subarray(0, wanted)
    })
  }

  #read(index: number, bufferFor: (batchBytes: number) => Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return this.#at(index, async (segment, local) => {
      const place = await segment.place(local)
      const batch = place && (await segment.read(place, bufferFor(place.bytes)))
      if (batch === undefined) throw this.#missing(index)
      return batch
    })
  }

  async #frameIn(index: number, batch: Uint8Array<ArrayBuffer>, reused?: Buffers): Promise<RecordedFrame> {
    return { ...labelIn(this.layout, index, batch), pixels: await pixelsIn(this.layout, batch, reused?.pixels) }
  }

  /** In the segment that has this frame; where none has, in the last one. */
  async #at<Result>(index: number, act: (segment: FrameSegment, local: number) => Promise<Result>): Promise<Result> {
    if (!Number.isSafeInteger(index) || index < 0) throw this.#missing(index)
    if (this.#numberOf(index) === this.#starts.length - 1) await this.#knowUpTo(index)
    const number = this.#numberOf(index)
    return this.#with(number, (segment) => act(segment, index - (this.#starts[number] ?? 0)))
  }

  #numberOf(index: number): number {
    return this.#starts.findLastIndex((start) => start <= index)
  }

  async #knowUpTo(index: number): Promise<void> {
    for (;;) {
      const last = this.#starts.length - 1
      const start = this.#starts[last] ?? 0
      if (index < start) return
      if ((await this.#with(last, (segment) => segment.place(index - start))) !== undefined) return
      if (!(await this.#knowNext(start + (await this.#with(last, (segment) => segment.count()))))) return
    }
  }

  /** Once a segment has been begun the one before is complete. `count`: frames of those that are known. */
  async #knowNext(count: number): Promise<boolean> {
    const last = this.#starts.length - 1
    const bytes = await bytesOf(segmentPath(this.#path, last + 1))
    if (bytes === undefined || bytes < this.layout.schemaMessage.byteLength) return false
    const complete = (this.#starts[last] ?? 0) + (await this.#with(last, (segment) => segment.count()))
    if (this.#starts.length === last + 1) this.#starts.push(Math.max(count, complete))
    return true
  }

  async #with<Result>(number: number, act: (segment: FrameSegment) => Promise<Result>): Promise<Result> {
    const opened = this.#opened.get(number) ?? { segment: FrameSegment.open(segmentPath(this.#path, number), this.layout), users: 0 }
    this.#opened.delete(number)
    this.#opened.set(number, opened)
    opened.users += 1
    try {
      return await act(await opened.segment)
    } finally {
      opened.users -= 1
      if (this.#opened.size > MAX_OPEN_SEGMENTS) await this.#closeUnused()
    }
  }

  async #closeUnused(): Promise<void> {
    for (const [number, { segment, users }] of this.#opened) {
      if (this.#opened.size <= MAX_OPEN_SEGMENTS) return
      if (users > 0) continue
      this.#opened.delete(number)
      await (await segment)[Symbol.asyncDispose]()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.allSettled([...this.#opened.values()].map(({ segment }) => segment))
    this.#opened.clear()
    for (const each of opened) if (each.status === 'fulfilled') await each.value[Symbol.asyncDispose]()
  }
}
