import type { FileHandle } from 'node:fs/promises'
import { crc32c } from '../native/files.ts'
import { batchLayout, PREFIX_BYTES, readExactly } from './arrow-message.ts'
import { completeBatchIndex } from './batch-index.ts'
import type { StreamIndex } from './stream-index.ts'

const CELL_BYTES = 8

/** Makes the index of a recording of scans whole, from the recording. Reads only the batches that have no entry yet; their time is that of their last scan. */
export async function recoverScanIndex(recording: string, file: FileHandle, index: StreamIndex, signal?: AbortSignal): Promise<void> {
  const placeOf = (at: number) => {
    const { start, headBytes, bodyBytes } = index.batch(at)
    return { offset: start, bytes: headBytes + bodyBytes }
  }
  await completeBatchIndex(recording, index.batches, placeOf, async (at) => {
    signal?.throwIfAborted()
    const place = placeOf(at)
    const { headBytes, rows } = index.batch(at)
    const batch = await readExactly(file, place.offset, place.bytes)
    const [, times] = batchLayout(batch.subarray(PREFIX_BYTES, headBytes)).buffers
    const last = headBytes + (times?.offset ?? 0) + (rows - 1) * CELL_BYTES
    return { ...place, sequence: at, time: new DataView(batch.buffer, batch.byteOffset).getBigInt64(last, true), crc32c: crc32c(batch) }
  })
}
