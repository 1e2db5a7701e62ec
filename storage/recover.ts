import { open } from 'node:fs/promises'
import type { DatasetColumn } from '../core/dataset.ts'
import { END_OF_STREAM } from './arrow-message.ts'
import { decodeSchema } from './arrow-schema.ts'
import { indexStream } from './stream-index.ts'

export type Recovered = {
  readonly rows: number
  readonly bytes: number
  readonly columns: readonly DatasetColumn[]
  /** Bytes of a torn last batch that were taken away. */
  readonly lostBytes: number
}

/**
 * Brings back a recording that was cut: keeps every whole batch, takes away what is torn behind them, and ends the stream in order. Nothing changes in a
 * file that is whole. Throws if not even its schema is there.
 */
export async function recoverStream(path: string, signal?: AbortSignal): Promise<Recovered> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const index = await indexStream(path, file, signal)
    const { columns } = decodeSchema(index.schema)
    const bytes = index.end + END_OF_STREAM.byteLength
    if (!index.ended || size !== bytes) {
      await file.truncate(index.end)
      await file.write(END_OF_STREAM, 0, END_OF_STREAM.byteLength, index.end)
      await file.sync()
    }
    return { rows: index.rows, bytes, columns, lostBytes: Math.max(0, size - (index.ended ? bytes : index.end)) }
  } finally {
    await file.close()
  }
}
