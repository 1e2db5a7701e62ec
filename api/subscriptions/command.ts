import type { CommandProgress } from '../../core/command.ts'
import { NotFound, StationOffline } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { liveSource, type LiveSource } from './source.ts'

/** Only the station that carries a command out knows it; the others answer NotFound. */
export function commandSource(requestId: string, { stations }: Context): LiveSource<CommandProgress> {
  let present: CommandProgress | undefined
  return liveSource({
    delivery: 'LATEST',
    present: () => present,
    async *run(signal) {
      for (const mirror of stations.all()) {
        if (!mirror.link.online) continue
        try {
          for await (const progress of mirror.link.stream('command', { requestId }, signal)) {
            present = progress
            yield progress
          }
          if (present !== undefined) return
        } catch (error) {
          if (!(error instanceof NotFound) && !(isNotFound(error)) && (present !== undefined || !(error instanceof StationOffline))) throw error
        }
      }
      if (!signal.aborted) throw new NotFound(`command with the request id ${requestId} that a station still remembers`)
    },
  })
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'NOT_FOUND'
}
