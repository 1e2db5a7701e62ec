import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'

/** The one PostgreSQL session, as raw protocol. */
export type Engine = AsyncDisposable & {
  /** Runs whole messages and returns everything that the server said. Rejects only when the engine itself has failed. */
  run(messages: Buffer): Promise<Buffer>
}

export type EngineOptions = {
  /** Absent: in memory. */
  readonly dataDir?: string
  /** A dump of a data folder to begin with (tests). */
  readonly load?: Blob
  readonly onBusy?: (busy: boolean) => void
}

export const DATABASE_NAME = 'postgres'

export async function openEngine(options: EngineOptions): Promise<Engine & { dump(): Promise<Blob> }> {
  const database = await PGlite.create({
    extensions: { vector },
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    ...(options.load !== undefined && { loadDataDir: options.load }),
  })
  return {
    async run(messages) {
      const chunks: Buffer[] = []
      options.onBusy?.(true)
      try {
        await database.execProtocolRawStream(messages, { onRawData: (data) => chunks.push(Buffer.from(data)) })
      } finally {
        options.onBusy?.(false)
      }
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    },
    dump: () => database.dumpDataDir('none'),
    [Symbol.asyncDispose]: () => database.close(),
  }
}

/** Making the folder takes seconds; a process that dies meanwhile must not leave half of one in its place. */
export async function makeDataFolder(dataDir: string): Promise<void> {
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) return
  const draft = `${dataDir}.new`
  await rm(draft, { recursive: true, force: true })
  const database = await PGlite.create({ dataDir: draft })
  await database.close()
  await rename(draft, dataDir)
}
