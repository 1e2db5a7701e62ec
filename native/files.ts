import { loadAddon } from './addon.ts'
import { withProblems } from './faults.ts'
import { NativeRing } from './rings.ts'

export { RingReader } from './ring-reader.ts'
export type { NativeRing } from './rings.ts'

/** A ring without a camera, to be filled by its test pattern. */
export function createRing(options: { readonly path: string; readonly width: number; readonly height: number; readonly slots: number }): NativeRing {
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
 * The yardstick for recordings: `count` writes of `bytes` (a multiple of 4096) to a new file, past the page cache where the disk allows it, then a sync; on a
 * thread of its own.
 */
export async function plainWrite(path: string, bytes: number, count: number): Promise<{ readonly seconds: number }> {
  return { seconds: await withProblems('NONE', () => loadAddon().plainWrite({ path, bytes, count })) }
}
