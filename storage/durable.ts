import { open, rename, statfs } from 'node:fs/promises'
import path from 'node:path'
import { StorageFull } from '../core/errors.ts'

/** What a rename needs to survive a power cut: the bytes first, then the names. */

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The file has its old bytes or the new ones, never a part. */
export async function replaceFile(file: string, bytes: string | Uint8Array): Promise<void> {
  const partial = `${file}.partial`
  const handle = await open(partial, 'w')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, file)
  await syncFolder(path.dirname(file))
}

/** A full disk is a problem a person can act on. */
export async function explained(error: unknown, file: string, neededBytes: number): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  const { bavail, bsize } = await statfs(path.dirname(file))
  return new StorageFull(neededBytes, bavail * bsize)
}
