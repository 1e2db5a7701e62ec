import { NotFound } from '../../core/errors.ts'
import { isOver } from '../../core/run.ts'
import { encodeCursor } from '../connection.ts'
import type { Context } from '../context.ts'
import type { Run } from '../loaders.ts'
import type { Gap } from '../schema/gap.ts'
import { rowSource } from './row.ts'
import type { LiveSource } from './source.ts'

/** Each is the whole present, so there never is a gap that matters; the cursor says which present. */
export type RunProgress = { readonly cursor: string; readonly gap?: Gap; readonly run: Run }

export async function runSource(runId: string, after: string | undefined, { database: { prisma }, changes }: Context): Promise<LiveSource<RunProgress>> {
  const read = async (): Promise<Run> => {
    const run = await prisma.run.findUnique({ where: { id: runId } })
    if (run === null) throw new NotFound('run with that id')
    return run
  }
  await read() // refused before the stream begins
  return rowSource({
    read,
    watch: (wake) => changes.watch('run', runId, wake),
    ended: isOver,
    itemOf: (run) => ({ cursor: cursorOf(run), run }),
    ...(after !== undefined && { known: (run: Run) => cursorOf(run) === after }),
  })
}

function cursorOf({ id, state, points, fence, endedAt }: Run): string {
  return encodeCursor([id, state, points, fence, endedAt?.getTime() ?? 0])
}
