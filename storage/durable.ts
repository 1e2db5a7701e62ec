import { open, rename } from 'node:fs/promises'
import path from 'node:path'

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
