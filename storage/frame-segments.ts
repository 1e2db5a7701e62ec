import { stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * The files of one recording of frames: `frames.arrow`, `frames-0001.arrow` ..., each a whole Arrow IPC stream with an index beside it, cut where the next batch
 * would make it longer than was asked for. native/src/recording_files.cc writes them.
 */
export function segmentPath(recording: string, number: number): string {
  if (number === 0) return recording
  const { dir, name, ext } = path.parse(recording)
  return path.join(dir, `${name}-${String(number).padStart(4, '0')}${ext}`)
}

/** Those that are there, in order: how many bytes each has. */
export async function* segmentsOf(recording: string): AsyncGenerator<{ readonly path: string; readonly bytes: number }> {
  for (let number = 0; ; number += 1) {
    const file = segmentPath(recording, number)
    const bytes = await bytesOf(file)
    if (bytes === undefined) return
    yield { path: file, bytes }
  }
}

/** undefined: there is no such file. */
export async function bytesOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
