import { completeBatchIndex, readBatchEntry } from './batch-index.ts'
import { openFrameFile } from './frame-file.ts'
import { batchStart } from './frame-index.ts'

/** Makes the index of a recording whole, from the recording. Reads only the batches that have no entry yet. */
export async function recoverBatchIndex(recording: string, signal?: AbortSignal): Promise<void> {
  await using file = await openFrameFile(recording)
  const { layout } = file
  const placeOf = (index: number) => ({ offset: batchStart(layout, index), bytes: layout.batchBytes })
  await completeBatchIndex(recording, await file.count(), placeOf, (index) => {
    signal?.throwIfAborted()
    return file.entry(index)
  })
}

/** Frames whose bytes are not those that were recorded, or whose checksum nobody has kept; reads the whole recording. */
export async function* damagedFrames(recording: string, signal?: AbortSignal): AsyncGenerator<number> {
  await using file = await openFrameFile(recording)
  const count = await file.count()
  for (let index = 0; index < count; index += 1) {
    signal?.throwIfAborted()
    const [now, recorded] = [await file.entry(index), await readBatchEntry(recording, index)]
    if (now.crc32c !== recorded?.crc32c) yield index
  }
}
