import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

/** A row that changed, as the triggers of the migrations tell it. Of `graph` only that there is something to project. */
export type Change = { readonly table: ChangedTable; readonly id: string }
export type ChangedTable = 'run' | 'job' | 'dataset' | 'session' | 'device' | 'station' | 'event' | 'graph'

export type ListenOptions = {
  readonly signal: AbortSignal
  /** The connection was lost and is back: changes in between were not told, so read again what matters. */
  readonly onGap: () => void
  readonly onError?: (error: Error) => void
}

const CHANNEL = 'kymograph'
const CONNECT_TIMEOUT_MS = 5_000
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000

/**
 * Tells every change from the moment the promise resolves until the signal fires, over a connection of its own that is opened again whenever it breaks.
 * Resolves once it listens; waits for a server that is away.
 */
export async function listenForChanges(url: string, onChange: (change: Change) => void, options: ListenOptions): Promise<void> {
  const { signal } = options
  const first = await connect(url, onChange, options)
  if (first === undefined) return
  void (async () => {
    for (let connection: Connection | undefined = first; connection !== undefined; ) {
      await connection.ended
      if (signal.aborted) return
      connection = await connect(url, onChange, options)
      if (connection !== undefined) options.onGap()
    }
  })()
}

type Connection = { readonly ended: Promise<void> }

/** Tries until it listens; undefined once the signal has fired. */
async function connect(url: string, onChange: (change: Change) => void, { signal, onError }: ListenOptions): Promise<Connection | undefined> {
  for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true })
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.on('error', (error) => onError?.(error))
    client.on('notification', ({ payload }) => {
      const change = parseChange(payload)
      if (change !== undefined && !signal.aborted) onChange(change)
    })
    const close = (): void => void client.end().catch((error: Error) => onError?.(error))
    try {
      await client.connect()
      await client.query(`LISTEN ${CHANNEL}`)
      signal.addEventListener('abort', close, { once: true })
      if (signal.aborted) close()
      return { ended: ended.finally(() => signal.removeEventListener('abort', close)) }
    } catch (error) {
      close()
      onError?.(error instanceof Error ? error : new Error(String(error)))
      await pause(retryMs, undefined, { signal }).catch(() => undefined) // aborted: the loop ends
    }
  }
  return undefined
}

const TABLES: ReadonlySet<string> = new Set<ChangedTable>(['run', 'job', 'dataset', 'session', 'device', 'station', 'event', 'graph'])

/** `<table>:<id>`; undefined for what another version may send. */
export function parseChange(payload: string | undefined): Change | undefined {
  const [table = '', id = ''] = payload?.split(':', 2) ?? []
  return TABLES.has(table) && id !== '' ? { table: table as ChangedTable, id } : undefined
}
