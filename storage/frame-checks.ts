import type { FileHandle } from 'node:fs/promises'
import { crc32c } from '../native/files.ts'
import { readExactly } from './arrow-message.ts'
import { completeBatchIndex } from './batch-index.ts'
import { labelIn } from './frame-batch.ts'
import { openFrameFile } from './frame-file.ts'
import { readFrameSchema } from './frame-schema.ts'
import type { StreamIndex } from './stream-index.ts'

/** Makes the index of one file of a recording whole, from that file, whose batches are where `stream` says. Reads only those that have no entry yet. */
export async function recoverBatchIndex(path: string, file: FileHandle, stream: StreamIndex, signal?: AbortSignal): Promise<void> {
  const { layout } = await readFrameSchema(file, path)
  const placeOf = (index: number) => {
    const { start, headBytes, bodyBytes } = stream.batch(index)
    return { offset: start, bytes: headBytes + bodyBytes }
  }
  await completeBatchIndex(path, stream.batches, placeOf, async (index) => {
    signal?.throwIfAborted()
    const place = placeOf(index)
    const batch = await readExactly(file, place.offset, place.bytes)
    const { sequence, time } = labelIn(layout, index, batch)
    return { ...place, sequence, time, crc32c: crc32c(batch) }
  })
}

/** Frames whose bytes are not those that were recorded, or whose checksum nobody has kept; reads the whole recording. */
export async function* damagedFrames(recording: string, signal?: AbortSignal): AsyncGenerator<number> {
  await using file = await openFrameFile(recording)
  const count = await file.count()
  for (let index = 0; index < count; index += 1) {
    signal?.throwIfAborted()
    const [now, recorded] = [await file.entry(index), await file.recorded(index)]
    if (now.crc32c !== recorded?.crc32c) yield index
  }
}
