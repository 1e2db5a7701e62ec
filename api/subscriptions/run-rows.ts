import { join } from 'node:path'
import { GraphQLError } from 'graphql'
import type { DatasetColumn } from '../../core/dataset.ts'
import { NotFound } from '../../core/errors.ts'
import type { RowCell } from '../../core/row.ts'
import { isOver } from '../../core/run.ts'
import { readTable } from '../../storage/dataset.ts'
import type { Context } from '../context.ts'
import { decodeCursorOf, decodeStreamCursor, encodeStreamCursor } from '../cursor.ts'
import { isProblem } from '../problem-code.ts'
import type { Gap } from '../schema/gap.ts'
import { pause } from './pause.ts'
import { type LiveSource, liveSource, Wake } from './source.ts'

export type RowBatch = {
  readonly cursor: string
  readonly gap?: Gap
  readonly columns: readonly DatasetColumn[]
  readonly rows: readonly (readonly RowCell[])[]
}

const PAGE_ROWS = 1_000 // of a recorded table in one batch
const RETRY_MS = 250 // a station that is away, or does not yet know the run it is about to start

/** From the station while it records, from its file when it has ended: the same rows, so the way there does not matter. */
export async function runRowsSource(runId: string, after: string | undefined, context: Context): Promise<LiveSource<RowBatch>> {
  const {
    database: { prisma },
    changes,
    stations,
    config,
  } = context
  const stateOf = async () => {
    const run = await prisma.run.findUnique({ where: { id: runId }, select: { state: true, stationId: true, endedAt: true } })
    if (run === null) throw new NotFound('run with that id')
    return run
  }
  const { stationId } = await stateOf()
  const first = after === undefined ? 0 : firstRowAfter(after, runId)

  return liveSource({
    delivery: 'EVERY',
    joinable: false, // it begins with the first row
    behind: (delivered, newest) => ({
      cursor: newest.cursor,
      gap: {
        ...(delivered !== undefined && { from: delivered.cursor }),
        to: newest.cursor,
        reason: 'the client did not keep up; subscribe again after the last cursor',
      },
      columns: newest.columns,
      rows: [],
    }),
    async *run(signal) {
      const changed = new Wake()
      const unwatch = changes.watch('run', runId, changed.wake)
      try {
        let next = first
        while (!signal.aborted) {
          const now = await stateOf()
          if (isOver(now)) return yield* recorded(next, signal)
          if (now.state === 'QUEUED') {
            await changed.wait(signal)
            continue
          }
          try {
            for await (const item of stations.get(stationId).link.stream('runRows', { runId, fromRow: next }, signal)) {
              next = item.firstRow + item.rows.length
              yield { cursor: encodeStreamCursor({ runId, row: next }), columns: item.columns, rows: item.rows }
              if (item.ended) return
            }
          } catch (error) {
            // The station is away, has not taken the run up yet, or has just let go of it: the row says which.
            if (!isProblem(error, 'STATION_OFFLINE', 'NOT_FOUND') || signal.aborted) throw error
          }
          await pause(RETRY_MS, signal)
        }
      } finally {
        unwatch()
      }
    },
  })

  async function* recorded(from: number, signal: AbortSignal): AsyncGenerator<RowBatch, void, void> {
    const table = await prisma.dataset.findFirst({ where: { runId, kind: 'TABLE' }, orderBy: { createdAt: 'asc' } })
    if (table === null) return
    const folder = join(config.dataDir, table.folder)
    for (let next = from; !signal.aborted; ) {
      const { columns, rows, truncated } = await readTable(folder, { first: PAGE_ROWS, range: { from: next } }, signal)
      next += rows.length
      if (rows.length > 0) yield { cursor: encodeStreamCursor({ runId, row: next }), columns, rows }
      if (!truncated) return
    }
  }
}

/** Lab.cursor says nothing of rows: from the first. Throws for a cursor of another stream, or of another run, whose rows are others. */
function firstRowAfter(after: string, runId: string): number {
  const { event, stations } = decodeStreamCursor(after)
  if (event !== undefined && stations !== undefined) return 0
  const cursor = decodeCursorOf('row', after)
  if (cursor.runId !== undefined && cursor.runId !== runId)
    throw new GraphQLError('after: this is a cursor of the rows of another run', { extensions: { code: 'BAD_USER_INPUT' } })
  return cursor.row
}
