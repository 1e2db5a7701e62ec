import { open, rm } from 'node:fs/promises'
import { ByteSource, END_OF_STREAM, readMessageAt } from './arrow-message.ts'
import { decodeSchema } from './arrow-schema.ts'
import { batchIndexPath } from './batch-index.ts'
import { recoverBatchIndex } from './frame-checks.ts'
import { isKnownLayout, LAYOUT_KEY } from './frame-heads.ts'
import { bytesOf, segmentPath } from './frame-segments.ts'
import { recoverScanIndex } from './scan-checks.ts'
import { ACQUISITION_KEY } from './scan-heads.ts'
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
 * stream in order; of a recording of frames, in each of its segments, whose indexes are made whole, too, as that of scans is. Nothing changes in a file that is whole. Throws if not
 * even its schema is there. Not while somebody writes the file.
 */
export async function recoverStream(path: string, signal?: AbortSignal): Promise<Recovered> {
  let { isFrames, ...all } = await recoverFile(path, signal)
  for (let number = 1; isFrames; number += 1) {
    const segment = segmentPath(path, number)
    const size = await bytesOf(segment)
    if (size === undefined) break
    if (await beginsWhole(segment)) {
      const { rows, bytes, lostBytes } = await recoverFile(segment, signal)
      all = { rows: all.rows + rows, bytes: all.bytes + bytes, lostBytes: all.lostBytes + lostBytes }
    } else {
      await rm(segment) // cut before anything but a part of its schema was there
      await rm(batchIndexPath(segment), { force: true })
      all = { ...all, lostBytes: all.lostBytes + size }
    }
  }
  return all
}

async function recoverFile(path: string, signal: AbortSignal | undefined): Promise<Recovered & { readonly isFrames: boolean }> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const stream = await indexStream(path, file, signal)
    const { rows, end, ended, schema } = stream
    const bytes = end + END_OF_STREAM.byteLength
    if (!ended || size !== bytes) {
      await file.truncate(end)
      await file.write(END_OF_STREAM, 0, END_OF_STREAM.byteLength, end)
      await file.sync()
    }
    const { metadata } = decodeSchema(schema)
    const isFrames = isKnownLayout(metadata[LAYOUT_KEY])
    if (isFrames) await recoverBatchIndex(path, file, stream, signal)
    if (metadata[ACQUISITION_KEY] !== undefined) await recoverScanIndex(path, file, stream, signal)
    return { rows, bytes, lostBytes: Math.max(0, size - (ended ? bytes : end)), isFrames }
  } finally {
    await file.close()
  }
}

async function beginsWhole(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const found = await readMessageAt(new ByteSource(file, (await file.stat()).size), 0)
    return found.at === 'message' && found.head.kind === 'schema'
  } finally {
    await file.close()
  }
}
