import { open } from 'node:fs/promises'
import { END_OF_STREAM } from './arrow-message.ts'
import { decodeSchema } from './arrow-schema.ts'
import { recoverBatchIndex } from './frame-checks.ts'
import { LAYOUT_KEY, LAYOUT_VERSION } from './frame-heads.ts'
import { indexStream } from './stream-index.ts'

export type Recovered = {
  /** Of a recording of frames: frames. */
  readonly rows: number
  readonly bytes: number
  /** What was torn behind the last whole batch and has been taken away. */
  readonly lostBytes: number
}

/**
 * Brings back a recording that was cut, a table or frames: keeps every whole batch from the first one on, takes away what is torn behind them, and ends the
 * stream in order; the index of a recording of frames is made whole, too. Nothing changes in a file that is whole. Throws if not even its schema is there. Not while somebody writes the file.
 */
export async function recoverStream(path: string, signal?: AbortSignal): Promise<Recovered> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const { rows, end, ended, schema } = await indexStream(path, file, signal)
    const bytes = end + END_OF_STREAM.byteLength
    if (!ended || size !== bytes) {
      await file.truncate(end)
      await file.write(END_OF_STREAM, 0, END_OF_STREAM.byteLength, end)
      await file.sync()
    }
    if (decodeSchema(schema).metadata[LAYOUT_KEY] === LAYOUT_VERSION) await recoverBatchIndex(path, signal)
    return { rows, bytes, lostBytes: Math.max(0, size - (ended ? bytes : end)) }
  } finally {
    await file.close()
  }
}
