import { messageOf } from '../../core/errors.ts'
import type { Database } from '../../prisma/client.ts'
import { listenForChanges } from '../../prisma/listen.ts'
import type { ClaimedJob, JobStanding } from './job-row.ts'
import { standingOf } from './job-row.ts'

/** Watches the row of a running job: its signal fires soon after a person cancels it, or another worker has taken it over. */
export type JobWatch = Disposable & { readonly signal: AbortSignal; readonly standing: JobStanding }

export interface Cancellations extends AsyncDisposable {
  watch(job: ClaimedJob): JobWatch
}

const POLL_MS = 1_000 // a notification may be lost with its connection

export function openCancellations(database: Database, databaseUrl: string, log: (line: string) => void): Cancellations {
  const closing = new AbortController()
  const watched = new Map<string, () => void>()
  const lookAtAll = (): void => {
    for (const look of watched.values()) look()
  }
  void listenForChanges(databaseUrl, ({ table, id }) => void (table === 'job' && watched.get(id)?.()), {
    signal: closing.signal,
    onGap: lookAtAll,
    onError: (error) => log(`listening for cancellations: ${error.message}`),
  }).catch((error: Error) => log(`not listening for cancellations: ${error.message}`))
  const timer = setInterval(lookAtAll, POLL_MS)

  return {
    watch(job) {
      const controller = new AbortController()
      let standing: JobStanding = 'ours'
      let looking = false
      const look = async (): Promise<void> => {
        if (looking || standing !== 'ours') return
        looking = true
        try {
          standing = await standingOf(database, job)
        } catch (error) {
          log(`job ${job.id} cannot be looked at: ${messageOf(error)}`)
        } finally {
          looking = false
        }
        if (standing !== 'ours') controller.abort(new Error(standing === 'cancelled' ? 'the job was cancelled' : 'the job is no longer ours'))
      }
      watched.set(job.id, () => void look())
      return {
        signal: controller.signal,
        get standing() {
          return standing
        },
        [Symbol.dispose]: () => void watched.delete(job.id),
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      closing.abort()
    },
  }
}
