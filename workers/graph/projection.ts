import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../core/errors.ts'
import { fingerprint } from '../../graph/model.ts'
import { Projector } from '../../graph/projector.ts'
import type { GraphStore } from '../../graph/store.ts'
import { openDatabase } from '../../prisma/client.ts'
import { listenForChanges } from '../../prisma/listen.ts'
import { graphSource } from './source.ts'

const LOOK_EVERY_MS = 5_000 // a notification may be lost with its connection
const RETRY_MS = 1_000 // while the graph or the database is away
const CONNECTIONS = 2 // it does one thing at a time

export type ProjectionParts = {
  readonly databaseUrl: string
  readonly store: GraphStore
  /** What a device of each driver can do; asked anew at each step, since drivers come and go. */
  readonly catalog: { readonly drivers: readonly { readonly id: string; readonly capabilities: readonly string[] }[] }
  readonly log: (line: string) => void
}

/** Keeps the graph in step with PostgreSQL until it is disposed. The store stays its opener's. */
export function startProjection({ databaseUrl, store, catalog, log }: ProjectionParts): AsyncDisposable {
  const closing = new AbortController()
  const { signal } = closing
  const database = openDatabase(databaseUrl, { name: 'kymograph-graph', maxConnections: CONNECTIONS, onError: ({ message }) => log(`database: ${message}`) })
  const projector = new Projector({
    source: graphSource(database.pool),
    store,
    capabilitiesOf: (driverId) => catalog.drivers.find(({ id }) => id === driverId)?.capabilities ?? [],
    get fingerprint() {
      return fingerprint(catalog.drivers)
    },
    log,
  })

  let changed = new AbortController()
  const wake = (): void => changed.abort()
  void listenForChanges(databaseUrl, ({ table }) => void (table === 'graph' && wake()), {
    signal,
    onGap: wake,
    onError: ({ message }) => log(`listening for changes of the registry: ${message}`),
  }).catch((error: Error) => log(`not listening for changes of the registry: ${error.message}`))

  async function keepInStep(): Promise<void> {
    let trouble = ''
    while (!signal.aborted) {
      changed = new AbortController()
      try {
        while ((await projector.step(signal)) === 'worked') signal.throwIfAborted()
        if (trouble !== '') log('the graph is in step again')
        trouble = ''
        await pause(LOOK_EVERY_MS, undefined, { signal: AbortSignal.any([signal, changed.signal]) }).catch(() => undefined) // woken, or closing
      } catch (error) {
        if (signal.aborted) return
        const said = messageOf(error)
        if (said !== trouble) log(`the graph is not in step: ${said}`)
        trouble = said
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined) // closing ends the loop
      }
    }
  }
  const keeping = keepInStep()

  let closed: Promise<void> | undefined
  async function close(): Promise<void> {
    closing.abort()
    await keeping
    await database[Symbol.asyncDispose]()
  }
  return {
    [Symbol.asyncDispose]() {
      closed ??= close()
      return closed
    },
  }
}
