import type { CommandProgress } from '../../core/command.ts'
import { NotFound } from '../../core/errors.ts'
import type { Context } from '../context.ts'
import { isProblem } from '../problem-code.ts'
import { type LiveSource, liveSource } from './source.ts'

/** Only the station that carries a command out knows it; the others answer NotFound. */
export function commandSource(requestId: string, { stations }: Context): LiveSource<CommandProgress> {
  let present: CommandProgress | undefined
  return liveSource({
    delivery: 'LATEST',
    joinable: true,
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
          // Another station may know it; once one has answered, its end is the end.
          if (present !== undefined || !isProblem(error, 'NOT_FOUND', 'STATION_OFFLINE')) throw error
        }
      }
      if (!signal.aborted) throw new NotFound(`command with the request id ${requestId} that a station still remembers`)
    },
  })
}
