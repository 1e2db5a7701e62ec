import { randomUUID } from 'node:crypto'
import type { CapabilitiesOf, NodeKind } from './model.ts'
import { NODE_KINDS } from './model.ts'
import { ADVANCE_PROJECTION, BEGIN_PROJECTION, CLEAR, COUNT, HOLD_PROJECTION, PROJECTION } from './queries.ts'
import { readOwned } from './reading.ts'
import { capabilityNodes, subgraphOf } from './rows.ts'
import { type GraphSource, type PendingChange, type Standing, SUBJECTS, type Subject } from './source.ts'
import type { GraphStore, Statement } from './store.ts'
import { changeBetween, Subgraph } from './subgraph.ts'
import { statementsOf } from './writing.ts'

/**
 * Brings the graph to what PostgreSQL says. What is still to be done is in PostgreSQL, written by triggers in the transaction of each change, so neither a
 * lost notification nor a death at any moment loses one. A change is taken from there only after the graph has it, and doing it twice changes nothing.
 *
 * The graph knows its own id and how often it was written; the database knows the same of the graph that it believes in. Where the two do not fit (a new or
 * another store, a lost file, a backup, an older model) the graph is made anew. Each write names the number it follows and takes nothing when that has moved:
 * of two projectors one wins, and one that was asleep cannot write what has become old.
 */
export type ProjectorParts = {
  readonly source: GraphSource
  readonly store: GraphStore
  readonly capabilitiesOf: CapabilitiesOf
  /** Of model.ts. */
  readonly fingerprint: string
  readonly log: (line: string) => void
  readonly abandonedAfterMs?: number
}

/** `waiting`: another projector is rebuilding; look again later. */
export type Step = 'idle' | 'worked' | 'waiting'

const CHUNK = 100 // rows of a transaction: a second of the embedded store with devices of fifty parameters
const CLEAR_CHUNK = 2_000
/** A rebuild that has not moved for so long has lost its projector; one chunk takes at most WRITE_DEADLINE_MS, and mostly a second. */
const ABANDONED_AFTER_MS = 15_000

type Seen = Standing & { readonly complete: boolean; readonly fingerprint: string }

const KIND_OF: Readonly<Record<Subject, NodeKind>> = { station: 'Station', port: 'Port', session: 'Session', device: 'Device', run: 'Run' }

export class Projector {
  readonly #parts: ProjectorParts
  readonly #holder = randomUUID()
  /** A rebuild of somebody else, and since when it stands where it stands. */
  #watched: { readonly standing: Standing; readonly sinceMs: number } | undefined

  constructor(parts: ProjectorParts) {
    this.#parts = parts
  }

