import type { FrameCompression } from '../core/frame.ts'
import { loadAddon } from './addon.ts'
import { withProblems, withProblemsLater } from './faults.ts'
import { NativeRing } from './rings.ts'
import type { RegionSeriesOptions, RingMeasures, ThreadTimes } from './types.ts'

export { RingReader } from './ring-reader.ts'
export type { NativeRing } from './rings.ts'

export type RingOptions = { readonly path: string; readonly width: number; readonly height: number; readonly slots: number } & RingMeasures

/** A ring without a camera, to be filled by its test pattern. */
export function createRing(options: RingOptions): NativeRing {
  return withProblems('NONE', () => new NativeRing(loadAddon().createRing(options)))
}

/** Maps a ring that another process writes, read-only. */
export function mapRing(path: string): NativeRing {
  return withProblems('NONE', () => new NativeRing(loadAddon().mapRing(path)))
}

/** CRC-32C of `bytes`; `before`: of what stands before them. About 8 GB/s. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  return withProblems('NONE', () => loadAddon().crc32c(bytes, before))
}

/**
 * Minimum, maximum and sum of a rectangle in each frame, one after the other, on the thread pool. Of each frame only the rows of the rectangle are read, of the
 * disk's pages; nothing stays mapped. Throws InvalidValue for a rectangle that leaves the frames, the system's error (EIO) for a file that is too short.
 */
export function regionSeries(options: RegionSeriesOptions): Promise<Float64Array> {
  return withProblemsLater('NONE', () => loadAddon().regionSeries(options))
}

/** The pixels of the rectangle, frame after frame, row after row; otherwise as regionSeries. */
export function regionPixels(options: RegionSeriesOptions): Promise<Uint16Array> {
  return withProblemsLater('NONE', () => loadAddon().regionPixels(options))
}

/**
 * Fills `into` with what the pixels of a compressed batch were, on the thread pool. Throws InvalidValue for what is not exactly that: one whole frame of the
 * codec with as many bytes of content.
 */
export function decompressBody(codec: Exclude<FrameCompression, 'NONE'>, bytes: Uint8Array, into: Uint16Array): Promise<void> {
  return withProblemsLater('NONE', () => loadAddon().decompressBody(codec, bytes, new Uint8Array(into.buffer, into.byteOffset, into.byteLength)))
}

/**
 * The yardstick for recordings: `count` writes of `bytes` (a multiple of 4096) to a new file, past the page cache where the disk allows it, then a sync; on a
 * thread of its own.
 */
export async function plainWrite(path: string, bytes: number, count: number): Promise<{ readonly seconds: number }> {
  return { seconds: await withProblems('NONE', () => loadAddon().plainWrite({ path, bytes, count })) }
}

/**
 * The yardstick for rings: `count` times memcpy of `bytes` (a multiple of 4096), from 8 buffers to `places` others, one after the other, in memory that nobody else
 * sees; on a thread of its own.
 */
export async function plainCopy(bytes: number, places: number, count: number): Promise<ThreadTimes> {
  return await withProblemsLater('NONE', () => loadAddon().plainCopy({ bytes, places, count }))
}
