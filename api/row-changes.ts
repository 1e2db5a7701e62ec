import type { Logger } from 'pino'
import { type ChangedTable, listenForChanges } from '../prisma/listen.ts'

/** Rows that changed in PostgreSQL, told to whoever waits for them. A wake-up, not the truth: read the row again. */
export interface RowChanges {
  /** `id` absent: any row of the table. Also called after a gap, when changes may not have been told. */
  watch(table: ChangedTable, id: string | undefined, listener: (id: string | undefined) => void): () => void
}

type Watcher = { readonly id: string | undefined; readonly listener: (id: string | undefined) => void }

export async function openRowChanges(databaseUrl: string, log: Logger, signal: AbortSignal): Promise<RowChanges> {
  const watchers = new Map<ChangedTable, Set<Watcher>>()
  await listenForChanges(
    databaseUrl,
    ({ table, id }) => {
      for (const watcher of watchers.get(table) ?? []) if (watcher.id === undefined || watcher.id === id) watcher.listener(id)
    },
    {
      signal,
      onGap: () => {
        for (const table of watchers.values()) for (const { id, listener } of table) listener(id)
      },
      onError: (error) => log.warn({ error: error.message }, 'changes of the database are not heard for the moment'),
    },
  )
  return {
    watch(table, id, listener) {
      const watcher = { id, listener }
      const group = watchers.get(table) ?? new Set()
      watchers.set(table, group.add(watcher))
      return () => group.delete(watcher)
    },
  }
}
