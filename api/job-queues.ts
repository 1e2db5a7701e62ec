import type { Logger } from 'pino'
import type { JobContract } from '../core/job.ts'
import { type AddOptions, openQueue, QueueAway, type QueueConnection, type WorkQueue } from '../link/queues.ts'

/**
 * The queues as the api uses them: only to dispatch. A queue that is away is no failure of the request: the row is written, and whoever does the work
 * looks for rows that were never dispatched.
 */
export interface JobQueues extends AsyncDisposable {
  add<Payload extends object>(queue: string, contract: JobContract<Payload>, payload: Payload, options: AddOptions): Promise<void>
  remove(queue: string, jobId: string): Promise<void>
  /** How long the queue's server takes to answer; throws QueueAway. */
  ping(queue: string): Promise<number>
}

const PING_JOB = 'ping' // no job has this id: asking for it only shows that the server answers

export function openJobQueues(connection: QueueConnection, log: Logger): JobQueues {
  const open = new Map<string, WorkQueue>()
  const queueNamed = (name: string): WorkQueue => {
    const known = open.get(name)
    if (known !== undefined) return known
    const queue = openQueue(name, connection, (message) => log.warn(message))
    open.set(name, queue)
    return queue
  }
  const dispatch = async (what: string, ask: () => Promise<unknown>): Promise<void> => {
    try {
      await ask()
    } catch (error) {
      if (!(error instanceof QueueAway)) throw error
      log.warn({ error: error.message }, `${what} was not told to the queue; its row is written`)
    }
  }
  return {
    add: (queue, contract, payload, options) => dispatch(`job ${options.jobId}`, () => queueNamed(queue).add(contract, payload, options)),
    remove: (queue, jobId) => dispatch(`the end of job ${jobId}`, () => queueNamed(queue).remove(jobId)),
    async ping(queue) {
      const startedMs = performance.now()
      await queueNamed(queue).has(PING_JOB)
      return performance.now() - startedMs
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open.values()].map((queue) => queue[Symbol.asyncDispose]()))
    },
  }
}