  /** One chunk of what is to be done, or a whole rebuild. Throws what the database or the graph threw; then it is called again. */
  async step(signal: AbortSignal): Promise<Step> {
    const { source, fingerprint } = this.#parts
    const [seen, believed] = [await this.#look(), await source.standing()]
    if (seen !== undefined && !seen.complete && !this.#isAbandoned(seen)) return 'waiting'
    if (seen?.complete !== true || seen.fingerprint !== fingerprint || !follows(seen, believed)) return this.#rebuild(seen, signal)

    if (seen.sequence !== believed?.sequence) await source.setStanding(seen)
    const changes = await source.pending(CHUNK)
    if (changes.length === 0) return 'idle'
    const next = await this.#bring(seen, idsOf(changes), true)
    if (next !== undefined) await source.settle(changes, next)
    return 'worked'
  }

  /** From nothing. Reads of the graph are refused until it is whole. */
  async #rebuild(seen: Seen | undefined, signal: AbortSignal): Promise<Step> {
    const { source, store, fingerprint, log } = this.#parts
    const graphId = randomUUID()
    const startedMs = performance.now()
    const begun = await store.write([
      { text: HOLD_PROJECTION, parameters: { holder: this.#holder } },
      { text: BEGIN_PROJECTION, parameters: { heldId: seen?.graphId ?? '', heldSequence: seen?.sequence ?? 0, graphId, fingerprint }, mustMatch: true },
    ])
    if (!begun) return 'worked'
    log(`the graph is made anew: ${reasonOf(seen, fingerprint)}`)

    let standing: Standing | undefined = { graphId, sequence: 0 }
    await source.setStanding(standing) // from now on nobody takes a change away for the graph that was
    const advance = async (statements: readonly Statement[], complete = false): Promise<void> => {
      signal.throwIfAborted()
      standing = standing && (await this.#write(standing, statements, complete))
    }
    for (const kind of NODE_KINDS)
      while (standing !== undefined && (await this.#count(kind)) > 0) await advance([{ text: CLEAR[kind], parameters: { limit: CLEAR_CHUNK } }])
    await advance(statementsOf(changeBetween(new Subgraph(), capabilityNodes())))

    let rows = 0
    for (const subject of SUBJECTS) {
      for (let after: string | undefined; standing !== undefined; ) {
        const ids: readonly string[] = await source.page(subject, after, CHUNK)
        if (ids.length === 0) break
        const wanted = subgraphOf(await source.rows({ [subject]: ids }), this.#parts.capabilitiesOf)
        await advance(statementsOf(changeBetween(new Subgraph(), wanted)))
        after = ids.at(-1)
        rows += ids.length
      }
    }
    await advance([], true)
    if (standing !== undefined) {
      await source.setStanding(standing)
      log(`the graph is whole: ${rows} rows in ${Math.round(performance.now() - startedMs)} ms`)
    }
    return 'worked'
  }

  /** Makes these subjects, and what they own, what their rows say. undefined: another projector has written first. */
  async #bring(seen: Standing, ids: IdsBySubject, complete: boolean): Promise<Standing | undefined> {
    const { source, store, capabilitiesOf } = this.#parts
    const current = new Subgraph()
    for (const subject of SUBJECTS) await readOwned(store, KIND_OF[subject], ids[subject] ?? [], current)
    const wanted = subgraphOf(await source.rows(ids), capabilitiesOf)
    return this.#write(seen, statementsOf(changeBetween(current, wanted)), complete)
  }

  async #write({ graphId, sequence }: Standing, statements: readonly Statement[], complete: boolean): Promise<Standing | undefined> {
    const next = sequence + 1
    const written = await this.#parts.store.write([
      { text: HOLD_PROJECTION, parameters: { holder: this.#holder } },
      { text: ADVANCE_PROJECTION, parameters: { graphId, sequence, next, complete }, mustMatch: true },
      ...statements,
    ])
    return written ? { graphId, sequence: next } : undefined
  }

  async #look(): Promise<Seen | undefined> {
    const [seen] = await this.#parts.store.read<Seen>(PROJECTION)
    return seen
  }

  async #count(kind: NodeKind): Promise<number> {
    const [row] = await this.#parts.store.read<{ count: number }>(COUNT[kind])
    return row?.count ?? 0
  }

  #isAbandoned({ graphId, sequence }: Standing): boolean {
    const now = performance.now()
    const watched = this.#watched
    if (watched === undefined || watched.standing.graphId !== graphId || watched.standing.sequence !== sequence)
      this.#watched = { standing: { graphId, sequence }, sinceMs: now }
    return watched !== undefined && this.#watched === watched && now - watched.sinceMs > (this.#parts.abandonedAfterMs ?? ABANDONED_AFTER_MS)
  }
}

type IdsBySubject = Partial<Record<Subject, string[]>>

function idsOf(changes: readonly PendingChange[]): IdsBySubject {
  const ids: IdsBySubject = {}
  for (const { subject, id } of changes) ids[subject] = [...(ids[subject] ?? []), id]
  return ids
}

/** A death between the two writes of a step leaves the graph one ahead. */
function follows({ graphId, sequence }: Standing, believed: Standing | undefined): boolean {
  return believed !== undefined && believed.graphId === graphId && (believed.sequence === sequence || believed.sequence + 1 === sequence)
}

function reasonOf(seen: Seen | undefined, fingerprint: string): string {
  if (seen === undefined) return 'there was none'
  if (!seen.complete) return 'the last time was not finished'
  return seen.fingerprint === fingerprint ? 'the one in the store is not of this database, or not of its present state' : 'its model has changed'
}
