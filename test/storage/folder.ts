import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

export type TemporaryFolder = AsyncDisposable & { readonly path: string; file(name: string): string }

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-storage-'))
  return { path: folder, file: (name) => path.join(folder, name), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
