import { graphql, type ResultOf } from '../graphql.ts'
import type { Connection } from './connection.ts'
import { follow } from './stream.ts'

const PRESENT = graphql(`
  query PresentCursor {
    lab { cursor }
  }
`)

const EVENTS = graphql(`
  subscription LabEvents($after: Cursor) {
    events(after: $after, filter: { kinds: [DEVICE, SESSION, RUN, DATASET, JOB, EMERGENCY_STOP, STATION] }) {
      cursor
      gap { reason }
      events { kind summary time }
    }
  }
`)

export type EventKind = ResultOf<typeof EVENTS>['events']['events'][number]['kind']
const EVERYTHING: readonly EventKind[] = ['DEVICE', 'SESSION', 'RUN', 'DATASET', 'JOB', 'EMERGENCY_STOP', 'STATION']
const AGAIN_MS = 1000 // a stream that the server ended is not asked for in a tight loop
const GATHER_MS = 150 // a scan that ends says so five times at once: one refresh

/**
 * Tells panels that something they show has changed. It begins at the cursor of the present, and what was asked before that cursor was known is asked
 * again, so nothing falls between a query and the stream. After a loss of the connection it goes on from its cursor; where that is impossible, all changed.
 */
export class EventFeed {
  readonly #listeners = new Set<{ kinds: () => readonly EventKind[]; changed: () => void }>()
  readonly #pending = new Set<EventKind>()
  #cursor: string | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #end: () => void = () => undefined
  #closed = false
  readonly #unwatch: () => void

  constructor(connection: Connection) {
    void this.#begin(connection)
    let phase = connection.state.get().phase
    this.#unwatch = connection.state.subscribe(() => {
      const next = connection.state.get().phase
      if (next === 'LIVE' && phase === 'LOST') this.#note(EVERYTHING)
      phase = next
    })
  }

  on(kinds: () => readonly EventKind[], changed: () => void): () => void {
    const listener = { kinds, changed }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    this.#unwatch()
    clearTimeout(this.#timer)
    this.#end()
  }

  async #begin(connection: Connection): Promise<void> {
    const { data } = await connection.queries.query(PRESENT, {}, { requestPolicy: 'network-only' }).toPromise()
    if (this.#closed) return
    this.#cursor = data?.lab.cursor
    this.#end = this.#follow(connection)
    this.#note(EVERYTHING)
  }

  #follow(connection: Connection): () => void {
    const again = () => {
      if (!this.#closed) setTimeout(() => void this.#begin(connection), AGAIN_MS)
    }
    return follow(connection, EVENTS, () => ({ after: this.#cursor ?? null }), {
      next: ({ events }) => {
        this.#cursor = events.cursor
        this.#note(events.gap === null ? events.events.map((event) => event.kind) : EVERYTHING)
      },
      error: again,
      complete: again,
    })
  }

  #note(kinds: readonly EventKind[]): void {
    for (const kind of kinds) this.#pending.add(kind)
    if (this.#timer !== undefined || this.#pending.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const seen = new Set(this.#pending)
      this.#pending.clear()
      for (const listener of this.#listeners) if (listener.kinds().some((kind) => seen.has(kind))) listener.changed()
    }, GATHER_MS)
  }
}
