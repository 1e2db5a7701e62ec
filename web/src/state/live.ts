import { graphql } from '../graphql.ts'
import { decodeColumn, type LiveColumn, type LiveValue } from '../model/reading-batch.ts'
import { Selection, type Selector, type Wanted } from '../model/selection.ts'
import type { Connection } from './connection.ts'
import { follow } from './stream.ts'

const LIVE_RATE_HZ = 10 // as fast as numbers can be read and lines look smooth
const REGROUP_MS = 60 // a panel that opens asks for many parameters at once: one new subscription for all of them

const READINGS = graphql(`
  subscription LiveReadings($select: [ParameterSelector!]!, $maxRateHz: Float) {
    readings(select: $select, delivery: LATEST, maxRateHz: $maxRateHz) {
      snapshot
      dropped
      series { parameterId unit start offsetsMs numbers texts booleans qualities }
    }
  }
`)

type Watcher = { readonly onValues: (values: readonly LiveValue[]) => void }

/**
 * The present value of every parameter that something on the page shows, over ONE `readings` subscription that is made anew when the set changes.
 * The new one stands (its snapshot is here) before the old one goes, so no value is missed.
 */
export class LiveReadings {
  readonly #connection: Connection
  readonly #selection = new Selection()
  readonly #latest = new Map<string, LiveValue>()
  readonly #watchers = new Map<string, Set<Watcher>>()
  #regroup: ReturnType<typeof setTimeout> | undefined
  #current: { key: string; end: () => void } | undefined
  #closed = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  latest(parameterId: string): LiveValue | undefined {
    return this.#latest.get(parameterId)
  }

  /** Calls back with every value that arrives, until the returned function is called. */
  watch(wanted: Wanted, onValues: Watcher['onValues']): () => void {
    const watcher: Watcher = { onValues }
    const watchers = this.#watchers.get(wanted.parameterId) ?? new Set()
    watchers.add(watcher)
    this.#watchers.set(wanted.parameterId, watchers)
    if (this.#selection.add(wanted)) this.#schedule()
    return () => {
      watchers.delete(watcher)
      if (!this.#selection.remove(wanted.parameterId)) return
      this.#watchers.delete(wanted.parameterId)
      this.#latest.delete(wanted.parameterId)
      this.#schedule()
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#regroup)
    this.#current?.end()
  }

  #schedule(): void {
    if (this.#closed) return
    clearTimeout(this.#regroup)
    this.#regroup = setTimeout(() => this.#subscribe(), REGROUP_MS)
  }

  #subscribe(): void {
    const select = this.#selection.selectors()
    const key = JSON.stringify(select)
    if (this.#current?.key === key) return
    let before = this.#current?.end
    const endOld = () => {
      before?.()
      before = undefined
    }
    this.#current = undefined
    if (select.length === 0) return endOld()
    const variables = { select: select.map(({ deviceId, names }: Selector) => ({ deviceId, names: [...names] })), maxRateHz: LIVE_RATE_HZ }
    const end = follow(this.#connection, READINGS, () => variables, {
      next: ({ readings }) => {
        endOld()
        for (const column of readings.series) this.#take(column)
      },
      error: () => this.#again(key),
      complete: () => this.#again(key),
    })
    this.#current = {
      key,
      end: () => {
        endOld()
        end()
      },
    }
  }

  /** A stream that ended although we still want it (a device was removed, the server let go) is asked for anew. */
  #again(key: string): void {
    if (this.#closed || this.#current?.key !== key) return
    this.#current.end()
    this.#current = undefined
    clearTimeout(this.#regroup)
    this.#regroup = setTimeout(() => this.#subscribe(), 1000)
  }

  #take(column: LiveColumn): void {
    const watchers = this.#watchers.get(column.parameterId)
    if (watchers === undefined) return
    const values = decodeColumn(column)
    const last = values.at(-1)
    if (last === undefined) return
    this.#latest.set(column.parameterId, last)
    for (const watcher of watchers) watcher.onValues(values)
  }
}
