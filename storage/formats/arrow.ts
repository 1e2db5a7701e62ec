import { open } from 'node:fs/promises'
import { InvalidValue, NotFound } from '../../core/errors.ts'
import { END_OF_STREAM, frameMetadata, headerTableAt } from '../arrow-message.ts'
import { encodeSchema, schemaOf } from '../arrow-schema.ts'
import { ColumnBuffer } from '../column-buffer.ts'
import type { ExportSink } from '../file-sink.ts'
import { segmentsOf } from '../frame-segments.ts'
import { indexStream } from '../stream-index.ts'
import { encodeBatch } from '../table-batch.ts'
import { columnNamed, openTable } from '../table-file.ts'
import { Blocks, encodeFooter } from './arrow-footer.ts'
import type { ExportFormat, ExportOptions, ExportSource } from './format.ts'

const MAGIC = new TextEncoder().encode('ARROW1')
const ALIGNMENT = 64 // of each message, as the format recommends
const BATCH_ROWS = 65_536 // recordings have a batch every 200 ms; an analyst wants few large ones

/** The Arrow IPC file format ("Feather 2"): random access for pyarrow, pandas, polars, R, Julia. Frames are copied as they were recorded, compressed or not, all segments into one file. */
export const arrow: ExportFormat = {
  id: 'arrow',
  label: 'Arrow IPC file',
  extension: 'arrow',
  mediaType: 'application/vnd.apache.arrow.file',
  kinds: ['TABLE', 'FRAMES'],

  write(source, sink, options) {
    if (source.kind === 'TABLE') return writeTable(source, sink, options)
    if (options.columns !== undefined) throw new InvalidValue('columns can be chosen only from tables', ['columns'])
    return copyFrames(source, sink, options)
  },
}

async function writeTable(source: ExportSource, sink: ExportSink, { signal, progress, columns }: ExportOptions): Promise<void> {
  await using table = await openTable(source.file, signal)
  const wanted = columns?.map((name) => columnNamed(table.columns, name)) ?? table.columns
  const file = new ArrowFile(sink, encodeSchema(schemaOf(wanted, table.metadata)))
  await file.begin()
  const buffers = wanted.map((column) => new ColumnBuffer(column))
  const writeBatch = async (): Promise<void> => {
    if ((buffers[0]?.rows ?? 0) === 0) return
    const { bytes, headBytes } = encodeBatch(buffers)
    for (const buffer of buffers) buffer.clear()
    await file.batch(bytes, headBytes)
  }
  for await (const chunk of table.read(
    wanted.map(({ name }) => name),
    { from: 0, to: table.rows },
    signal,
  )) {
    for (const [index, column] of chunk.columns.entries()) buffers[index]?.append(column)
    if ((buffers[0]?.rows ?? 0) >= BATCH_ROWS) await writeBatch()
    progress((chunk.firstRow + chunk.rows) / table.rows)
  }
  await writeBatch()
  await file.end()
}

async function copyFrames(source: ExportSource, sink: ExportSink, { signal, progress }: ExportOptions): Promise<void> {
  const segments: { readonly path: string; readonly bytes: number }[] = []
  for await (const segment of segmentsOf(source.file)) segments.push(segment)
  const total = segments.reduce((sum, { bytes }) => sum + bytes, 0)
  let file: ArrowFile | undefined
  let before = 0
  for (const { path, bytes } of segments) {
    const handle = await open(path, 'r')
    try {
      const index = await indexStream(path, handle, signal)
      if (file === undefined) {
        file = new ArrowFile(sink, index.schema)
        await file.begin()
      }
      for (let number = 0; number < index.batches; number += 1) {
        const { start, headBytes, bodyBytes } = index.batch(number)
        file.mark(headBytes, bodyBytes)
        await sink.copy(handle, start, headBytes + bodyBytes, signal)
        progress((before + start + headBytes + bodyBytes) / total)
      }
      before += bytes
      progress(before / total) // behind the last batch stands the end, or what a cut left
    } finally {
      await handle.close()
    }
  }
  if (file === undefined) throw new NotFound(source.file)
  await file.end()
}

/** Magic, the messages of a stream, the end marker, the footer, its length, magic. */
class ArrowFile {
  readonly #sink: ExportSink
  readonly #schema: Uint8Array
  readonly #blocks = new Blocks()

  constructor(sink: ExportSink, schema: Uint8Array) {
    this.#sink = sink
    this.#schema = schema
  }

  async begin(): Promise<void> {
    const magic = new Uint8Array(8)
    magic.set(MAGIC)
    await this.#sink.write(magic)
    await this.#sink.write(frameMetadata(this.#schema, ALIGNMENT, magic.byteLength))
  }

  /** The batch that is written next. */
  mark(headBytes: number, bodyBytes: number): void {
    this.#blocks.add({ start: this.#sink.bytes, headBytes, bodyBytes })
  }

  async batch(bytes: Uint8Array, headBytes: number): Promise<void> {
    this.mark(headBytes, bytes.byteLength - headBytes)
    await this.#sink.write(bytes)
  }

  async end(): Promise<void> {
    const footer = encodeFooter(this.#schema, headerTableAt(this.#schema), this.#blocks)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, footer.byteLength, true)
    for (const part of [END_OF_STREAM, footer, length, MAGIC]) await this.#sink.write(part)
  }
}
