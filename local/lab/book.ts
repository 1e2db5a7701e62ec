import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { type BookEntry, bookPath, parseBookEntry } from '../../drivers/address.ts'

/** Written beside and renamed into place: a station that looks sees a whole entry or none. */
export async function writeEntry(labFolder: string, name: string, entry: BookEntry): Promise<void> {
  const path = bookPath(labFolder, name)
  await writeFile(`${path}.new`, `${JSON.stringify(entry)}\n`)
  await rename(`${path}.new`, path)
}

/** What an earlier lab wrote; undefined if there was none. */
export async function readEntry(labFolder: string, name: string): Promise<BookEntry | undefined> {
  const text = await readFile(bookPath(labFolder, name), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : parseBookEntry(text)
}

export async function removeEntry(labFolder: string, name: string): Promise<void> {
  await rm(bookPath(labFolder, name), { force: true })
}
