import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../../core/errors.ts'
import type { JournalEntry } from '../../../core/journal.ts'
import type { Database } from '../../../prisma/client.ts'
import type { Batch } from './batch.ts'
import { batchOf, inBatches } from './batch.ts'
import type { Journal } from './journal.ts'
import type { StoredEntry } from './record.ts'
import { findKeys, storeBatch, storeSpecs } from './tables.ts'

/** Carries the journal into PostgreSQL, each entry exactly once, for as long as the station lives. */
export interface Shipper extends AsyncDisposable {
  /** Entries that are not in the database yet, as far as is known. */
  readonly backlog: number
  /** Why nothing is shipped now; undefined while it works. */
  readonly problem: string | undefined
  /** Resolves when everything appended before the call is in the database. */
  caughtUp(signal: AbortSignal): Promise<void>
}

export type ShipperOptions = {
  readonly journal: Journal
  readonly database: Pick<Database, 'pool'>
  readonly stationId: string
  readonly log: (message: string) => void
}

const BATCH_ENTRIES = 1000
const BATCH_WAIT_MS = 100 // the history is this far behind at least; a transaction for every reading would be the database's whole work
const BATCH_SAMPLES = 20_000 // of several entries together: some 2 MB of parameters for one statement
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000
const TRANSACTION_DEADLINE_MS = 15_000 // a server that hangs is away
const CAUGHT_UP_POLL_MS = 20
const MAX_KEYS = 100_000 // parameters of one station whose keys are kept: 10 MB

const LIMITS = {
  entries: BATCH_ENTRIES,
  waitMs: BATCH_WAIT_MS,
  weight: BATCH_SAMPLES,
  weigh: (entry: JournalEntry) => (entry.type === 'samples' ? entry.samples.length : 1),
}

export function startShipper(options: ShipperOptions): Shipper {
  return new JournalShipper(options)
}

class JournalShipper implements Shipper {
  problem: string | undefined
  readonly #options: ShipperOptions
  readonly #stopping = new AbortController()
  readonly #keys = new Map<string, number>()
  readonly #done: Promise<void>
  #watermark: number | undefined

  constructor(options: ShipperOptions) {
    this.#options = options
    this.#done = this.#shipForEver()
  }

  get backlog(): number {
    const { journal } = this.#options
    return journal.last - Math.max(this.#watermark ?? 0, journal.first - 1)
  }

  async caughtUp(signal: AbortSignal): Promise<void> {
    const target = this.#options.journal.last
    while ((this.#watermark ?? -1) < target) await pause(CAUGHT_UP_POLL_MS, undefined, { signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#done
  }

  async #shipForEver(): Promise<void> {
    const { signal } = this.#stopping
    for (let retryMs = FIRST_RETRY_MS; !signal.aborted; ) {
      const attempt = new AbortController()
      try {
        // Read again after each failure: a commit whose answer was lost may have been done.
        const watermark = await this.#readWatermark()
        this.#watermark = watermark
        const entries = this.#options.journal.follow(watermark + 1, AbortSignal.any([signal, attempt.signal]))
        for await (const batch of inBatches(entries, LIMITS)) {
          await this.#ship(batch)
          this.#say(undefined)
          retryMs = FIRST_RETRY_MS
        }
      } catch (error) {
        this.#say(messageOf(error))
        this.#keys.clear() // another database may come back
        await pause(retryMs, undefined, { signal }).catch(() => undefined) // aborted: the loop ends
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
      } finally {
        attempt.abort()
      }
    }
  }

  async #readWatermark(): Promise<number> {
    const { database, stationId, journal } = this.#options
    const { rows } = await database.pool.query<{ journalSequence: string }>('SELECT "journalSequence" FROM "station" WHERE "id" = $1', [stationId])
    if (rows[0] === undefined) throw new Error(`the database does not know station ${stationId} yet`)
    const watermark = Number(rows[0].journalSequence)
    if (watermark > journal.last)
      throw new Error(`the database already holds entry ${watermark} of a journal that ends at ${journal.last}: its folder is an old copy`)
    return watermark
  }

  /** An entry that the database refuses for what it holds is said and passed over: it stays in the journal, and must not keep back all the others. */
  async #ship(entries: readonly StoredEntry[]): Promise<void> {
    try {
      await this.#store(entries, batchOf(entries, this.#options.stationId))
    } catch (error) {
      if (!isRefusal(error)) throw error
      const half = Math.ceil(entries.length / 2)
      if (entries.length > 1) {
        await this.#ship(entries.slice(0, half))
        await this.#ship(entries.slice(half))
        return
      }
      this.#options.log(`journal entry ${entries[0]?.sequence} (${entries[0]?.entry.type}) is not shipped: ${error.message}`)
      await this.#store(entries, batchOf([], this.#options.stationId))
    }
  }

  /** All or nothing, watermark first: whoever else ships for this station, by mistake or as the last process, waits here and then finds it moved. */
  async #store(entries: readonly StoredEntry[], batch: Batch): Promise<void> {
    const { database, stationId, journal } = this.#options
    const last = entries.at(-1)?.sequence ?? this.#watermark
    await this.#learnKeys(batch)
    const client = await database.pool.connect()
    let broken: Error | undefined
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    const deadline = setTimeout(() => void client.end(), TRANSACTION_DEADLINE_MS)
    try {
      await client.query('BEGIN')
      const moved = await client.query('UPDATE "station" SET "journalSequence" = $2 WHERE "id" = $1 AND "journalSequence" = $3', [
        stationId,
        last,
        this.#watermark,
      ])
      if (moved.rowCount !== 1) throw new Error('the watermark of the journal has moved without us')
      await storeBatch(client, batch, (deviceId, parameter) => this.#keys.get(`${deviceId} ${parameter}`), stationId)
      await client.query('COMMIT')
    } catch (error) {
      if (isRefusal(error)) await client.query('ROLLBACK')
      else broken = error instanceof Error ? error : new Error(String(error))
      throw error
    } finally {
      clearTimeout(deadline)
      client.off('error', onError)
      client.release(broken) // with an error the connection is closed, and with it the transaction
    }
    this.#watermark = last
    if (last !== undefined) journal.shipped(last)
  }

  /** Outside the transaction: a key once given never changes. */
  async #learnKeys({ specs, samples, changes, runs }: Batch): Promise<void> {
    const { pool } = this.#options.database
    if (this.#keys.size > MAX_KEYS) this.#keys.clear()
    if (specs.length > 0) this.#keep(await storeSpecs(pool, specs))
    const missing = new Map<string, { deviceId: string; name: string }>()
    for (const { deviceId, parameter } of [...samples, ...changes, ...runs.flatMap(({ manifest }) => manifest?.parameters ?? [])]) {
      const id = `${deviceId} ${parameter}`
      if (!this.#keys.has(id)) missing.set(id, { deviceId, name: parameter })
    }
    if (missing.size > 0) this.#keep(await findKeys(pool, [...missing.values()]))
  }

  #keep(rows: readonly { key: number; deviceId: string; name: string }[]): void {
    for (const { key, deviceId, name } of rows) this.#keys.set(`${deviceId} ${name}`, key)
  }

  /** An outage is one line in the log, and one when it is over. */
  #say(problem: string | undefined): void {
    if (problem === this.problem) return
    this.#options.log(problem === undefined ? 'the journal is shipped again' : `the journal waits: ${problem}`)
    this.problem = problem
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): trying again would end the same way. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code)
}
