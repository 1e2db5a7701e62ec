import { type FileHandle, open } from 'node:fs/promises'
import type { WallNs } from '../core/time.ts'
import { readExactly } from './arrow-message.ts'

/**
 * The list of the batches of a recording of frames, in a file beside it: written with it by the native writer, completed when a cut recording is brought back.
 * Little-endian. At 0: `KYMOINDX`, u32 version, u32 bytes of an entry, zeros up to 64. Then an entry for each batch, in their order:
 *
 *   0    u64   offset of the batch in the recording
 *   8    u64   bytes of the batch, head and body
 *   16   u64   sequence
 *   24   i64   time, nanoseconds since 1970
 *   32   u32   CRC-32C of all these bytes (RFC 3720, B.4)
 *   36   u32   0
 */
export type BatchEntry = { readonly offset: number; readonly bytes: number; readonly sequence: number; readonly time: WallNs; readonly crc32c: number }

const MAGIC = Buffer.from('KYMOINDX')
const VERSION = 1
const HEADER_BYTES = 64
const ENTRY_BYTES = 40

export function batchIndexPath(recording: string): string {
  return `${recording}.index`
}

export interface OpenedIndex extends AsyncDisposable {
  /** Entries now; it grows while its recording does. */
  count(): Promise<number>
  /** undefined where it ends before. */
  entry(index: number): Promise<BatchEntry | undefined>
}

/** undefined where there is no index, or none of ours. */
export async function openBatchIndex(recording: string): Promise<OpenedIndex | undefined> {
  const file = await openExisting(batchIndexPath(recording))
  if (file === undefined) return undefined
  try {
    if (!(await hasHeader(file))) {
      await file.close()
      return undefined
    }
  } catch (error) {
    await file.close()
    throw error
  }
  return {
    count: async () => Math.max(0, Math.floor(((await file.stat()).size - HEADER_BYTES) / ENTRY_BYTES)),
    entry: (index) => entryAt(file, index),
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/**
 * Makes the index of a recording whole: entries that fit are kept as they are, for their checksums were taken from what the camera gave; from the first one on
 * that is missing or does not fit, they are made from the file. `entryOf(i)` is what the recording says now. Not while somebody writes it.
 */
export async function completeBatchIndex(
  recording: string,
  batches: number,
  placeOf: (index: number) => Pick<BatchEntry, 'offset' | 'bytes'>,
  entryOf: (index: number) => Promise<BatchEntry>,
): Promise<void> {
  const path = batchIndexPath(recording)
  const file = (await openExisting(path, 'r+')) ?? (await open(path, 'w+'))
  try {
    let at = 0
    if (await hasHeader(file)) while (at < batches && fits(await entryAt(file, at), placeOf(at))) at += 1
    else await file.write(header(), 0, HEADER_BYTES, 0)
    for (; at < batches; at += 1) await file.write(encoded(await entryOf(at)), 0, ENTRY_BYTES, HEADER_BYTES + at * ENTRY_BYTES)
    await file.truncate(HEADER_BYTES + batches * ENTRY_BYTES)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function openExisting(path: string, flags = 'r'): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function header(): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(VERSION, 8)
  bytes.writeUInt32LE(ENTRY_BYTES, 12)
  return bytes
}

async function hasHeader(file: FileHandle): Promise<boolean> {
  return header().equals(await readExactly(file, 0, HEADER_BYTES))
}

async function entryAt(file: FileHandle, index: number): Promise<BatchEntry | undefined> {
  if (index < 0) return undefined
  const bytes = await readExactly(file, HEADER_BYTES + index * ENTRY_BYTES, ENTRY_BYTES)
  if (bytes.byteLength < ENTRY_BYTES) return undefined
  const view = new DataView(bytes.buffer)
  return {
    offset: Number(view.getBigUint64(0, true)),
    bytes: Number(view.getBigUint64(8, true)),
    sequence: Number(view.getBigUint64(16, true)),
    time: view.getBigInt64(24, true),
    crc32c: view.getUint32(32, true),
  }
}

function encoded(entry: BatchEntry): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES)
  bytes.writeBigUInt64LE(BigInt(entry.offset), 0)
  bytes.writeBigUInt64LE(BigInt(entry.bytes), 8)
  bytes.writeBigUInt64LE(BigInt(entry.sequence), 16)
  bytes.writeBigInt64LE(entry.time, 24)
  bytes.writeUInt32LE(entry.crc32c, 32)
  return bytes
}

function fits(entry: BatchEntry | undefined, place: Pick<BatchEntry, 'offset' | 'bytes'>): boolean {
  return entry?.offset === place.offset && entry.bytes === place.bytes
}
