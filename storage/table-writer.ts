import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import path from 'node:path'
import type { DatasetColumn } from '../core/dataset.ts'
import type { RowCell } from '../core/row.ts'
import { END_OF_STREAM, frameMetadata } from './arrow-message.ts'
import { encodeSchema, schemaOf } from './arrow-schema.ts'
import { ColumnBuffer } from './column-buffer.ts'
import { explained } from './durable.ts'
import { encodeBatch } from './table-batch.ts'

/**
 * A table on disk while it is recorded: an Arrow IPC stream, whose whole batches survive whatever happens to the process. Rows wait in memory for at most
 * BATCH_MS; `flush` puts them on the disk itself.
 */
export interface TableWriter extends AsyncDisposable {
  /** Throws TypeError for a cell that is not of its column's type, and what the disk refused before. A row is taken whole or not at all. */
  append(row: readonly RowCell[]): void
  /** Resolves when everything appended before is on the disk (fdatasync). */
  flush(): Promise<void>
  /** Rows appended. */
  readonly rows: number
  /** Of the file. */
  readonly bytes: number
  /** Flushes, writes the end marker and closes; again: the same answer. */
  close(): Promise<{ readonly bytes: number }>
}

const BATCH_ROWS = 1000 // a batch of this many is written at once
const BATCH_MS = 200 // and one of fewer this long after the last one, or at once: what a crash of the process may cost, and how late a reader sees a row
const MAX_WAITING_ROWS = 1_000_000 // a disk that is so far behind has failed
const SCHEMA_ALIGNMENT = 64

export type TableOptions = {
  /** Goes into the Arrow schema. */
  readonly metadata?: Readonly<Record<string, string>>
  /** So many rows are in the file now: the end of this process does not take them away any more. */
  readonly onWritten?: (rows: number) => void
}

/** Creates the file, which must not be there, and puts its schema on the disk. */
export async function createTableWriter(file: string, columns: readonly DatasetColumn[], options: TableOptions = {}): Promise<TableWriter> {
  const { metadata = {}, onWritten = () => undefined } = options
  const handle = await open(file, 'wx')
  const writer = new Writer(file, handle, columns, onWritten)
  try {
    await writer.begin(frameMetadata(encodeSchema(schemaOf(columns, metadata)), SCHEMA_ALIGNMENT))
    return writer
  } catch (error) {
    await handle.close()
    throw error
  }
}

class Writer implements TableWriter {
  readonly #file: string
  readonly #handle: FileHandle
  readonly #columns: readonly ColumnBuffer[]
  readonly #onWritten: (rows: number) => void
  #rows = 0
  #waitingRows = 0
  #batchedMs = Number.NEGATIVE_INFINITY
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #failure: unknown
  #closed: Promise<{ readonly bytes: number }> | undefined

  constructor(file: string, handle: FileHandle, columns: readonly DatasetColumn[], onWritten: (rows: number) => void) {
    this.#onWritten = onWritten
    this.#file = file
    this.#handle = handle
    this.#columns = columns.map((column) => new ColumnBuffer(column))
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#bytes
  }

  async begin(schema: Uint8Array): Promise<void> {
    this.#write(schema, 0)
    await this.flush()
  }

  append(row: readonly RowCell[]): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed !== undefined) throw new Error(`${path.basename(this.#file)} is closed`)
    if (row.length !== this.#columns.length) throw new TypeError(`a row of ${path.basename(this.#file)} has ${this.#columns.length} cells, not ${row.length}`)
    if (this.#waitingRows >= MAX_WAITING_ROWS) throw new Error(`the disk is ${this.#waitingRows} rows behind`)
    this.#push(row)
    this.#rows += 1
    this.#waitingRows += 1
    if (this.#columns[0]?.rows === BATCH_ROWS) this.#writeBatch()
    else this.#timer ??= setTimeout(() => this.#writeBatch(), Math.max(0, this.#batchedMs + BATCH_MS - performance.now()))
  }

  async flush(): Promise<void> {
    this.#writeBatch()
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    await this.#handle.datasync()
  }

  close(): Promise<{ readonly bytes: number }> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #push(row: readonly RowCell[]): void {
    for (const [index, column] of this.#columns.entries()) {
      try {
        column.push(row[index] ?? null)
      } catch (error) {
        for (const before of this.#columns.slice(0, index)) before.pop()
        throw error
      }
    }
  }

  async #close(): Promise<{ readonly bytes: number }> {
    try {
      this.#writeBatch()
      this.#write(END_OF_STREAM, 0)
      await this.flush()
      return { bytes: this.#bytes }
    } finally {
      clearTimeout(this.#timer)
      await this.#handle.close()
    }
  }

  #writeBatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const rows = this.#columns[0]?.rows ?? 0
    if (rows === 0) return
    this.#batchedMs = performance.now()
    const { bytes } = encodeBatch(this.#columns)
    for (const column of this.#columns) column.clear()
    this.#write(bytes, rows)
  }

  /** In order, one after the other; after a failure nothing more, so that the file ends with its last whole message. */
  #write(bytes: Uint8Array, rows: number): void {
    this.#writing = this.#writing.then(async () => {
      if (this.#failure !== undefined) return
      try {
        await writeFully(this.#handle, bytes, this.#bytes)
        this.#bytes += bytes.byteLength
        this.#waitingRows -= rows
        if (rows > 0) this.#onWritten(this.#rows - this.#waitingRows)
      } catch (error) {
        this.#failure = await explained(error, this.#file, bytes.byteLength)
        await this.#handle.truncate(this.#bytes).catch(() => undefined) // a torn tail is also cut by recovery
      }
    })
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, at + written)
    written += bytesWritten
  }
}
