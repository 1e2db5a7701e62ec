import type { FileHandle } from 'node:fs/promises'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FoundRecord } from './record.ts'
import { HEAD_BYTES, readRecord, recordBytes } from './record.ts'

/** A journal is a row of files, each named by the first sequence in it and headed by `KYMJ`, the version and that sequence. */
export type Segment = { readonly path: string; readonly first: number }

const MAGIC = 'KYMJ'
const VERSION = 1
export const SEGMENT_HEAD_BYTES = 16
const DIGITS = 16 // Number.MAX_SAFE_INTEGER has sixteen, so names sort as numbers
const NAME = /^(\d{16})\.journal$/
const CHUNK_BYTES = 1024 * 1024 // of a scan: large enough to be a few reads per segment

export function segmentAt(folder: string, first: number): Segment {
  return { path: join(folder, `${String(first).padStart(DIGITS, '0')}.journal`), first }
}

/** In order of their sequences. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const names = await readdir(folder)
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map((digits) => segmentAt(folder, Number(digits)))
    .sort((a, b) => a.first - b.first)
}

export function segmentHead(first: number): Buffer {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUInt32LE(VERSION, 4)
  head.writeBigUInt64LE(BigInt(first), 8)
  return head
}

/** false: the process died while it made the file. Throws for a file that is whole but of another kind or version. */
export async function hasSegmentHead(segment: Segment): Promise<boolean> {
  await using file = await open(segment.path, 'r')
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
  const { bytesRead } = await file.read(head, 0, SEGMENT_HEAD_BYTES, 0)
  if (bytesRead < SEGMENT_HEAD_BYTES) return false
  if (!head.equals(segmentHead(segment.first))) throw new Error(`${segment.path} is not a journal segment of version ${VERSION}`)
  return true
}

/** A place in a journal's files, from which a scan goes on. */
export type ScanPosition = { offset: number; sequence: number }

/**
 * Yields every whole record from `at` on, moving `at` behind each, and returns at the end of the file, at `until`, or at the first record that is torn or
 * damaged (`at` then stands before it). A record is valid until the next one is asked for.
 */
export async function* scanSegment(file: FileHandle, at: ScanPosition, until = Number.POSITIVE_INFINITY): AsyncGenerator<FoundRecord> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (;;) {
    const wanted = Math.min(buffer.length, until - at.offset)
    if (wanted < HEAD_BYTES) return
    const { bytesRead } = await file.read(buffer, 0, wanted, at.offset)
    const bytes = buffer.subarray(0, bytesRead)
    let offset = 0
    for (;;) {
      const found = readRecord(bytes, offset, at.sequence)
      if (found === 'bad') return
      if (found === 'short') break
      at.offset += found.end - offset
      at.sequence += 1
      offset = found.end
      yield found
    }
    if (offset > 0) continue
    const size = recordBytes(bytes, 0)
    if (typeof size !== 'number' || size <= bytesRead || bytesRead < wanted || wanted < buffer.length) return // the file or the range ends inside it
    buffer = Buffer.allocUnsafe(size)
  }
}
