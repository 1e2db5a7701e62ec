import { join } from 'node:path'
import { TABLE_FILE } from '../../../core/dataset.ts'
import { NotFound } from '../../../core/errors.ts'
import { isOver } from '../../../core/run.ts'
import type { RunRowsItem } from '../../../link/protocol.ts'
import type { Database } from '../../../prisma/client.ts'
import { Bell } from '../host/bell.ts'
import type { RowLog } from './row-log.ts'
import { readTable } from './row-log.ts'

const KEPT_LOGS = 8 // of the newest runs, in memory; older ones are read from their files
const ASK_AGAIN_MS = 1000 // whether a run that has not begun will ever do

type RecordedRun = { readonly state: string; readonly endedAt: Date | null; readonly folder: string | null }

/** The rows of any run of this station: as they come, or from the file of one that is over. */
export class RunRows {
  readonly #logs = new Map<string, RowLog>()
  readonly #begun = new Bell()
  readonly #database: Pick<Database, 'pool'>
  readonly #dataDir: string

  constructor(database: Pick<Database, 'pool'>, dataDir: string) {
    this.#database = database
    this.#dataDir = dataDir
  }

  begin(runId: string, rows: RowLog): void {
    this.#logs.set(runId, rows)
    const [oldest] = this.#logs.keys()
    if (this.#logs.size > KEPT_LOGS && oldest !== undefined) this.#logs.delete(oldest)
    this.#begun.ring()
  }

  /** Waits for a run that has not begun yet. Throws NotFound for one that the database does not know. */
  async *follow(runId: string, fromRow: number, signal: AbortSignal): AsyncGenerator<RunRowsItem> {
    while (!signal.aborted) {
      const log = this.#logs.get(runId)
      if (log !== undefined) return yield* log.follow(fromRow, signal)
      const found = await this.#find(runId)
      if (found === undefined) throw new NotFound(`run ${runId}`)
      if (found !== 'away' && isOver(found)) return yield* this.#recorded(found.folder, fromRow, signal)
      if (!this.#logs.has(runId)) await this.#begun.rung(AbortSignal.any([signal, AbortSignal.timeout(ASK_AGAIN_MS)]))
    }
  }

  async *#recorded(folder: string | null, fromRow: number, signal: AbortSignal): AsyncGenerator<RunRowsItem> {
    let last: RunRowsItem = { columns: [], firstRow: fromRow, rows: [], ended: true }
    if (folder !== null)
      for await (const item of readTable(join(this.#dataDir, folder, TABLE_FILE), { from: fromRow, to: Number.MAX_SAFE_INTEGER }, signal)) {
        yield item
        last = { columns: item.columns, firstRow: item.firstRow + item.rows.length, rows: [], ended: true }
      }
    yield last
  }

  async #find(runId: string): Promise<RecordedRun | 'away' | undefined> {
    try {
      const { rows } = await this.#database.pool.query<RecordedRun>(
        `SELECT r."state", r."endedAt", d."folder" FROM "run" r LEFT JOIN "dataset" d ON d."runId" = r."id" AND d."kind" = 'TABLE' AND d."deviceId" IS NULL AND d."rows" > 0 WHERE r."id" = $1`,
        [runId],
      )
      return rows[0]
    } catch {
      return 'away' // the run may begin all the same; asked again
    }
  }
}
