import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isSource } from './fresh-copy.ts'

const MOST_FILES = 5_000 // of a plugin's own; one with more has its build output or its data among them
const MOST_BYTES = 512 * 1024 * 1024 // each load copies them
const MOST_FOLDERS = 500 // each costs a watch of the kernel

/** Another text when a file of a plugin was changed, added or removed; and the folders to be watched for that. */
export type FolderState = { readonly text: string; readonly folders: readonly string[]; readonly problem?: string }

export async function folderState(folder: string): Promise<FolderState> {
  const files: string[] = []
  const folders: string[] = []
  let bytes = 0
  const visit = async (place: string): Promise<void> => {
    if (folders.length >= MOST_FOLDERS) return
    folders.push(place)
    const entries = await readdir(place, { withFileTypes: true }).catch(() => []) // gone meanwhile
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      if (!isSource(entry.name) || files.length >= MOST_FILES) continue
      const path = join(place, entry.name)
      const found = await stat(path).catch(() => undefined) // gone meanwhile
      if (found?.isDirectory() === true && entry.isDirectory()) await visit(path)
      else if (found?.isFile() === true) {
        files.push(`${path} ${found.mtimeMs} ${found.size}`)
        bytes += found.size
      }
    }
  }
  await visit(folder)
  const tooMuch = files.length >= MOST_FILES || folders.length >= MOST_FOLDERS || bytes > MOST_BYTES
  return {
    text: files.join('\n'),
    folders,
    ...(tooMuch && { problem: `${folder} is too large to be watched: ${files.length} files, ${folders.length} folders, ${bytes} bytes` }),
  }
}

/** All of them, or it throws. */
export function watchFolders(folders: readonly string[], changed: () => void): Disposable {
  const watchers: FSWatcher[] = []
  const close = (): void => {
    for (const watcher of watchers) watcher.close()
  }
  try {
    for (const folder of folders) {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || isSource(name)) changed()
      })
      watcher.on('error', () => watcher.close()) // the folder is gone; the slow look finds out
      watchers.push(watcher)
    }
  } catch (error) {
    close()
    throw error
  }
  return { [Symbol.dispose]: close }
}
