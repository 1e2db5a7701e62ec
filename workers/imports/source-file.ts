import { createHash } from 'node:crypto'
import { lstat, realpath, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { InvalidValue, NotFound, StorageFull } from '../../core/errors.ts'
import { IMPORT_FOLDER } from '../../core/import.ts'
import { sha256OfFile } from '../../storage/hash.ts'

const JOURNALS = ['-wal', '-journal'] // what a program has written to its SQLite file and not yet put into it

/** The file below the import folder, as an absolute path. Throws NotFound, and InvalidValue for what leads out of the folder or is no file. */
export async function sourceFile(dataDir: string, file: string): Promise<string> {
  const folder = await realpath(path.join(dataDir, IMPORT_FOLDER)).catch(() => undefined)
  const real = folder === undefined ? undefined : await realpath(path.join(folder, file)).catch(() => undefined)
  if (folder === undefined || real === undefined) throw new NotFound(`file ${file} in ${IMPORT_FOLDER}/ of the data folder`)
  if (!real.startsWith(folder + path.sep)) throw new InvalidValue(`url: ${file} is a link that leads out of ${IMPORT_FOLDER}/`, ['input', 'url'])
  if (!(await stat(real)).isFile()) throw new InvalidValue(`url: ${file} is not a file`, ['input', 'url'])
  return real
}

/** Of everything that is read: the file, and the journals of a database that stand beside it. */
export async function contentHash(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256').update((await sha256OfFile(file, signal)).sha256)
  for (const journal of JOURNALS) {
    const found = await lstat(file + journal).catch(() => undefined)
    if (found?.isFile() && found.size > 0) hash.update((await sha256OfFile(file + journal, signal)).sha256)
  }
  return hash.digest('hex')
}

const ROOM = 2 // times the file: the copy of a database that is read, and the tables that are made of it

/** A first look, before hours of work; what the disk says while it is written counts all the same. Throws StorageFull. */
export async function refuseFullDisk(dataDir: string, file: string): Promise<void> {
  const sizes = await Promise.all(['', ...JOURNALS].map((end) => lstat(file + end).catch(() => undefined)))
  const needed = ROOM * sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0)
  const { bavail, bsize } = await statfs(dataDir)
  if (needed > bavail * bsize) throw new StorageFull(needed, bavail * bsize)
}
