import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What this process, where the tested api runs, has open. */
export async function openFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd')
  return Promise.all(names.map((name) => readlink(join('/proc/self/fd', name)).catch(() => '')))
}
